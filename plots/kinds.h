/* The kinds of figure there are. Each has a header of its own, plot_<name>.h, with one function;
 * 'error' and 'contest' share plot_validate.h. */
#ifndef LATHE_PLOTS_KINDS_H
#define LATHE_PLOTS_KINDS_H

#include <stdbool.h>

struct plot_kind {
    const char *name;
    const char *shows; /* one line, for help */
    const char *needs; /* the data it is drawn from, one line */
    bool reads_run;    /* drawn from the candidates of a run */
};

/* Ended by a NULL name. */
extern const struct plot_kind plot_kinds[];

/* NULL: there is none; *near (may be NULL) is then the nearest name, or NULL. */
const struct plot_kind *plot_kind_find(const char *name, const char **near);

#endif
