/* Where things go on a page: text widths, tics, and names that do not cover one another.
 *
 * Lengths are pixels, or characters for the terminal; y grows upwards from the page's lower edge.
 * Text widths are estimated from the kinds of letters (Helvetica and its relatives), since the
 * viewer's font is unknown; the estimate is on the wide side. */
#ifndef LATHE_PLOTS_LAYOUT_H
#define LATHE_PLOTS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Width of a line of UTF-8. In the terminal a character is 1 whatever the size. */
double layout_text_width(const char *text, double font_px, bool terminal);

/* The length in bytes of the longest prefix of whole words that fits; at least one word, without
 * its trailing spaces. */
size_t layout_wrap(const char *text, double font_px, double width, bool terminal);

enum { LAYOUT_TICS = 32 };

struct scale {
    double low, high; /* data at the start and the end; low > high runs backwards */
    bool log;         /* then both > 0 */
    double start, end;
};
double scale_place(const struct scale *scale, double value);

struct tics {
    int n;
    double at[LAYOUT_TICS];
    char label[LAYOUT_TICS][24];
};

/* Round numbers inside the scale, about `want` of them, labelled with as many digits as tell them
 * apart. */
void layout_tics(const struct scale *scale, int want, struct tics *out);

/* Widens [low, high] to be drawn: empty ranges get a width, a linear one that starts close above 0
 * starts there, the others get 4 % of air. NaN on an empty range of data (low > high). */
void layout_pad(double *low, double *high, bool log);

struct box {
    double x0, x1, y0, y1;
};
double box_overlap(const struct box *a, const struct box *b); /* area */

/* What names must keep clear of. Weight: cost per area covered; 1 for lines and marks, less for
 * faint ones. */
struct obstacle {
    struct box box;
    double weight;
};

struct place {
    double x, y;          /* in: the point named */
    double width, height; /* in: of the text */
    double reach;         /* in: radius of the mark */
    struct box box;       /* out */
    bool leader;          /* out: far enough from its point to need a line to it */
    bool crowded;         /* out: no place was free of other names */
};

/* Places names one after another, each where it costs least: never outside `area`, not over names
 * placed before it, preferably over nothing and close to its point. O(n_places * (n_places +
 * n_obstacles)). Greedy, so the order matters: most important first. */
void layout_places(const struct box *area, const struct obstacle *obstacles, size_t n_obstacles,
                   bool terminal, struct place *places, size_t n_places);

/* Moves the centres y[i] of rows of the given height up and down until none overlap, as little as
 * possible, within low .. high. Any order; n <= 64. */
void layout_spread(double *y, size_t n, double height, double low, double high);

#endif
