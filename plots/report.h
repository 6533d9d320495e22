/* One HTML page that needs nothing else: text, tables and inline SVG figures, in the order added.
 *
 * All text is escaped here. A failed allocation is reported once, by report_write. */
#ifndef LATHE_PLOTS_REPORT_H
#define LATHE_PLOTS_REPORT_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

struct report {
    struct text html;
    int n_figures, n_tables;
};

/* Starts the page; `summary` is the paragraph under the title, NULL: none. Release always. */
void report_start(struct report *report, const char *title, const char *summary);
void report_release(struct report *report);

void report_heading(struct report *report, const char *heading);

/* cells[n_rows, n_columns], row-major; NULL is an empty cell. A column whose cells all start like
 * numbers is set to the right. */
void report_table(struct report *report, const char *caption, const char *const *headers,
                  size_t n_columns, const char *const *cells, size_t n_rows);

/* svg: a whole SVG document as the kinds of figures give it (plot_options.svg). Its identifiers are
 * made unique on the page. */
void report_figure(struct report *report, const char *svg, const char *caption);

/* Ends the page and writes it, whole or not at all; "-" is standard output. Errors: STATUS_NOMEM,
 * STATUS_IO. */
enum status report_write(struct report *report, const char *path, struct err *err);

#endif
