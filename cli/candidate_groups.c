#include "cli/candidate_groups.h"

#include <stdio.h>

#include "base/memory.h"
#include "cli/candidate_rows.h"
#include "cli/loss_setting.h"
#include "cli/setting.h"

static enum status to_alike(const struct loss_setting *setting, const struct candidate_row *row,
                            struct alike_row *out, struct err *err)
{
    struct candidate candidate;
    struct quality_shape shape;
    *out = (struct alike_row){.decode_ns_low = row->price.decode_ns_low,
                              .decode_ns_high = row->price.decode_ns_high};
    if (setting->law == NULL)
        return STATUS_OK;
    enum status status = row_to_candidate(row, 0, &candidate, err);
    if (status != STATUS_OK)
        return status;
    out->has_loss = candidate_shape(&candidate, &shape);
    if (!out->has_loss)
        return STATUS_OK;
    out->vocab = shape.vocab;
    quality_predict(setting->law, setting->recipe, &shape, (double)setting->tokens, &out->loss);
    return STATUS_OK;
}

static enum status open_setting(struct store *store, int64_t run_id, struct loss_setting *out,
                                struct err *err)
{
    struct rows runs = {0};
    enum status status = read_run(store, run_id, &runs, err);
    if (status == STATUS_OK)
        status = loss_setting_of_run(store, runs.data, out, err);
    rows_release(&runs);
    return status;
}

enum status candidate_groups_make(struct store *store, const struct rows *rows,
                                  struct candidate_groups *out, struct err *err)
{
    const struct candidate_row *row = rows->data;
    struct loss_setting setting = {.law = NULL};
    struct alike_row *alike = memory_new(rows->n, sizeof *alike);
    out->places = memory_new(rows->n, sizeof *out->places);
    out->n_groups = 0;
    enum status status = STATUS_OK;
    if (alike == NULL || out->places == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK && rows->n > 0)
        status = open_setting(store, row[0].run_id, &setting, err);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
        status = to_alike(&setting, &row[i], &alike[i], err);
    if (status == STATUS_OK)
        out->n_groups = alike_group(setting.law, alike, rows->n, out->places);
    loss_setting_release(&setting);
    memory_free(alike);
    return status;
}

void candidate_groups_release(struct candidate_groups *groups)
{
    memory_free(groups->places);
    groups->places = NULL;
}

char *candidate_groups_text(const struct candidate_groups *groups, const struct rows *rows,
                            size_t i, char *buffer, size_t size)
{
    const struct candidate_row *row = rows->data;
    long long n = 0, low = row[i].n_layers, high = low;
    for (size_t k = i; k < rows->n && groups->places[k].first == i; k++, n++) {
        low = row[k].n_layers < low ? row[k].n_layers : low;
        high = row[k].n_layers > high ? row[k].n_layers : high;
    }
    buffer[0] = '\0';
    if (n > 1 && low < high)
        snprintf(buffer, size, "%lld rows, %lld to %lld layers", n, low, high);
    else if (n > 1)
        snprintf(buffer, size, "%lld rows, %lld layers", n, low);
    return buffer;
}
