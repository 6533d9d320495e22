#include "plots/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const palette[N_COLOURS] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                               "#E69F00", "#56B4E9", "#222222", "#F0E442"};
static const char *const palette_of_text[N_COLOURS] = {"#00588A", "#A84A00", "#00694D", "#94426F",
                                                       "#8A5F00", "#2B6E9B", "#222222", "#7A7000"};

const char *sheet_colour(int colour)
{
    return colour < 0 ? "#9A9A9A" : palette[colour % N_COLOURS];
}

const char *sheet_text_colour(int colour)
{
    return colour < 0 ? SHEET_PALE : palette_of_text[colour % N_COLOURS];
}

static int shape_of(const struct series *series)
{
    static const int filled[N_COLOURS] = {7, 5, 9, 13, 11, 15, 7, 5};
    int colour = series->colour < 0 ? 6 : series->colour;
    bool hollow = series->hollow != ((colour / N_COLOURS) % 2 == 1);
    return filled[colour % N_COLOURS] - (hollow ? 1 : 0);
}

static const char *dash_of(int colour)
{
    static const char *const dashes[N_COLOURS] = {"1",     "(12,4)",         "(3,3)", "(12,3,3,3)",
                                                  "(7,3)", "(16,3,3,3,3,3)", "1",     "(5,5)"};
    return colour < 0 ? "(4,4)" : dashes[colour % N_COLOURS];
}

char sheet_glyph(int colour)
{
    return colour < 0 ? '.' : "#=o:+x@-"[colour % N_COLOURS];
}

bool series_has_line(const struct series *series)
{
    return series->style == SERIES_LINE || series->style == SERIES_LINE_POINTS ||
           series->style == SERIES_RULE;
}

static bool has_points(const struct series *series)
{
    return series->style == SERIES_POINTS || series->style == SERIES_LINE_POINTS ||
           series->style == SERIES_CLOUD || series->style == SERIES_ERRORS;
}

bool series_is_area(const struct series *series)
{
    return series->style == SERIES_BOXES || series->style == SERIES_BAND;
}

double sheet_line_height(const struct sheet *sheet, double font_px)
{
    return sheet->terminal ? 1 : 1.35 * font_px;
}

double sheet_text_width(const struct sheet *sheet, const char *text, double font_px)
{
    return layout_text_width(text, font_px, sheet->terminal);
}

static void add_at(struct sheet *sheet, double x, double y)
{
    text_addf(sheet->script, "screen %.5f, screen %.5f", x / sheet->width, y / sheet->height);
}

/* y is the middle of the line. align: "left" "right" "center". */
void sheet_label(struct sheet *sheet, double x, double y, const char *text, size_t length,
                 double font_px, bool bold, const char *colour, const char *align)
{
    char line[512];
    snprintf(line, sizeof line, "%.*s", (int)length, text);
    text_add(sheet->script, "set label ");
    gnuplot_quote(sheet->script, line);
    text_add(sheet->script, " at ");
    add_at(sheet, x, y);
    text_addf(sheet->script, " %s front", align);
    if (!sheet->terminal) {
        /* The SVG terminal has no bold; it takes the family of the terminal when none is named. */
        bool has_bold = sheet->format != PLOT_SVG;
        text_addf(sheet->script, " font '%s,%.4g' tc rgb '%s'",
                  !has_bold ? ""
                  : bold    ? "Helvetica:Bold"
                            : "Helvetica",
                  bold && !has_bold ? font_px * 1.12 : font_px, colour);
    }
    text_add(sheet->script, "\n");
}

void sheet_segment(struct sheet *sheet, double x0, double y0, double x1, double y1,
                   const char *style)
{
    if (sheet
            ->terminal) { /* gnuplot rounds the ends of lines down, places of text to the nearest */
        y0 += 0.25;
        y1 += 0.25;
    }
    text_add(sheet->script, "set arrow from ");
    add_at(sheet, x0, y0);
    text_add(sheet->script, " to ");
    add_at(sheet, x1, y1);
    text_addf(sheet->script, " nohead front %s\n", style);
}

/* Wrapped lines downwards from `top`; returns the lower edge. */
double sheet_paragraph(struct sheet *sheet, double top, const char *text, double font_px, bool bold,
                       const char *colour)
{
    double height = sheet_line_height(sheet, font_px), room = sheet->width - 2 * sheet->margin;
    while (text && *text) {
        size_t length = layout_wrap(text, font_px, room, sheet->terminal);
        sheet_label(sheet, sheet->margin, top - height / 2, text, length, font_px, bold, colour,
                    "left");
        top -= height;
        text += length;
        text += strspn(text, " ");
    }
    return top;
}

