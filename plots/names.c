#include "plots/names.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

bool names_is_beside(const struct panel *panel, const struct note *note)
{
    return note->place == NOTE_AT_END &&
           scale_place(&panel->x, note->x) >
               panel->x.start + 0.94 * (panel->x.end - panel->x.start);
}

static bool is_placed(const struct panel *panel, const struct note *note)
{
    return note->place != NOTE_AT_BAR && !names_is_beside(panel, note);
}

/* Everything drawn that a name should not cover. */ static enum status
gather_obstacles(const struct sheet *sheet, const struct panel *panel, struct obstacle **obstacles,
                 size_t *n, struct err *err)
{
    const struct figure *figure = panel->figure;
    size_t capacity = 0;
    double unit = sheet->terminal ? 1 : 8, area = sheet->terminal ? 64 : 1;
    void *array = NULL;
    for (size_t i = 0; i < figure->n_series; i++) {
        const struct series *series = &figure->series[i];
        double size = series->style == SERIES_CLOUD ? 0.2 : series_has_line(series) ? 0.35 : 0.55;
        double weight = area * (series->style == SERIES_CLOUD  ? 0.02
                                : series->style == SERIES_RULE ? 0.15
                                                               : 0.6);
        double half = unit * size;
        for (size_t j = 0; j < series->n && series->style != SERIES_BAND; j++) {
            const struct datum *d = &series->data[j];
            double x = scale_place(&panel->x, d->x), y = scale_place(&panel->y, d->y);
            double x_low = x, y_low = y, steps = 1;
            if (series_has_line(series) && j > 0) {
                x_low = scale_place(&panel->x, d[-1].x);
                y_low = scale_place(&panel->y, d[-1].y);
                steps = fmin(400, ceil(fmax(1, fmax(fabs(x - x_low), fabs(y - y_low)) / unit)));
            }
            enum status status =
                memory_grow(&array, &capacity, *n + (size_t)steps, sizeof **obstacles, err);
            *obstacles = array;
            if (status != STATUS_OK)
                return status;
            for (int k = 1; k <= (int)steps; k++) {
                double px = x_low + (x - x_low) * k / steps, py = y_low + (y - y_low) * k / steps;
                struct box box = {px - half, px + half, py - half, py + half};
                if (series->style == SERIES_BOXES) {
                    double a = scale_place(&panel->y, d->y_low);
                    double b = scale_place(&panel->y, d->y_high);
                    box =
                        (struct box){x, scale_place(&panel->x, d->x_high), fmin(a, b), fmax(a, b)};
                }
                (*obstacles)[(*n)++] = (struct obstacle){box, weight};
            }
        }
    }
    return STATUS_OK;
}

/* Names of lines that end at the right edge stand beside the plot, in the lines' order. */
static void add_names_beside(struct sheet *sheet, const struct panel *panel)
{
    enum { MOST = 64 };
    const struct note *notes[MOST];
    double y[MOST];
    size_t n = 0;
    for (size_t i = 0; i < panel->figure->n_notes && n < MOST; i++) {
        const struct note *note = &panel->figure->notes[i];
        if (!names_is_beside(panel, note))
            continue;
        y[n] = scale_place(&panel->y, note->y);
        notes[n++] = note;
    }
    layout_spread(y, n, sheet_line_height(sheet, sheet->text_px) * (sheet->terminal ? 1 : 0.95),
                  panel->y.start, panel->y.end + sheet_line_height(sheet, sheet->text_px) / 2);
    for (size_t i = 0; i < n; i++)
        sheet_label(sheet, panel->x.end + (sheet->terminal ? 1 : 8), y[i], notes[i]->text,
                    strlen(notes[i]->text), sheet->text_px, false,
                    sheet_text_colour(notes[i]->colour), "left");
}

static void add_values_of_bars(struct sheet *sheet, const struct panel *panel)
{
    for (size_t i = 0; i < panel->figure->n_notes; i++) {
        const struct note *note = &panel->figure->notes[i];
        if (note->place == NOTE_AT_BAR)
            sheet_label(sheet, scale_place(&panel->x, note->x) + (sheet->terminal ? 2 : 5),
                        scale_place(&panel->y, note->y), note->text, strlen(note->text),
                        sheet->small_px, false, SHEET_INK, "left");
    }
}

static void add_note(struct sheet *sheet, const struct note *note, const struct place *place)
{
    if (place->leader && !sheet->terminal) {
        double x = fmin(fmax(place->x, place->box.x0), place->box.x1);
        double y = fmin(fmax(place->y, place->box.y0 + 2), place->box.y1 - 2);
        double length = hypot(place->x - x, place->y - y);
        double cut = length > 0 ? (length - place->reach) / length : 0;
        if (cut > 0)
            sheet_segment(sheet, x, y, x + (place->x - x) * cut, y + (place->y - y) * cut,
                          "lw 0.6 lc rgb '#9A9A9A'");
    }
    sheet_label(sheet, (place->box.x0 + place->box.x1) / 2, (place->box.y0 + place->box.y1) / 2,
                note->text, strlen(note->text), sheet->small_px, false,
                sheet_text_colour(note->colour), "center");
}

enum status names_add(struct sheet *sheet, const struct panel *panel, struct err *err)
{
    const struct figure *figure = panel->figure;
    struct obstacle *obstacles = NULL;
    size_t n_obstacles = 0, n = 0;
    add_names_beside(sheet, panel);
    add_values_of_bars(sheet, panel);
    struct place *places = memory_new(figure->n_notes, sizeof *places);
    enum status status = places ? gather_obstacles(sheet, panel, &obstacles, &n_obstacles, err)
                                : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    for (size_t i = 0; i < figure->n_notes; i++) {
        const struct note *note = &figure->notes[i];
        if (!is_placed(panel, note))
            continue;
        places[n++] = (struct place){
            .x = scale_place(&panel->x, note->x),
            .y = scale_place(&panel->y, note->y),
            .width = sheet_text_width(sheet, note->text, sheet->small_px),
            .height = sheet->terminal ? 0.9 : 1.15 * sheet->small_px,
            .reach = sheet->terminal ? 0.5 : 4,
        };
    }
    struct box area = {panel->x.start + 2, panel->x.end + panel->right - 2, panel->y.start + 2,
                       panel->y.end + (sheet->terminal ? 0 : 4)};
    if (sheet->terminal)
        area = (struct box){panel->x.start + 1, panel->x.end, panel->y.start + 0.5, panel->y.end};
    layout_places(&area, obstacles, n_obstacles, sheet->terminal, places, n);
    n = 0;
    for (size_t i = 0; i < figure->n_notes; i++) {
        if (is_placed(panel, &figure->notes[i]))
            add_note(sheet, &figure->notes[i], &places[n++]);
    }
out:
    memory_free(places);
    memory_free(obstacles);
    return status;
}
