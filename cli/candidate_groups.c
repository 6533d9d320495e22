#include "cli/candidate_groups.h"

#include <stdio.h>
#include <string.h>

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

/* A front of nothing but decode and loss, as the run's row has the objectives. */
static bool trades_decode_for_loss(const char *objectives)
{
    static const char *const known[] = {"decode_", "loss_delta_nats", "accuracy_points"};
    for (const char *item = objectives; item != NULL;) {
        bool is_known = false;
        if (strncmp(item, "min:", 4) == 0 || strncmp(item, "max:", 4) == 0)
            item += 4;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || strncmp(item, known[i], strlen(known[i])) == 0;
        if (!is_known)
            return false;
        item = strchr(item, ',');
        item = item != NULL ? item + 1 : NULL;
    }
    return objectives != NULL;
}

static enum status open_setting(struct store *store, int64_t run_id, struct loss_setting *out,
                                bool *trades, struct err *err)
{
    struct rows runs = {0};
    enum status status = read_run(store, run_id, &runs, err);
    if (status == STATUS_OK) {
        const struct run_row *run = runs.data;
        *trades = trades_decode_for_loss(run->objectives);
        status = loss_setting_of_run(store, run, out, err);
    }
    rows_release(&runs);
    return status;
}

static void place(const struct loss_setting *setting, const struct alike_row *alike, size_t n,
                  bool leave_out, struct candidate_groups *out)
{
    for (size_t i = 0; i < n; i++)
        out->outdone_by[i] = ALIKE_NONE;
    if (leave_out)
        out->n_outdone = alike_outdone(setting->law, alike, n, out->outdone_by);
    out->n_groups = alike_group(setting->law, alike, n, out->outdone_by, out->places);
}

enum status candidate_groups_make(struct store *store, const struct rows *rows, bool is_front,
                                  struct candidate_groups *out, struct err *err)
{
    const struct candidate_row *row = rows->data;
    struct loss_setting setting = {.law = NULL};
    bool trades = false;
    struct alike_row *alike = memory_new(rows->n, sizeof *alike);
    *out = (struct candidate_groups){
        .places = memory_new(rows->n, sizeof *out->places),
        .outdone_by = memory_new(rows->n, sizeof *out->outdone_by),
    };
    enum status status = STATUS_OK;
    if (alike == NULL || out->places == NULL || out->outdone_by == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK && rows->n > 0)
        status = open_setting(store, row[0].run_id, &setting, &trades, err);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
        status = to_alike(&setting, &row[i], &alike[i], err);
    if (status == STATUS_OK)
        place(&setting, alike, rows->n, is_front && trades, out);
    loss_setting_release(&setting);
    memory_free(alike);
    return status;
}

void candidate_groups_release(struct candidate_groups *groups)
{
    memory_free(groups->places);
    memory_free(groups->outdone_by);
    groups->places = NULL;
    groups->outdone_by = NULL;
}

char *candidate_groups_text(const struct candidate_groups *groups, const struct rows *rows,
                            size_t i, char *buffer, size_t size)
{
    const struct candidate_row *row = rows->data;
    long long n = 0, low = INT64_MAX, high = 0;
    for (size_t k = i + 1; k < rows->n; k++) {
        if (groups->places[k].first != i)
            continue;
        low = row[k].n_layers < low ? row[k].n_layers : low;
        high = row[k].n_layers > high ? row[k].n_layers : high;
        n++;
    }
    buffer[0] = '\0';
    if (n > 0 && low < high)
        snprintf(buffer, size, "+%lld, %lld to %lld layers", n, low, high);
    else if (n > 0)
        snprintf(buffer, size, "+%lld, %lld layers", n, low);
    return buffer;
}
