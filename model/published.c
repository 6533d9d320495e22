#include "model/published.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/preset.h"

const char *const published_tasks[N_PUBLISHED_TASKS] = {
    "arc_e", "arc_c", "boolq", "piqa", "siqa", "hellaswag", "obqa", "winogrande"};

static enum status read_row(const struct csv *csv, int row, const char *table,
                            const struct preset_list *presets, struct published_accuracy *out,
                            struct err *err)
{
    int model = 0, average = 0, source = 0, task = 0;
    enum status status = STATUS_OK;
    if ((status = csv_column(csv, "model", &model, err)) ||
        (status = csv_column(csv, "avg", &average, err)) ||
        (status = csv_column(csv, "source", &source, err)) ||
        (status = csv_number(csv, row, average, 0, 100, &out->average, err)))
        return status;
    for (int i = 0; i < N_PUBLISHED_TASKS; i++) {
        if ((status = csv_column(csv, published_tasks[i], &task, err)) ||
            (status = csv_number(csv, row, task, 0, 100, &out->accuracy[i], err)))
            return status;
    }
    const char *title = csv_text(csv, row, model);
    const struct preset *preset = preset_by_title(presets, title);
    if (!preset)
        return csv_error(csv, row, model, err, "no preset has the title '%s'", title);
    snprintf(out->model, sizeof out->model, "%s", title);
    snprintf(out->preset, sizeof out->preset, "%s", preset->name);
    snprintf(out->table, sizeof out->table, "%s", table);
    snprintf(out->source, sizeof out->source, "%s", csv_text(csv, row, source));
    return STATUS_OK;
}

static enum status read_table(const char *table, const struct preset_list *presets,
                              struct published_list *list, size_t *capacity, struct err *err)
{
    char relative[64], path[4096];
    struct csv *csv = NULL;
    snprintf(relative, sizeof relative, "published/accuracy_%s.csv", table);
    enum status status = file_data_path(relative, path, sizeof path, err);
    if (status == STATUS_OK)
        status = csv_open(path, &csv, err);
    for (int row = 0; status == STATUS_OK && row < csv_n_rows(csv); row++) {
        void *items = list->items;
        status = memory_grow(&items, capacity, list->n + 1, sizeof *list->items, err);
        list->items = items;
        if (status == STATUS_OK)
            status = read_row(csv, row, table, presets, &list->items[list->n++], err);
    }
    csv_close(csv);
    return status;
}

enum status published_open(struct published_list *out, struct err *err)
{
    struct preset_list presets = {0};
    struct published_list list = {0};
    size_t capacity = 0;
    enum status status = preset_list_open(&presets, err);
    if (status == STATUS_OK)
        status = read_table("table3", &presets, &list, &capacity, err);
    if (status == STATUS_OK)
        status = read_table("table8", &presets, &list, &capacity, err);
    preset_list_release(&presets);
    if (status == STATUS_OK)
        *out = list;
    else
        published_release(&list);
    return status;
}

void published_release(struct published_list *list)
{
    memory_free(list->items);
    *list = (struct published_list){0};
}

double published_average(const struct published_list *list, const char *preset)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].preset, preset) == 0)
            return list->items[i].average;
    }
    return NAN;
}
