/* What every kind of figure takes beside its data. */
#ifndef LATHE_PLOTS_PLOT_OPTIONS_H
#define LATHE_PLOTS_PLOT_OPTIONS_H

#include "base/status.h"
#include "base/text.h"

struct page;

struct plot_options {
    const char *path;      /* .svg .png .pdf, or "-": characters on standard output */
    struct text *svg;      /* not NULL: the SVG is added here instead, for a report */
    const char *title;     /* NULL: the kind's own; likewise below */
    const char *subtitle;  /* what was asked: "iphone-13, q8_0, 128 tokens of context" */
    const char *footnote;  /* where the numbers rest on: "basis: data sheet, error unknown" */
    struct text *warnings; /* what gnuplot complained about although it drew; NULL: dropped */
};

/* A model with a name on a figure's two axes, which the kind says. */
struct plot_model {
    const char *name;
    double x, y;
};

/* Title, subtitle and footnote; the kind's own where the options are silent. */
void plot_apply(struct page *page, const struct plot_options *options, const char *title,
                const char *subtitle, const char *footnote);

/* Draws the page where the options say, releases it, and reports `status` if that is an error
 * already. */
enum status plot_finish(struct page *page, enum status status, const struct plot_options *options,
                        struct err *err);

#endif
