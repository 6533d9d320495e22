#include "plots/page.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "plots/names.h"
#include "plots/sheet.h"

static void add_header(struct sheet *sheet)
{
    double line = sheet_line_height(sheet, sheet->text_px);
    double top = sheet->height + (sheet->terminal ? 0.5 : -sheet->margin * 0.7);
    top = sheet_paragraph(sheet, top, sheet->page->title, sheet->title_px, true, SHEET_INK);
    top = sheet_paragraph(sheet, top, sheet->page->subtitle, sheet->text_px, false, SHEET_PALE);
    if (!sheet->page->legend_by_panel)
        top = sheet_legend(sheet, sheet->margin, top - (sheet->terminal ? 0 : 4), 0,
                           sheet->page->n_panels, true);
    sheet->top = top - (sheet->terminal ? 0 : line * 0.25);

    int lines = sheet_count_lines(sheet, sheet->page->footnote, sheet->small_px);
    double foot = lines * sheet_line_height(sheet, sheet->small_px);
    double base = sheet->terminal ? 0 : sheet->margin * 0.6;
    sheet_paragraph(sheet, base + foot, sheet->page->footnote, sheet->small_px, false, SHEET_PALE);
    sheet->bottom = base + foot + (lines > 0 && !sheet->terminal ? line * 0.4 : 0);
}

static void range_of(const struct figure *figure, const struct plot_axis *axis, struct scale *scale)
{
    bool is_x = axis == &figure->x;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < figure->n_series; i++) {
        const struct series *series = &figure->series[i];
        for (size_t j = 0; j < series->n && series->style != SERIES_RULE; j++) {
            const struct datum *d = &series->data[j];
            low = fmin(low, is_x ? d->x : fmin(d->y, d->y_low));
            high = fmax(high, is_x ? d->x_high : fmax(d->y, d->y_high));
        }
    }
    if (axis->n_categories > 0) {
        low = is_x ? -0.5 : (double)axis->n_categories - 0.5;
        high = is_x ? (double)axis->n_categories - 0.5 : -0.5;
    } else {
        layout_pad(&low, &high, axis->log);
        if (!isnan(axis->min))
            low = axis->min;
        if (!isnan(axis->max))
            high = axis->max;
        if (!(low < high))
            high = axis->log ? low * 2 : low + 1;
    }
    *scale = (struct scale){.low = low, .high = high, .log = axis->log, .start = 0, .end = 1};
}

static double label_width(const struct sheet *sheet, const struct plot_axis *axis,
                          const struct tics *tics)
{
    double width = 0;
    for (size_t i = 0; i < axis->n_categories; i++)
        width = fmax(width, sheet_text_width(sheet, axis->categories[i], sheet->text_px));
    for (int i = 0; axis->n_categories == 0 && i < tics->n; i++)
        width = fmax(width, sheet_text_width(sheet, tics->label[i], sheet->small_px));
    return axis->hide_labels ? 0 : width;
}

static double gap_of(const struct sheet *sheet)
{
    return sheet->terminal ? 1 : 0.45 * sheet_line_height(sheet, sheet->text_px);
}

/* The room that titles, legend and axes take above and below each plot. */
static void measure(struct sheet *sheet, struct panel *panels)
{
    const struct page *page = sheet->page;
    double line = sheet_line_height(sheet, sheet->text_px);
    double row = sheet->terminal ? 1 : 1.1 * line;
    for (int p = 0; p < page->n_panels; p++) {
        struct panel *panel = &panels[p];
        const struct figure *figure = panel->figure = &page->panels[p];
        panel->index = p;
        range_of(figure, &figure->x, &panel->x);
        range_of(figure, &figure->y, &panel->y);
        panel->left = label_width(sheet, &figure->y, &panel->y_tics) + (sheet->terminal ? 2 : 12);
        panel->legend = page->legend_by_panel
                            ? -sheet_legend(sheet, sheet->margin + panel->left, 0, p, p + 1, false)
                            : 0;
        panel->above = (figure->title ? row : 0) + panel->legend + (figure->y.label ? row : 0) +
                       0.8 * gap_of(sheet);
        panel->below = (figure->x.hide_labels ? 0
                        : sheet->terminal     ? 1
                                              : 1.25 * line) +
                       (figure->x.label ? line : 0) + gap_of(sheet);
    }
}

