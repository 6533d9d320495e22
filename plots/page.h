/* From a page to a gnuplot script, and to a picture.
 *
 * All kinds of figures look alike: title and subtitle at the left, the legend under them, the y
 * axis's name written horizontally above the axis, a light grid, tics at round numbers, names
 * beside their points. The script depends on the page and the format alone. */
#ifndef LATHE_PLOTS_PAGE_H
#define LATHE_PLOTS_PAGE_H

#include "base/status.h"
#include "base/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"

/* Errors: STATUS_NOMEM (also when a figure of the page failed), STATUS_INPUT: a panel without a
 * single datum, or a value that is not finite or not positive on a log axis. */
enum status page_script(const struct page *page, enum plot_format format, struct text *script,
                        struct err *err);

/* The picture at `path` (format by its ending, "-" the terminal), or the old file and an error.
 * Errors: of page_script, plot_format_of and gnuplot_draw. */
enum status page_draw(const struct page *page, const char *path, struct text *warnings,
                      struct err *err);

#endif