int sheet_count_lines(const struct sheet *sheet, const char *text, double font_px)
{
    int n = 0;
    while (text && *text) {
        text += layout_wrap(text, font_px, sheet->width - 2 * sheet->margin, sheet->terminal);
        text += strspn(text, " ");
        n++;
    }
    return n;
}

void sheet_point_look(struct sheet *sheet, const struct series *series)
{
    bool cloud = series->style == SERIES_CLOUD;
    text_addf(sheet->script, " pt %d ps %.3g lw 1 lc rgb '%s'",
              sheet->terminal ? (series->colour < 0 ? 24 : series->colour + 1) : shape_of(series),
              cloud                       ? 0.25
              : sheet->format == PLOT_SVG ? 0.64
                                          : 0.8,
              cloud ? SHEET_CLOUD : sheet_colour(series->colour));
}

void sheet_line_look(const struct series *series, char *out, size_t size)
{
    bool rule = series->style == SERIES_RULE;
    snprintf(out, size, "lt %d lc rgb '%s' lw %s dt %s",
             series->colour < 0 ? 1 : series->colour % 7 + 1, sheet_colour(series->colour),
             rule ? "1" : "2", dash_of(series->colour));
}

static void add_swatch(struct sheet *sheet, const struct series *series, double x, double y,
                       double width)
{
    char look[96];
    if (series_is_area(series)) {
        if (sheet->terminal) {
            char glyphs[] = {sheet_glyph(series->colour), sheet_glyph(series->colour), 0};
            sheet_label(sheet, x, y, glyphs, 2, 0, false, "", "left");
            return;
        }
        text_add(sheet->script, "set object rect from ");
        add_at(sheet, x + 1, y - 6);
        text_add(sheet->script, " to ");
        add_at(sheet, x + 13, y + 6);
        text_addf(sheet->script, " fc rgb '%s' fs solid %s noborder front\n",
                  sheet_colour(series->colour), series->style == SERIES_BAND ? "0.25" : "1");
        return;
    }
    if (series_has_line(series)) {
        sheet_line_look(series, look, sizeof look);
        sheet_segment(sheet, x, y, x + width - (sheet->terminal ? 1 : 0), y, look);
    }
    if (series->style == SERIES_ERRORS && !sheet->terminal) {
        snprintf(look, sizeof look, "lc rgb '%s' lw 1", sheet_colour(series->colour));
        sheet_segment(sheet, x + width / 2, y - 7, x + width / 2, y + 7, look);
    }
    if (has_points(series)) {
        text_add(sheet->script, "set label '' at ");
        add_at(sheet, x + (sheet->terminal ? 1 : width / 2), y);
        text_add(sheet->script, " front point");
        sheet_point_look(sheet, series);
        text_add(sheet->script, "\n");
    }
}

static bool is_repeated(const struct page *page, int first, int panel, size_t index)
{
    const char *title = page->panels[panel].series[index].title;
    for (int p = first; p <= panel; p++) {
        size_t n = p == panel ? index : page->panels[p].n_series;
        for (size_t i = 0; i < n; i++) {
            const struct series *other = &page->panels[p].series[i];
            if (other->n > 0 && other->title && strcmp(other->title, title) == 0)
                return true;
        }
    }
    return false;
}

double sheet_legend(struct sheet *sheet, double left, double top, int first, int end, bool draw)
{
    const struct page *page = sheet->page;
    double line = sheet->terminal ? 1 : 20, x = left;
    bool any = false;
    for (int p = first; p < end; p++) {
        for (size_t i = 0; i < page->panels[p].n_series; i++) {
            const struct series *series = &page->panels[p].series[i];
            if (!series->title || series->n == 0 || is_repeated(page, first, p, i))
                continue;
            double swatch = sheet->terminal ? 3 : series_is_area(series) ? 14 : 24;
            double lead = sheet->terminal ? 1 : 6, gap = sheet->terminal ? 2 : 14;
            double width = swatch + lead + sheet_text_width(sheet, series->title, sheet->text_px);
            if (any && x + width > sheet->width - sheet->margin) {
                x = left;
                top -= line;
            }
            if (draw) {
                add_swatch(sheet, series, x, top - line / 2, swatch);
                sheet_label(sheet, x + swatch + lead, top - line / 2, series->title,
                            strlen(series->title), sheet->text_px, false, SHEET_INK, "left");
            }
            x += width + gap;
            any = true;
        }
    }
    return any ? top - line : top;
}
