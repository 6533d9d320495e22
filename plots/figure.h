/* A figure as data: what to show and how, without a word of gnuplot.
 *
 * A page has a title, one or more panels (figures) beside or under one another and one legend; a
 * figure has two axes, series and notes. page.h turns it into a script. Everything handed in is
 * copied. A failed allocation, or one series too many, sets `failed` on the figure; the functions
 * then do nothing, and page_script reports it once. */
#ifndef LATHE_PLOTS_FIGURE_H
#define LATHE_PLOTS_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Okabe and Ito's colours (jfly.uni-koeln.de/color), those that show best on white first. Each has
 * a point shape and a dash of its own, so a figure can be read in grey as well. Beyond N_COLOURS
 * they start again with other shapes. */
enum colour {
    COLOUR_BLUE,
    COLOUR_VERMILLION,
    COLOUR_GREEN,
    COLOUR_PURPLE,
    COLOUR_ORANGE,
    COLOUR_SKY,
    COLOUR_BLACK,
    COLOUR_YELLOW,
    N_COLOURS,
    COLOUR_GREY = -1,
};

enum series_style {
    SERIES_POINTS,
    SERIES_LINE,
    SERIES_LINE_POINTS,
    SERIES_CLOUD,  /* many small, faint points behind everything else */
    SERIES_BOXES,  /* filled rectangles: bars, stacked bars, spans of time */
    SERIES_BAND,   /* the area between y_low and y_high along x */
    SERIES_ERRORS, /* points with a bar from y_low to y_high */
    SERIES_RULE,   /* a thin dashed line to compare with: it does not widen an axis */
};

struct datum {
    double x, y;
    double x_high;        /* boxes: they reach from x to x_high and from y_low to y_high */
    double y_low, y_high; /* boxes, bands, errors */
};

struct series {
    enum series_style style;
    char *title; /* in the legend; NULL: not there */
    int colour;  /* enum colour; may exceed N_COLOURS */
    bool hollow; /* points drawn as outlines */
    struct datum *data;
    size_t n, capacity;
    bool failed;
};

struct note {
    char *text;
    double x, y;
    int colour; /* of the text; the series it belongs to, or COLOUR_BLACK */
    enum note_place {
        NOTE_NEAR,   /* close to its point, wherever it covers least */
        NOTE_AT_END, /* names a line at its right end: room is made beside the plot */
        NOTE_AT_BAR, /* right after its point, always: the value of a bar */
    } place;
};

struct plot_axis {
    char *label; /* with the unit in brackets: "decode (ms a token)" */
    bool log;
    double min, max;   /* NaN: from the data */
    char **categories; /* names at 0, 1, 2 ...; on y the first is on top. NULL: numbers */
    size_t n_categories;
    int n_tics;       /* about how many; 0: as the length asks for */
    bool hide_labels; /* shares those of the panel to the left (y) or below (x) */
};

enum { FIGURE_SERIES = 40 };

struct figure {
    char *title; /* of the panel; NULL: none */
    struct plot_axis x, y;
    struct series series[FIGURE_SERIES];
    size_t n_series;
    struct note *notes; /* drawn close to their points, never over one another where room is left */
    size_t n_notes, notes_capacity;
    bool failed;
};

struct page {
    char *title, *subtitle, *footnote; /* NULL: none; long ones are wrapped */
    int width, height;                 /* pixels at 96 per inch */
    int columns, rows;                 /* of the character terminal */
    int n_across;                      /* panels beside one another */
    bool legend_by_panel;              /* one for each instead of one for all */
    struct figure *panels;
    int n_panels;
    bool failed;
};

/* n_panels >= 1, n_across >= 1. 800 x 500 pixels, 100 x 32 characters. Release always. */
enum status page_init(struct page *page, int n_panels, int n_across, struct err *err);
void page_release(struct page *page);
void page_texts(struct page *page, const char *title, const char *subtitle, const char *footnote);

void figure_title(struct figure *figure, const char *title);
void figure_axis(struct figure *figure, struct plot_axis *axis, const char *label, bool log);
void figure_category(struct figure *figure, struct plot_axis *axis, const char *name);

/* NULL when `failed`: the functions below then do nothing. Valid as long as the figure. */
struct series *figure_series(struct figure *figure, enum series_style style, const char *title,
                             int colour);
void series_add(struct series *series, double x, double y);
void series_add_range(struct series *series, double x, double y, double y_low, double y_high);
void series_add_box(struct series *series, double x, double x_high, double y_low, double y_high);

void figure_note(struct figure *figure, double x, double y, const char *text, int colour);
void figure_note_at_end(struct figure *figure, double x, double y, const char *text, int colour);
void figure_note_at_bar(struct figure *figure, double x, double y, const char *text);

/* True when every allocation so far succeeded. */
bool page_is_whole(const struct page *page);

#endif
