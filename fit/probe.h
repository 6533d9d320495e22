/* What to time on a device: the few networks that tell a fit's coefficients apart.
 *
 * Greedy D-optimal design. Each step takes the network whose two timings (a decode from an empty
 * cache, and one at depth) add most to the log-determinant of the information matrix of the
 * coefficients, given the fit's priors and noise. The coefficients are those of lathe fit
 * (fit/fit.h), with sizes guessed from the device's profile. A wrong guess costs some information,
 * but makes no result wrong.
 *
 * What it cannot show: costs that are not among the coefficients. Add networks like those you care
 * about. */
#ifndef LATHE_FIT_PROBE_H
#define LATHE_FIT_PROBE_H

#include "fit/fit.h"

enum { PROBE_SHORT_CONTEXT = 16, PROBE_LONG_CONTEXT = 1024 };

/* Picks min(n_wanted, n) of the candidates, best first, into picked[] (indices). gain: [n_wanted],
 * out, nats that each pick added.
 *   candidates  networks with types set, max_context > PROBE_LONG_CONTEXT
 * Errors: STATUS_NOMEM, those of price_network. */
enum status probe_design(const struct machine *machine, const struct transformer *candidates,
                         size_t n, size_t n_wanted, size_t *picked, double *gain, struct err *err);

#endif
