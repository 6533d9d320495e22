#include "cli/candidate_rows.h"

#include <stdio.h>
#include <string.h>

#include "model/stack_json.h"

enum status row_to_candidate(const struct candidate_row *row, int64_t max_context,
                             struct candidate *out, struct err *err)
{
    *out = (struct candidate){
        .row = *row,
        .schedule = {.n_layers = row->n_layers,
                     .repeats = row->repeats == UNKNOWN_INT ? 1 : row->repeats,
                     .share_ffn = row->share_ffn == 1},
        .max_context = max_context,
    };
    enum status status = sharing_parse(row->sharing, &out->schedule.sharing, err);
    if (status == STATUS_OK)
        status = weight_type_parse(row->dtype, &out->dtype, err);
    if (status == STATUS_OK)
        status = dtype_parse(row->kv_dtype, &out->kv_dtype, err);
    if (status == STATUS_OK)
        status = ffn_kind_parse(row->ffn_kind, &out->ffn, err);
    if (status != STATUS_OK)
        return err_prefix(err, STATUS_INPUT, "candidate %lld:%lld: ", (long long)row->run_id,
                          (long long)row->id);
    return STATUS_OK;
}

enum status row_to_transformer(const struct candidate_row *row, int64_t max_context,
                               struct transformer *out, struct err *err)
{
    struct candidate candidate;
    struct stack stack = {.others = NULL};
    char shape[sizeof out->name], name[64];
    snprintf(name, sizeof name, "candidate %lld:%lld", (long long)row->run_id, (long long)row->id);
    enum status status = row_to_candidate(row, max_context, &candidate, err);
    if (status == STATUS_OK && row->layers != NULL) {
        status = stack_parse(name, row->layers, row->n_layers, &stack, err);
        candidate.stack = &stack;
    }
    if (status == STATUS_OK) {
        status = candidate_transformer(&candidate, out, err);
        stack_release(&stack);
    }
    if (status != STATUS_OK)
        return status;
    memcpy(shape, out->name, sizeof shape);
    snprintf(out->name, sizeof out->name, "%lld:%lld %.60s-%s", (long long)row->run_id,
             (long long)row->id, shape, dtype_name(candidate.dtype));
    return transformer_check(out, err);
}
