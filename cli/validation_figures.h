/* The figures of a validation. */
#ifndef LATHE_CLI_VALIDATION_FIGURES_H
#define LATHE_CLI_VALIDATION_FIGURES_H

#include "validate/validate.h"

/* Draws <prefix>-decode.svg, -prefill.svg (where prompts were timed), -error.svg, and
 * -deep-to-wide.svg: the group of most networks, of several that of most threads and parameters.
 * Errors: of the plots; STATUS_NOMEM. */
enum status validation_figures(const struct validation *v, const char *prefix, struct err *err);

#endif
