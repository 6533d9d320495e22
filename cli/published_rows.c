#include "cli/published_rows.h"

#include <stdio.h>

#include "base/memory.h"
#include "model/preset.h"
#include "model/published.h"

enum { ROWS_PER_MODEL = N_PUBLISHED_TASKS + 1, CONDITIONS_SIZE = 32 };

static size_t list_accuracies(const struct published_list *list,
                              char (*conditions)[CONDITIONS_SIZE], struct published_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const struct published_accuracy *at = &list->items[i];
        snprintf(conditions[i], CONDITIONS_SIZE, "zero-shot, %s", at->table);
        for (int t = 0; t < ROWS_PER_MODEL; t++) {
            struct published_row *row = &rows[n++];
            row_clear(TABLE_PUBLISHED, row);
            row->model = at->preset;
            row->metric = t < N_PUBLISHED_TASKS ? published_tasks[t] : "avg";
            row->value = t < N_PUBLISHED_TASKS ? at->accuracy[t] : at->average;
            row->unit = "percent";
            row->conditions = conditions[i];
            row->source = at->source;
        }
    }
    return n;
}

static size_t list_sizes(const struct preset_list *presets, struct published_row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < presets->n; i++) {
        const struct preset *preset = &presets->items[i];
        if (preset->published_params == 0)
            continue;
        struct published_row *row = &rows[n++];
        row_clear(TABLE_PUBLISHED, row);
        row->model = preset->name;
        row->metric = "params";
        row->value = (double)preset->published_params;
        row->unit = "parameters";
        row->source = preset->source;
    }
    return n;
}

enum status published_store(struct store *store, struct err *err)
{
    struct preset_list presets = {0};
    struct published_list accuracies = {0};
    struct published_row *rows = NULL;
    char(*conditions)[CONDITIONS_SIZE] = NULL;
    enum status status = preset_list_open(&presets, err);
    if (status == STATUS_OK)
        status = published_open(&accuracies, err);
    if (status != STATUS_OK)
        goto out;
    rows = memory_new(accuracies.n * ROWS_PER_MODEL + presets.n, sizeof *rows);
    conditions = memory_new(accuracies.n, sizeof *conditions);
    if (!rows || !conditions) {
        status = err_set(err, STATUS_NOMEM, "out of memory for the published figures");
        goto out;
    }
    size_t n = list_accuracies(&accuracies, conditions, rows);
    n += list_sizes(&presets, rows + n);
    status = store_put_published(store, rows, n, err);
out:
    memory_free(conditions);
    memory_free(rows);
    published_release(&accuracies);
    preset_list_release(&presets);
    return status;
}
