/* What to time on a device: the few networks that tell a fit's coefficients apart.
 *
 * Greedy D-optimal design: each step takes the network whose timings (a decode from an empty cache,
 * and one at depth) add most to the log-determinant of what is known of the coefficients, given the
 * fit's priors and noise. Coefficients are those of lathe fit (fit/fit.h), their sizes
 * guessed from the device's profile; a wrong guess costs some information, no correctness.
 *
 * What it cannot show: costs that the coefficients have no name for. Add networks like those you
 * care about. */
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