static int panels_across(const struct page *page)
{
    return page->n_across < page->n_panels ? page->n_across : page->n_panels;
}

/* All plots are of one height. */
static void arrange_rows(const struct sheet *sheet, struct panel *panels)
{
    const struct page *page = sheet->page;
    int across = panels_across(page), n_rows = (page->n_panels + across - 1) / across;
    double room = sheet->top - sheet->bottom, top = sheet->top;
    for (int pass = 0; pass < 2; pass++) {
        double height = room / n_rows;
        for (int row = 0; row < n_rows; row++) {
            double above = 0, below = 0;
            int end = (row + 1) * across < page->n_panels ? (row + 1) * across : page->n_panels;
            for (int p = row * across; p < end; p++) {
                above = fmax(above, panels[p].above);
                below = fmax(below, panels[p].below);
            }
            if (pass == 0) {
                room -= above + below;
                continue;
            }
            for (int p = row * across; p < end; p++) {
                panels[p].y.end = top - above;
                panels[p].y.start = top - above - height;
                if (sheet->terminal) {
                    panels[p].y.end = floor(panels[p].y.end);
                    panels[p].y.start = ceil(panels[p].y.start);
                }
            }
            top -= above + height + below;
        }
    }
}

/* Plots in a row are of one width; plots in a column share both edges. */
static void arrange_columns(const struct sheet *sheet, struct panel *panels)
{
    const struct page *page = sheet->page;
    int across = panels_across(page);
    for (int p = 0; p < page->n_panels; p++) {
        struct panel *panel = &panels[p];
        const struct figure *figure = panel->figure;
        double height = panel->y.end - panel->y.start;
        int by_height = (int)fmax(2, height / (sheet->terminal ? 4 : 45));
        layout_tics(&panel->y, figure->y.n_tics > 0 ? figure->y.n_tics : by_height, &panel->y_tics);
        panel->left = label_width(sheet, &figure->y, &panel->y_tics) + (sheet->terminal ? 2 : 12);
        panel->right = sheet->terminal ? 2 : 16;
        for (size_t i = 0; i < figure->n_notes; i++) {
            if (names_is_beside(panel, &figure->notes[i]))
                panel->right = fmax(panel->right,
                                    sheet_text_width(sheet, figure->notes[i].text, sheet->text_px) +
                                        (sheet->terminal ? 2 : 14));
        }
    }
    for (int p = 0; across == 1 && p < page->n_panels; p++) {
        panels[0].left = fmax(panels[0].left, panels[p].left);
        panels[0].right = fmax(panels[0].right, panels[p].right);
    }
    double x = 0, each = 0;
    for (int p = 0; p < page->n_panels; p++) {
        struct panel *panel = &panels[p];
        if (across == 1) {
            panel->left = panels[0].left;
            panel->right = panels[0].right;
        }
        if (p % across == 0) {
            double room = sheet->width - 2 * sheet->margin;
            int end = p + across < page->n_panels ? p + across : page->n_panels;
            for (int q = p; q < end; q++)
                room -= panels[q].left + panels[q].right;
            x = sheet->margin;
            each = room / across;
        }
        panel->x.start = x + panel->left;
        panel->x.end = panel->x.start + each;
        x = panel->x.end + panel->right;
        layout_tics(&panel->x, (int)fmax(3, each / (sheet->terminal ? 9 : 62)), &panel->x_tics);
    }
}

