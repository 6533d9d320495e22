#include "plots/figure.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"

enum status page_init(struct page *page, int n_panels, int n_across, struct err *err)
{
    assert(n_panels >= 1 && n_across >= 1);
    *page = (struct page){
        .width = 800, .height = 500, .columns = 100, .rows = 32, .n_across = n_across};
    page->panels = memory_new((size_t)n_panels, sizeof *page->panels);
    if (!page->panels)
        return err_set(err, STATUS_NOMEM, "out of memory");
    page->n_panels = n_panels;
    for (int i = 0; i < n_panels; i++) {
        struct figure *figure = &page->panels[i];
        figure->x.min = figure->x.max = figure->y.min = figure->y.max = NAN;
    }
    return STATUS_OK;
}

static void axis_release(struct plot_axis *axis)
{
    for (size_t i = 0; i < axis->n_categories; i++)
        memory_free(axis->categories[i]);
    memory_free(axis->categories);
    memory_free(axis->label);
}

static void figure_release(struct figure *figure)
{
    for (size_t i = 0; i < figure->n_series; i++) {
        memory_free(figure->series[i].title);
        memory_free(figure->series[i].data);
    }
    for (size_t i = 0; i < figure->n_notes; i++)
        memory_free(figure->notes[i].text);
    memory_free(figure->notes);
    memory_free(figure->title);
    axis_release(&figure->x);
    axis_release(&figure->y);
}

void page_release(struct page *page)
{
    for (int i = 0; i < page->n_panels; i++)
        figure_release(&page->panels[i]);
    memory_free(page->panels);
    memory_free(page->title);
    memory_free(page->subtitle);
    memory_free(page->footnote);
    *page = (struct page){0};
}

static void replace(char **slot, const char *text, bool *failed)
{
    memory_free(*slot);
    *slot = text ? memory_strdup(text) : NULL;
    if (text && !*slot)
        *failed = true;
}

void page_texts(struct page *page, const char *title, const char *subtitle, const char *footnote)
{
    replace(&page->title, title, &page->failed);
    replace(&page->subtitle, subtitle, &page->failed);
    replace(&page->footnote, footnote, &page->failed);
}

void figure_title(struct figure *figure, const char *title)
{
    replace(&figure->title, title, &figure->failed);
}

void figure_axis(struct figure *figure, struct plot_axis *axis, const char *label, bool log)
{
    replace(&axis->label, label, &figure->failed);
    axis->log = log;
}

void figure_category(struct figure *figure, struct plot_axis *axis, const char *name)
{
    size_t capacity = axis->n_categories;
    void *array = axis->categories;
    char *copy = memory_strdup(name);
    if (!copy || memory_grow(&array, &capacity, axis->n_categories + 1, sizeof *axis->categories,
                             NULL) != STATUS_OK) {
        memory_free(copy);
        figure->failed = true;
        return;
    }
    axis->categories = array;
    axis->categories[axis->n_categories++] = copy;
}

struct series *figure_series(struct figure *figure, enum series_style style, const char *title,
                             int colour)
{
    if (figure->failed || figure->n_series == FIGURE_SERIES) {
        figure->failed = true;
        return NULL;
    }
    struct series *series = &figure->series[figure->n_series++];
    *series = (struct series){.style = style, .colour = colour};
    replace(&series->title, title, &series->failed);
    return series;
}

static void add(struct series *series, struct datum datum)
{
    if (!series || series->failed)
        return;
    void *array = series->data;
    if (memory_grow(&array, &series->capacity, series->n + 1, sizeof *series->data, NULL) !=
        STATUS_OK) {
        series->failed = true;
        return;
    }
    series->data = array;
    series->data[series->n++] = datum;
}

void series_add(struct series *series, double x, double y)
{
    add(series, (struct datum){.x = x, .y = y, .x_high = x, .y_low = y, .y_high = y});
}

void series_add_range(struct series *series, double x, double y, double y_low, double y_high)
{
    add(series, (struct datum){.x = x, .y = y, .x_high = x, .y_low = y_low, .y_high = y_high});
}

void series_add_box(struct series *series, double x, double x_high, double y_low, double y_high)
{
    double middle = y_low + (y_high - y_low) / 2;
    add(series,
        (struct datum){.x = x, .y = middle, .x_high = x_high, .y_low = y_low, .y_high = y_high});
}

static void note(struct figure *figure, struct note note, const char *text)
{
    void *array = figure->notes;
    note.text = memory_strdup(text);
    if (!note.text || memory_grow(&array, &figure->notes_capacity, figure->n_notes + 1,
                                  sizeof *figure->notes, NULL) != STATUS_OK) {
        memory_free(note.text);
        figure->failed = true;
        return;
    }
    figure->notes = array;
    figure->notes[figure->n_notes++] = note;
}

void figure_note(struct figure *figure, double x, double y, const char *text, int colour)
{
    note(figure, (struct note){.x = x, .y = y, .colour = colour}, text);
}

void figure_note_at_end(struct figure *figure, double x, double y, const char *text, int colour)
{
    note(figure, (struct note){.x = x, .y = y, .colour = colour, .place = NOTE_AT_END}, text);
}

void figure_note_at_bar(struct figure *figure, double x, double y, const char *text)
{
    note(figure, (struct note){.x = x, .y = y, .colour = COLOUR_BLACK, .place = NOTE_AT_BAR}, text);
}

bool page_is_whole(const struct page *page)
{
    if (page->failed)
        return false;
    for (int i = 0; i < page->n_panels; i++) {
        const struct figure *figure = &page->panels[i];
        if (figure->failed)
            return false;
        for (size_t j = 0; j < figure->n_series; j++) {
            if (figure->series[j].failed)
                return false;
        }
    }
    return true;
}
