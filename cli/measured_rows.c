#include "cli/measured_rows.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "cli/model_source.h"

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
    out->dtype = dtype_name(net->block_dtype);
    out->head_dtype = dtype_name(net->head_dtype);
    out->kv_dtype = dtype_name(net->kv_dtype);
    out->n_layers = net->schedule.n_layers;
    out->n_layers_effective = schedule_executions(&net->schedule);
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
    row_clear(TABLE_MEASUREMENT, row);
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
    out->read_gbps = measure_read_gbps(m, thread);
    out->decode_gbps = measure_decode_gbps(m, net, model, thread, context);
}

enum status measured_rows_make(const struct measure_plan *plan,
                               const struct measurement *measurement, struct measured_rows *out,
                               struct err *err)
{
    size_t capacity = plan->n_models * (size_t)plan->n_threads * plan->n_prompts * plan->n_contexts;
    *out = (struct measured_rows){.loads_are_cold = measurement->loads_are_cold};
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

static void time_columns(struct listing *listing, const char *title, const char *key,
                         const char *key_mad, const char *key_n, const char *unit)
{
    listing_column(listing, title, key, LISTING_TIME, unit);
    listing_column(listing, NULL, key_mad, LISTING_TIME, NULL);
    listing_column(listing, NULL, key_n, LISTING_INTEGER, NULL);
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

static void add_columns(bool with_phases, struct listing *l)
{
    listing_column(l, "model", "model", LISTING_TEXT, NULL);
    listing_column(l, NULL, "device", LISTING_TEXT, NULL);
    listing_column(l, "type", "dtype", LISTING_TEXT, NULL);
    listing_column(l, NULL, "head_dtype", LISTING_TEXT, NULL);
    listing_column(l, NULL, "kv_dtype", LISTING_TEXT, NULL);
    listing_column(l, "threads", "threads", LISTING_INTEGER, NULL);
    listing_column(l, "prompt", "prompt", LISTING_INTEGER, NULL);
    listing_column(l, "context", "context", LISTING_INTEGER, NULL);
    listing_column(l, "weights", "cache_state", LISTING_TEXT, NULL);
    time_columns(l, "load", "load_ns", "load_ns_mad", "load_ns_n", NULL);
    listing_column(l, NULL, "load_cold", LISTING_BOOL, NULL);
    time_columns(l, "init", "init_ns", "init_ns_mad", "init_ns_n", NULL);
    time_columns(l, "prefill", "prefill_ns", "prefill_ns_mad", "prefill_ns_n", NULL);
    time_columns(l, "cold TTFT", "ttft_cold_ns", "ttft_cold_ns_mad", "ttft_cold_ns_n", NULL);
    time_columns(l, "decode", "decode_ns", "decode_ns_mad", "decode_ns_n", "/token");
    listing_column(l, "speed", "decode_tok_s", LISTING_NUMBER, "tok/s");
    listing_column(l, "noise", "noise_frac", LISTING_FRAC, NULL);
    listing_column(l, NULL, "energy_pj_per_token", LISTING_ENERGY, NULL);
    listing_column(l, "memory", "peak_bytes", LISTING_BYTES, NULL);
    listing_column(l, "read", "read_gbps", LISTING_NUMBER, "GB/s");
    listing_column(l, "of it", "decode_read_frac", LISTING_FRAC, NULL);
    listing_column(l, NULL, "decode_gbps", LISTING_NUMBER, NULL);
    listing_column(l, NULL, "sentinel_before_gbps", LISTING_NUMBER, NULL);
    listing_column(l, NULL, "sentinel_after_gbps", LISTING_NUMBER, NULL);
    listing_column(l, NULL, "steal_frac", LISTING_FRAC, NULL);
    for (int p = 0; p < N_RUNNER_PHASES && with_phases; p++)
        listing_column(l, NULL, phase_keys[p], LISTING_TIME, NULL);
}

static void add_time(struct listing *l, double median, double mad, int64_t n)
{
    listing_number(l, median);
    listing_number(l, mad);
    listing_int(l, n);
}

static void add_row(const struct measured_item *item, bool loads_are_cold, bool with_phases,
                    struct listing *l)
{
    const struct measurement_row *row = &item->row;
    listing_text(l, row->subject.model);
    listing_text(l, row->subject.device);
    listing_text(l, row->subject.dtype);
    listing_text(l, row->subject.head_dtype);
    listing_text(l, row->subject.kv_dtype);
    listing_int(l, row->subject.threads);
    listing_int(l, row->subject.prompt);
    listing_int(l, row->subject.context);
    listing_text(l, row->cache_state);
    add_time(l, row->load_ns, row->load_ns_mad, row->load_ns_n);
    if (row->load_ns_n > 0)
        listing_int(l, loads_are_cold);
    else
        listing_number(l, NAN);
    add_time(l, row->init_ns, row->init_ns_mad, row->init_ns_n);
    add_time(l, row->prefill_ns, row->prefill_ns_mad, row->prefill_ns_n);
    add_time(l, row->ttft_cold_ns, row->ttft_cold_ns_mad, row->ttft_cold_ns_n);
    add_time(l, row->decode_ns, row->decode_ns_mad, row->decode_ns_n);
    listing_number(l, row->decode_tok_s);
    listing_number(l, row->noise_frac);
    listing_number(l, row->energy_pj_per_token);
    listing_int(l, row->peak_bytes);
    listing_number(l, item->read_gbps);
    listing_number(l, item->decode_gbps / item->read_gbps);
    listing_number(l, item->decode_gbps);
    listing_number(l, row->sentinel_before_gbps);
    listing_number(l, row->sentinel_after_gbps);
    listing_number(l, row->steal_frac);
    for (int p = 0; p < N_RUNNER_PHASES && with_phases; p++)
        listing_number(l, item->phases[p]);
}

void measured_rows_list(const struct measured_rows *rows, bool with_phases, struct listing *listing)
{
    add_columns(with_phases, listing);
    for (size_t i = 0; i < rows->n; i++)
        add_row(&rows->items[i], rows->loads_are_cold, with_phases, listing);
}

enum status measured_rows_print_phases(const struct measured_rows *rows, FILE *stream,
                                       struct err *err)
{
    struct listing listing = {0};
    listing_column(&listing, "model", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "threads", NULL, LISTING_INTEGER, NULL);
    listing_column(&listing, "context", NULL, LISTING_INTEGER, NULL);
    for (int p = 0; p < N_RUNNER_PHASES; p++)
        listing_column(&listing, runner_phase_name((enum runner_phase)p), NULL, LISTING_TIME, NULL);
    for (size_t i = 0; i < rows->n; i++) {
        const struct subject *subject = &rows->items[i].row.subject;
        if (subject->prompt != rows->items[0].row.subject.prompt)
            continue; /* decode does not know prompts */
        listing_text(&listing, subject->model);
        listing_int(&listing, subject->threads);
        listing_int(&listing, subject->context);
        for (int p = 0; p < N_RUNNER_PHASES; p++)
            listing_number(&listing, rows->items[i].phases[p]);
    }
    fprintf(stream, "\none decoded token\n\n");
    enum status status = listing_print(&listing, stream, err);
    listing_release(&listing);
    return status;
}