static void add_axis(struct sheet *sheet, char name, const struct plot_axis *axis,
                     const struct scale *scale, const struct tics *tics)
{
    struct text *script = sheet->script;
    text_addf(script, "set %crange [%.10g:%.10g]\n", name, scale->low, scale->high);
    text_addf(script, axis->log ? "set logscale %c\n" : "unset logscale %c\n", name);
    text_addf(script, "set %ctics nomirror %s", name,
              axis->n_categories > 0 ? "scale 0" : "scale 0.4");
    if (!sheet->terminal)
        text_addf(script, " font ',%.4g' tc rgb '%s'",
                  axis->n_categories > 0 ? sheet->text_px : sheet->small_px, SHEET_INK);
    text_add(script, " (");
    int n = axis->n_categories > 0 ? (int)axis->n_categories : tics->n;
    for (int i = 0; i < n; i++) {
        text_add(script, i > 0 ? ", " : "");
        gnuplot_quote_tic(script, axis->hide_labels        ? ""
                                  : axis->n_categories > 0 ? axis->categories[i]
                                                           : tics->label[i]);
        text_addf(script, " %.10g", axis->n_categories > 0 ? (double)i : tics->at[i]);
    }
    text_add(script, ")\n");
    bool grid = !sheet->terminal && axis->n_categories == 0;
    text_addf(script, "set grid %s%ctics\n", grid ? "" : "no", name);
}

static void add_axes(struct sheet *sheet, const struct panel *panel)
{
    const struct figure *figure = panel->figure;
    double line = sheet_line_height(sheet, sheet->text_px);
    text_addf(sheet->script,
              "set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
              "set bmargin at screen %.5f\nset tmargin at screen %.5f\n",
              panel->x.start / sheet->width, panel->x.end / sheet->width,
              panel->y.start / sheet->height, panel->y.end / sheet->height);
    add_axis(sheet, 'x', &figure->x, &panel->x, &panel->x_tics);
    add_axis(sheet, 'y', &figure->y, &panel->y, &panel->y_tics);
    double left = panel->x.start - panel->left + (sheet->terminal ? 1 : 4);
    double row = sheet->terminal ? 1 : 1.1 * line;
    double y = panel->y.end + (sheet->terminal ? 1 : 0.9 * line);
    if (figure->y.label) {
        sheet_label(sheet, left, y, figure->y.label, strlen(figure->y.label), sheet->text_px, false,
                    SHEET_INK, "left");
        y += row;
    }
    if (panel->legend > 0) {
        sheet_legend(sheet, panel->x.start, y - row / 2 + panel->legend, panel->index,
                     panel->index + 1, true);
        y += panel->legend;
    }
    if (figure->title)
        sheet_label(sheet, figure->y.label ? left : panel->x.start, y, figure->title,
                    strlen(figure->title), sheet->text_px, true, SHEET_INK, "left");
    if (figure->x.label)
        sheet_label(sheet, (panel->x.start + panel->x.end) / 2,
                    panel->y.start - (figure->x.hide_labels ? 0.8
                                      : sheet->terminal     ? 2
                                                            : 2.1) *
                                         line,
                    figure->x.label, strlen(figure->x.label), sheet->text_px, false, SHEET_INK,
                    "center");
}

/* The terminal has no filled rectangles: rows of a letter stand for them. */
static void add_terminal_boxes(struct sheet *sheet, const struct panel *panel,
                               const struct series *series)
{
    for (size_t i = 0; i < series->n; i++) {
        const struct datum *d = &series->data[i];
        double x0 = round(scale_place(&panel->x, d->x)) + 1;
        double x1 = round(scale_place(&panel->x, d->x_high));
        double y0 = scale_place(&panel->y, d->y_low), y1 = scale_place(&panel->y, d->y_high);
        char glyphs[256];
        int n = (int)fmin(fmax(0, x1 - x0 + 1), sizeof glyphs - 1);
        int rows = (int)fmax(1, floor(fabs(y1 - y0)));
        memset(glyphs, sheet_glyph(series->colour), (size_t)n);
        double middle = floor((y0 + y1) / 2 + 0.5);
        int above = (rows - 1) / 2;
        for (int row = 0; n > 0 && row < rows; row++)
            sheet_label(sheet, x0, middle + row - above, glyphs, (size_t)n, 0, false, "", "left");
    }
}

