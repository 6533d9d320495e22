#include "cli/measured_rows.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "cli/model_source.h"
#include "model/count.h"

void describe_subject(const struct transformer *net, struct subject *out)
{
    const struct block *block = typical_block(net);
    struct param_count count;
    struct weight_bytes bytes;
    transformer_count(net, &count);
    transformer_weight_bytes(net, &bytes);
    out->model = net->name;
    out->device = "this-machine";
    out->runtime = "lathe";
    out->dtype = transformer_dtype_name(net);
    out->head_dtype = dtype_name(net->head_dtype);
    out->kv_dtype = dtype_name(net->kv_dtype);
    out->n_layers = net->schedule.n_layers;
    out->n_layers_effective = transformer_executions(net);
    out->sharing = sharing_name(net->schedule.sharing);
    out->d_model = net->d_model;
    out->n_heads = block->n_heads;
    out->n_kv_heads = block->n_kv_heads;
    out->d_head = block->d_head;
    out->d_ff = block->d_ff;
    out->vocab_size = net->vocab_size;
    out->tie_embeddings = net->tie_embeddings;
    out->params = count.total;
    out->params_blocks = count.blocks;
    out->weight_bytes = bytes.total;
    out->kv_bytes_per_token = transformer_kv_bytes_per_token(net);
}

#define TAKE(row, field, time) \
    do { \
        struct measured_time taken = (time); \
        (row)->field = taken.median_ns; \
        (row)->field##_mad = taken.mad_ns; \
        (row)->field##_n = taken.n; \
    } while (0)

static void make_item(const struct measure_plan *plan, const struct measurement *m, size_t model,
                      int thread, int64_t prompt, int64_t context, struct measured_item *out)
{
    const struct transformer *net = plan->models[model].net;
    struct measurement_row *row = &out->row;
    record_clear(&measurement_fields, row);
    describe_subject(net, &row->subject);
    row->subject.threads = plan->threads[thread];
    row->subject.prompt = prompt;
    row->subject.context = context;
    TAKE(row, load_ns, measure_time(m, MEASURE_LOAD, model, 0, 0));
    TAKE(row, init_ns, measure_time(m, MEASURE_INIT, model, thread, 0));
    TAKE(row, prefill_ns, measure_time(m, MEASURE_PREFILL, model, thread, prompt));
    TAKE(row, ttft_cold_ns, measure_ttft_cold(m, model, thread, prompt));
    TAKE(row, decode_ns, measure_time(m, MEASURE_DECODE, model, thread, context));
    row->decode_tok_s = 1e9 / row->decode_ns;
    row->peak_bytes = measure_peak_bytes(m, model, thread);
    row->cache_state = plan->is_cold ? "cold" : "warm";
    row->noise_frac = measure_noise(measure_time(m, MEASURE_DECODE, model, thread, context));
    row->steal_frac = m->steal_frac;
    row->sentinel_before_gbps = m->before_gbps[thread];
    row->sentinel_after_gbps = m->after_gbps[thread];
    row->version = version_number();
    row->compiler = version_compiler();
    row->flags = version_flags();
    row->source_commit = version_commit();
    measure_phases(m, MEASURE_DECODE, model, thread, context, out->phases);
    out->load_cold = row->load_ns_n > 0 ? m->loads_are_cold : UNKNOWN_INT;
    out->read_gbps = measure_read_gbps(m, thread);
    out->decode_gbps = measure_decode_gbps(m, net, model, thread, context);
    out->decode_read_frac = out->decode_gbps / out->read_gbps;
}

