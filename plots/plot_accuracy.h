/* Kind 'accuracy': published accuracy against predicted latency, each model a named point; the
 * MobileLLM paper's Figure 1 with latency in the place of size. */
#ifndef LATHE_PLOTS_PLOT_ACCURACY_H
#define LATHE_PLOTS_PLOT_ACCURACY_H

#include "plots/plot_options.h"

struct plot_accuracy_row {
    const char *model;
    const char *family;   /* shares a colour, and a line when `join`; NULL: other */
    double decode_ns;     /* > 0; NaN: left out */
    double accuracy_frac; /* 0 .. 1; NaN: left out */
};

/* Families beyond the 7th share grey. `join` draws a line through each family. Errors: of
 * page_draw.
 */
enum status plot_accuracy(const struct plot_accuracy_row *rows, size_t n_rows, bool join,
                          const char *accuracy_name, const struct plot_options *options,
                          struct err *err);

#endif