static void add_data(struct sheet *sheet, const struct series *series, size_t number)
{
    struct text *script = sheet->script;
    text_addf(script, "$s%zu << EOD\n", number);
    for (size_t i = 0; i < series->n; i++) {
        const struct datum *d = &series->data[i];
        switch (series->style) {
        case SERIES_BOXES:
            text_addf(script, "%.8g %.8g %.8g %.8g\n", d->x, d->x_high, d->y_low, d->y_high);
            break;
        case SERIES_BAND:
            text_addf(script, "%.8g %.8g %.8g\n", d->x, d->y_low, d->y_high);
            break;
        case SERIES_ERRORS:
            text_addf(script, "%.8g %.8g %.8g %.8g\n", d->x, d->y, d->y_low, d->y_high);
            break;
        default:
            text_addf(script, "%.8g %.8g\n", d->x, d->y);
        }
    }
    text_add(script, "EOD\n");
}

static void add_plot_of(struct sheet *sheet, const struct series *series, size_t number)
{
    struct text *script = sheet->script;
    char look[96];
    switch (series->style) {
    case SERIES_BOXES:
        text_addf(script,
                  "$s%zu using 1:3:1:2:3:4 with boxxyerror fs solid 1 border lc rgb 'white' "
                  "fc rgb '%s'",
                  number, sheet_colour(series->colour));
        break;
    case SERIES_BAND:
        text_addf(script,
                  "$s%zu using 1:2:3 with filledcurves fs transparent solid 0.2 noborder "
                  "fc rgb '%s'",
                  number, sheet_colour(series->colour));
        break;
    case SERIES_ERRORS:
        text_addf(script, "$s%zu using 1:2:3:4 with yerrorbars", number);
        sheet_point_look(sheet, series);
        break;
    case SERIES_LINE:
    case SERIES_RULE:
    case SERIES_LINE_POINTS:
        sheet_line_look(series, look, sizeof look);
        text_addf(script, "$s%zu using 1:2 with lines %s", number, look);
        if (series->style != SERIES_LINE_POINTS)
            break;
        text_addf(script, " notitle, $s%zu using 1:2 with points", number);
        sheet_point_look(sheet, series);
        break;
    case SERIES_CLOUD:
        if (sheet->terminal) {
            text_addf(script, "$s%zu using 1:2 with dots", number);
            break;
        } /* fall through */
    case SERIES_POINTS:
        text_addf(script, "$s%zu using 1:2 with points", number);
        sheet_point_look(sheet, series);
        break;
    }
    text_add(script, " notitle");
}

static int depth_of(enum series_style style)
{
    switch (style) {
    case SERIES_CLOUD:
        return 0;
    case SERIES_BAND:
        return 1;
    case SERIES_RULE:
        return 2;
    case SERIES_BOXES:
        return 3;
    case SERIES_LINE:
    case SERIES_LINE_POINTS:
        return 4;
    default:
        return 5;
    }
}

static void add_plot(struct sheet *sheet, const struct panel *panel)
{
    const struct figure *figure = panel->figure;
    bool any = false;
    for (size_t i = 0; i < figure->n_series; i++) {
        if (figure->series[i].n == 0)
            continue;
        if (sheet->terminal && figure->series[i].style == SERIES_BOXES)
            add_terminal_boxes(sheet, panel, &figure->series[i]);
        else
            add_data(sheet, &figure->series[i], i);
    }
    text_add(sheet->script, "plot ");
    for (int depth = 0; depth < 6; depth++) {
        for (size_t i = 0; i < figure->n_series; i++) {
            const struct series *series = &figure->series[i];
            if (series->n == 0 || depth_of(series->style) != depth ||
                (sheet->terminal && series_is_area(series)))
                continue;
            text_add(sheet->script, any ? ", \\\n     " : "");
            add_plot_of(sheet, series, i);
            any = true;
        }
    }
    text_add(sheet->script, any ? "\n" : "NaN notitle\n");
}

