/* Private to page.c and its parts: the page being written, and how things look on it. */
#ifndef LATHE_PLOTS_SHEET_H
#define LATHE_PLOTS_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "plots/figure.h"
#include "plots/gnuplot.h"
#include "plots/layout.h"

/* Measures are pixels, or characters for the terminal, from the lower left corner. */
struct sheet {
    const struct page *page;
    enum plot_format format;
    bool terminal;
    double width, height, margin;
    double title_px, text_px, small_px; /* font sizes; meaningless in the terminal */
    double top, bottom;                 /* what the header and the footnote leave */
    struct text *script;
};

struct panel {
    const struct figure *figure;
    struct scale x, y; /* with the plot's edges as start and end */
    struct tics x_tics, y_tics;
    double left, right;  /* room for tic labels, and for names at the ends of lines */
    double above, below; /* room for title, legend and y axis label; for tics and x axis label */
    double legend;       /* height of the panel's own */
    int index;           /* in the page */
};

#define SHEET_INK   "#222222"
#define SHEET_PALE  "#666666"
#define SHEET_CLOUD "#B9C3CC"
#define SHEET_GRID  "#E3E3E3"
#define SHEET_AXIS  "#8A8A8A"

const char *sheet_colour(int colour);
const char *sheet_text_colour(int colour); /* darker, so that it reads on white */
char sheet_glyph(int colour);              /* stands for a filled area in the terminal */

bool series_has_line(const struct series *series);
bool series_is_area(const struct series *series);

double sheet_line_height(const struct sheet *sheet, double font_px);
double sheet_text_width(const struct sheet *sheet, const char *text, double font_px);

/* One line of text, its middle at y. align: "left" "right" "center". */
void sheet_label(struct sheet *sheet, double x, double y, const char *text, size_t length,
                 double font_px, bool bold, const char *colour, const char *align);
/* `style`: gnuplot's words for a line. */
void sheet_segment(struct sheet *sheet, double x0, double y0, double x1, double y1,
                   const char *style);
/* Wrapped lines downwards from `top`; returns the lower edge. */
double sheet_paragraph(struct sheet *sheet, double top, const char *text, double font_px, bool bold,
                       const char *colour);
int sheet_count_lines(const struct sheet *sheet, const char *text, double font_px);

/* gnuplot's words for the points and the line of a series. */
void sheet_point_look(struct sheet *sheet, const struct series *series);
void sheet_line_look(const struct series *series, char *out, size_t size);

/* The legend of panels first .. end - 1 in rows downwards from `top`, each title once; returns the
 * lower edge. With draw false nothing is written. */
double sheet_legend(struct sheet *sheet, double left, double top, int first, int end, bool draw);

#endif
