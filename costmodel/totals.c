#include "costmodel/totals.h"

#include "device/interval.h"

enum { BYTES_F32 = 4 };

void count_stored(const struct transformer *net, struct counted *out)
{
    transformer_stored(net, &out->params, &out->bytes);
    out->kv_row_bytes = stack_is_uniform(&net->stack)
                            ? transformer_kv_bytes_per_token(net) / transformer_executions(net)
                            : 0;
}

int64_t lookup_table_bytes(const struct transformer *net)
{
    if (net->tie_embeddings)
        return 0; /* the head has read it */
    return dtype_matrix_bytes(dtype_for_row(net->embedding_dtype, net->d_embed), net->vocab_size,
                              net->d_embed);
}

int64_t live_activation_bytes(const struct transformer *net, int64_t n_tokens)
{
    int64_t widest = 0;
    for (int64_t i = 0; i < (stack_is_uniform(&net->stack) ? 1 : net->schedule.n_layers); i++) {
        const struct block *b = transformer_block(net, i);
        int64_t attention = 2 * (b->n_heads + b->n_kv_heads) * b->d_head;
        int64_t ffn = 2 * b->d_ff;
        int64_t wide = attention > ffn ? attention : ffn;
        widest = wide > widest ? wide : widest;
    }
    return (n_tokens * (2 * net->d_model + widest) + net->vocab_size) * BYTES_F32;
}

double pass_energy_pj(const struct machine *machine, const struct pass *pass)
{
    double sum = pass->flop * machine->energy_pj_per_flop +
                 pass->activation_bytes * machine->levels[0].energy_pj_per_byte;
    for (int level = 0; level < machine->n_levels; level++) {
        if (pass->level_bytes[level] > 0)
            sum += pass->level_bytes[level] * machine->levels[level].energy_pj_per_byte;
    }
    return sum;
}

void price_set_decode(const struct machine *machine, double ns, struct price *out)
{
    double frac = interval_frac(machine);
    out->decode_ns = ns;
    out->decode_ns_low = interval_low(ns, frac);
    out->decode_ns_high = interval_high(ns, frac);
    out->decode_tok_s = 1e9 / ns;
}

void price_of_passes(const struct transformer *net, const struct machine *machine,
                     const struct workload *workload, const struct counted *counted,
                     const struct pass *prefill, const struct pass *decode, int64_t live_bytes,
                     struct price *out)
{
    int64_t bytes = counted->bytes.total;
    double executions = (double)transformer_executions(net);
    double distinct = (double)net->schedule.n_layers;
    int64_t held =
        workload->prompt > workload->context + 1 ? workload->prompt : workload->context + 1;
    out->load_ns = machine->load_fixed_ns + (double)bytes / machine->load_gbps +
                   executions * machine->load_layer_ns;
    out->init_ns =
        machine->init_fixed_ns + (machine->init_gbps > 0 ? (double)bytes / machine->init_gbps : 0) +
        executions * machine->init_layer_ns + distinct * distinct * machine->init_block_sq_ns;
    out->prefill_ns = prefill->ns;
    price_set_decode(machine, decode->ns, out);
    out->ttft_cold_ns = out->load_ns + out->init_ns + out->prefill_ns;
    out->energy_pj_per_token = pass_energy_pj(machine, decode);
    out->energy_rule_pj_per_token = 0.1e12 * (double)counted->params.total / 1e9;
    out->peak_bytes = bytes + transformer_kv_bytes(net, held) + live_bytes;
    out->beyond_timings = prefill->beyond_timings || decode->beyond_timings;
    out->fits_app_share = out->peak_bytes <= machine->app_share_bytes;
}