enum status measured_rows_make(const struct measure_plan *plan,
                               const struct measurement *measurement, struct measured_rows *out,
                               struct err *err)
{
    size_t capacity = plan->n_models * (size_t)plan->n_threads * plan->n_prompts * plan->n_contexts;
    *out = (struct measured_rows){0};
    out->items = memory_new(capacity, sizeof *out->items);
    if (out->items == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu rows", capacity);
    clock_now_iso(out->measured_at, sizeof out->measured_at);
    for (int t = 0; t < plan->n_threads; t++)
        for (size_t p = 0; p < plan->n_prompts; p++)
            for (size_t c = 0; c < plan->n_contexts; c++)
                for (size_t m = 0; m < plan->n_models; m++) {
                    struct measured_item *item = &out->items[out->n];
                    make_item(plan, measurement, m, t, plan->prompts[p], plan->contexts[c], item);
                    item->row.measured_at = out->measured_at;
                    out->n += item->row.decode_ns_n > 0 || item->row.prefill_ns_n > 0;
                }
    return STATUS_OK;
}

void measured_rows_release(struct measured_rows *rows)
{
    memory_free(rows->items);
    *rows = (struct measured_rows){0};
}

/* Keys are literals because a listing borrows them. */
static const char *const phase_keys[N_RUNNER_PHASES] = {
    [RUN_EMBED] = "decode_embed_ns",
    [RUN_QKV] = "decode_qkv_ns",
    [RUN_ATTENTION] = "decode_attention_ns",
    [RUN_O] = "decode_o_ns",
    [RUN_UP] = "decode_up_ns",
    [RUN_DOWN] = "decode_down_ns",
    [RUN_HEAD] = "decode_head_ns",
};

static void add_phases(struct listing *listing, bool as_keys)
{
    for (int p = 0; p < N_RUNNER_PHASES; p++) {
        struct field field = LISTED_KEY(measured_item, phases[0], UNIT_NS);
        field.name = phase_keys[p];
        field.title = runner_phase_name((enum runner_phase)p);
        field.places = as_keys ? IN_JSON : IN_TABLE;
        field.offset += (size_t)p * sizeof(double);
        listing_field(listing, &field);
    }
}

enum { BOTH = IN_TABLE | IN_JSON };

/* A time with its spread and count. */
static void pick_time(struct listing *l, const char *name, const char *name_mad, const char *name_n,
                      unsigned places)
{
    listing_pick(l, &measurement_fields, name, BOTH | places);
    listing_pick(l, &measurement_fields, name_mad, IN_JSON);
    listing_pick(l, &measurement_fields, name_n, IN_JSON);
}

/* The fields of a measurement in the order of reading, and what is not stored. */
static void add_fields(bool with_phases, struct listing *l)
{
    static const struct field load_cold = LISTED_KEY(measured_item, load_cold, UNIT_BOOL);
    static const struct field read[] = {
        LISTED(measured_item, read_gbps, UNIT_GBPS, "read"),
        LISTED(measured_item, decode_read_frac, UNIT_FRAC, "of it"),
        LISTED_KEY(measured_item, decode_gbps, UNIT_GBPS),
    };
    const struct fields *of = &measurement_fields;
    listing_pick(l, of, "model", BOTH);
    listing_pick(l, of, "device", IN_JSON);
    listing_pick(l, of, "dtype", BOTH);
    listing_pick(l, of, "head_dtype", IN_JSON);
    listing_pick(l, of, "kv_dtype", IN_JSON);
    listing_pick(l, of, "threads", BOTH);
    listing_pick(l, of, "prompt", BOTH);
    listing_pick(l, of, "context", BOTH);
    listing_pick(l, of, "cache_state", BOTH);
    pick_time(l, "load_ns", "load_ns_mad", "load_ns_n", 0);
    listing_field(l, &load_cold);
    pick_time(l, "init_ns", "init_ns_mad", "init_ns_n", 0);
    pick_time(l, "prefill_ns", "prefill_ns_mad", "prefill_ns_n", 0);
    pick_time(l, "ttft_cold_ns", "ttft_cold_ns_mad", "ttft_cold_ns_n", 0);
    pick_time(l, "decode_ns", "decode_ns_mad", "decode_ns_n", OF_A_TOKEN);
    listing_pick(l, of, "decode_tok_s", BOTH);
    listing_pick(l, of, "noise_frac", BOTH);
    listing_pick(l, of, "energy_pj_per_token", IN_JSON);
    listing_pick(l, of, "peak_bytes", BOTH);
    LISTING_FIELDS(l, read);
    listing_pick(l, of, "sentinel_before_gbps", IN_JSON);
    listing_pick(l, of, "sentinel_after_gbps", IN_JSON);
    listing_pick(l, of, "steal_frac", IN_JSON);
    if (with_phases)
        add_phases(l, true);
}

void measured_rows_list(const struct measured_rows *rows, bool with_phases, struct listing *listing)
{
    add_fields(with_phases, listing);
    for (size_t i = 0; i < rows->n; i++)
        listing_add(listing, &rows->items[i]);
}

enum status measured_rows_print_phases(const struct measured_rows *rows, FILE *stream,
                                       struct err *err)
{
    struct listing listing = {0};
    listing_pick(&listing, &measurement_fields, "model", IN_TABLE);
    listing_pick(&listing, &measurement_fields, "threads", IN_TABLE);
    listing_pick(&listing, &measurement_fields, "context", IN_TABLE);
    add_phases(&listing, false);
    for (size_t i = 0; i < rows->n; i++)
        if (rows->items[i].row.subject.prompt == rows->items[0].row.subject.prompt)
            listing_add(&listing, &rows->items[i]); /* decode does not know prompts */
    fprintf(stream, "\none decoded token\n\n");
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}
