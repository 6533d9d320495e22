#include "quality/published_fit.h"

#include <math.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "quality/law_fit.h"
#include "quality/splits.h"

enum { PATH = 4096 + 16 };

static enum status take_sources(const struct csv *csv, struct quality_law *law, struct err *err)
{
    int recipe, source;
    enum status status = csv_column(csv, "recipe", &recipe, err);
    if (status != STATUS_OK)
        return status;
    status = csv_column(csv, "source", &source, err);
    if (status != STATUS_OK)
        return status;
    for (int row = 0; row < csv_n_rows(csv); row++) {
        int i = quality_find_recipe(law, csv_text(csv, row, recipe));
        if (i >= 0)
            snprintf(law->recipes[i].source, sizeof law->recipes[i].source, "%.230s",
                     csv_text(csv, row, source));
    }
    return STATUS_OK;
}

static enum status read_sources(const char *folder, struct quality_law *law, struct err *err)
{
    char path[PATH];
    struct csv *csv = NULL;
    snprintf(path, sizeof path, "%s/sources.csv", folder);
    if (!file_exists(path))
        return STATUS_OK;
    enum status status = csv_open(path, &csv, err);
    if (status == STATUS_OK)
        status = take_sources(csv, law, err);
    csv_close(csv);
    return status;
}

static enum status read_stacks(const char *folder, struct quality_law *law, struct err *err)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/llmforge.csv", folder);
    if (!file_exists(path))
        return STATUS_OK;
    enum status status = layer_score_fit(path, &law->layer_score, err);
    law->has_layer_score = status == STATUS_OK;
    return status;
}

enum status quality_judge_kept_back(const struct quality_runs *runs, struct quality_law *law,
                                    struct err *err)
{
    struct quality_marks marks = {.error_frac = (double)NAN, .cover_frac = (double)NAN};
    bool *kept = memory_new(runs->n, sizeof *kept);
    size_t n = 0;
    if (kept == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    quality_kept_back(runs, kept);
    for (size_t i = 0; i < runs->n; i++)
        n += kept[i] ? 1 : 0;
    enum status status =
        n > 0 && n < runs->n ? quality_judge(runs, law->form, kept, kept, &marks, err) : STATUS_OK;
    law->held_out_error_frac = marks.error_frac;
    law->held_out_cover_frac = marks.cover_frac;
    memory_free(kept);
    return status;
}

static enum status fit_and_judge(const char *folder, const struct quality_runs *runs,
                                 struct quality_law *law, struct err *err)
{
    enum status status = quality_fit(runs->items, NULL, runs->n, NULL, law, err);
    if (status != STATUS_OK)
        return status;
    status = read_sources(folder, law, err);
    if (status != STATUS_OK)
        return status;
    status = quality_judge_kept_back(runs, law, err);
    if (status != STATUS_OK)
        return status;
    return read_stacks(folder, law, err);
}

enum status quality_fit_folder(const char *folder, struct quality_law *law, struct text *notes,
                               struct err *err)
{
    struct quality_runs runs = {0};
    *law = (struct quality_law){.form = &quality_floors, .name = "lathe's law of loss"};
    quality_constants_default(&law->constants);
    enum status status = quality_runs_read_folder(folder, &runs, notes, err);
    if (status == STATUS_OK)
        status = fit_and_judge(folder, &runs, law, err);
    quality_runs_release(&runs);
    return status;
}
