#include "cli/candidate_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/interval.h"

void candidate_to_row(const struct candidate *candidate, double interval_frac,
                      struct candidate_row *out)
{
    const struct schedule *schedule = &candidate->schedule;
    const struct price *price = &candidate->price;
    *out = (struct candidate_row){
        .run_id = ROW_UNKNOWN,
        .id = candidate->id,
        .n_layers = schedule->n_layers,
        .n_layers_effective = schedule_executions(schedule),
        .sharing = sharing_name(schedule->sharing),
        .repeats = schedule->repeats,
        .share_ffn = schedule->share_ffn,
        .d_model = candidate->d_model,
        .n_heads = candidate->n_heads,
        .n_kv_heads = candidate->n_kv_heads,
        .d_head = candidate->d_head,
        .d_ff = candidate->d_ff,
        .vocab_size = candidate->vocab_size,
        .tie_embeddings = candidate->tie_embeddings,
        .ffn_kind = ffn_kind_name(candidate->ffn),
        .dtype = dtype_name(candidate->dtype),
        .head_dtype = dtype_name(candidate->dtype),
        .kv_dtype = dtype_name(candidate->kv_dtype),
        .params = candidate->params,
        .params_embedding = candidate->params_embedding,
        .params_blocks = candidate->params_blocks,
        .weight_bytes = candidate->weight_bytes,
        .kv_bytes_per_token = candidate->kv_bytes_per_token,
        .load_ns = price->load_ns,
        .init_ns = price->init_ns,
        .prefill_ns = price->prefill_ns,
        .ttft_cold_ns = price->ttft_cold_ns,
        .decode_ns = price->decode_ns,
        .decode_ns_low = interval_low(price->decode_ns, interval_frac),
        .decode_ns_high = interval_high(price->decode_ns, interval_frac),
        .decode_tok_s = 1e9 / price->decode_ns,
        .energy_pj_per_token = price->energy_pj_per_token,
        .peak_bytes = price->peak_bytes,
        .fits_app_share = price->fits_app_share,
        .flop_per_token = candidate->flop_per_token,
        .on_front = 0,
    };
}

enum status row_to_transformer(const struct candidate_row *row, int64_t max_context,
                               struct transformer *out, struct err *err)
{
    struct candidate candidate = {
        .id = row->id,
        .d_model = row->d_model,
        .d_head = row->d_head,
        .n_heads = row->n_heads,
        .n_kv_heads = row->n_kv_heads,
        .d_ff = row->d_ff,
        .vocab_size = row->vocab_size,
        .schedule = {.n_layers = row->n_layers,
                     .repeats = row->repeats,
                     .share_ffn = row->share_ffn == 1},
        .tie_embeddings = row->tie_embeddings == 1,
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