static bool fits_axis(const struct plot_axis *axis, double low, double high)
{
    return isfinite(low) && isfinite(high) && (!axis->log || (low > 0 && high > 0));
}

static enum status check(const struct page *page, struct err *err)
{
    if (!page_is_whole(page))
        return err_set(err, STATUS_NOMEM, "cannot draw: out of memory or of series");
    for (int p = 0; p < page->n_panels; p++) {
        const struct figure *figure = &page->panels[p];
        size_t n = 0;
        for (size_t i = 0; i < figure->n_series; i++) {
            const struct series *series = &figure->series[i];
            n += series->style == SERIES_RULE ? 0 : series->n;
            for (size_t j = 0; j < series->n; j++) {
                const struct datum *d = &series->data[j];
                if (!fits_axis(&figure->x, d->x, d->x_high) || !fits_axis(&figure->y, d->y, d->y) ||
                    !fits_axis(&figure->y, d->y_low, d->y_high))
                    return err_set(err, STATUS_INPUT,
                                   "cannot draw '%s': (%g, %g) has no place on its axes",
                                   series->title ? series->title : "a series", d->x, d->y);
            }
        }
        if (n == 0)
            return err_set(err, STATUS_INPUT, "cannot draw '%s': there are no data to show",
                           figure->title ? figure->title
                           : page->title ? page->title
                                         : "figure");
    }
    return STATUS_OK;
}

enum status page_script(const struct page *page, enum plot_format format, struct text *script,
                        struct err *err)
{
    enum status status = check(page, err);
    if (status != STATUS_OK)
        return status;
    bool terminal = format == PLOT_TERMINAL;
    struct sheet sheet = {
        .page = page,
        .format = format,
        .terminal = terminal,
        .width = terminal ? page->columns - 1 : page->width,
        .height = terminal ? page->rows - 1 : page->height,
        .margin = terminal ? 0 : 16,
        .title_px = 16,
        .text_px = 12.5,
        .small_px = 11,
        .script = script,
    };
    struct panel *panels = memory_new((size_t)page->n_panels, sizeof *panels);
    if (!panels)
        return err_set(err, STATUS_NOMEM, "out of memory");

    gnuplot_add_terminal(script, format, terminal ? page->columns : page->width,
                         terminal ? page->rows : page->height);
    text_add(script,
             "unset key\nset border 3 lc rgb '" SHEET_AXIS "' lw 1\n"
             "set grid back lt 1 lc rgb '" SHEET_GRID "' lw 0.7 dt 1\nset errorbars small\n");
    if (page->n_panels > 1)
        text_add(script, "set multiplot\n");
    add_header(&sheet);
    measure(&sheet, panels);
    arrange_rows(&sheet, panels);
    arrange_columns(&sheet, panels);
    for (int p = 0; p < page->n_panels && status == STATUS_OK; p++) {
        if (p > 0)
            text_add(script, "unset label\nunset arrow\nunset object\n");
        add_axes(&sheet, &panels[p]);
        status = names_add(&sheet, &panels[p], err);
        add_plot(&sheet, &panels[p]);
    }
    if (page->n_panels > 1)
        text_add(script, "unset multiplot\n");
    memory_free(panels);
    if (status == STATUS_OK && script->failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    return status;
}

enum status page_draw(const struct page *page, const char *path, struct text *warnings,
                      struct err *err)
{
    struct text script = {0};
    enum plot_format format = PLOT_SVG;
    enum status status = plot_format_of(path, &format, err);
    if (status == STATUS_OK)
        status = page_script(page, format, &script, err);
    if (status == STATUS_OK)
        status = gnuplot_draw(script.data, path, warnings, err);
    text_release(&script);
    return status;
}
