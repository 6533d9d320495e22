#include "cli/candidate_rows.h"

#include <stdio.h>
#include <string.h>

enum status row_to_transformer(const struct candidate_row *row, int64_t max_context,
                               struct transformer *out, struct err *err)
{
    struct candidate candidate = {
        .row = *row,
        .schedule = {.n_layers = row->n_layers,
                     .repeats = row->repeats,
                     .share_ffn = row->share_ffn == 1},
        .max_context = max_context,
    };
    enum status status = sharing_parse(row->sharing, &candidate.schedule.sharing, err);
    if (status == STATUS_OK)
        status = dtype_parse(row->dtype, &candidate.dtype, err);
    if (status == STATUS_OK)
        status = dtype_parse(row->kv_dtype, &candidate.kv_dtype, err);
    if (status == STATUS_OK)
        status = ffn_kind_parse(row->ffn_kind, &candidate.ffn, err);
    if (status != STATUS_OK)
        return err_prefix(err, STATUS_INPUT, "candidate %lld:%lld: ", (long long)row->run_id,
                          (long long)row->id);
    char shape[sizeof out->name];
    if ((status = candidate_transformer(&candidate, out, err)))
        return status;
    memcpy(shape, out->name, sizeof shape);
    snprintf(out->name, sizeof out->name, "%lld:%lld %.60s-%s", (long long)row->run_id,
             (long long)row->id, shape, dtype_name(candidate.dtype));
    return transformer_check(out, err);
}
