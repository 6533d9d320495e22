/* The figures of a validation. */
#ifndef LATHE_CLI_VALIDATION_FIGURES_H
#define LATHE_CLI_VALIDATION_FIGURES_H

#include "costmodel/validate.h"

/* Draws <prefix>-decode.svg, -prefill.svg, -error.svg, and -deep-to-wide.svg: the series of the
 * largest budget in q8_0 at most threads. Errors: of the plots; STATUS_NOMEM. */
enum status validation_figures(const struct validation *v, const char *prefix, struct err *err);

#endif
