#include "runtime/runner.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "model/tensors.h"
#include "runtime/decode.h"
#include "runtime/pages.h"
#include "runtime/prefill.h"

enum { DEFAULT_BATCH = 512, ALIGN = 64 };

static const char *const phase_names[N_RUNNER_PHASES] = {
    [RUN_EMBED] = "embed", [RUN_QKV] = "qkv",   [RUN_ATTENTION] = "attention", [RUN_O] = "o",
    [RUN_UP] = "up",       [RUN_DOWN] = "down", [RUN_HEAD] = "head",
};

const char *runner_phase_name(enum runner_phase phase)
{
    assert(phase < N_RUNNER_PHASES);
    return phase_names[phase];
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Widest sizes over all blocks. */
struct widths {
    int64_t heads, kv, d_ff, d_head, n_heads, any;
};

static struct widths measure_widths(const struct transformer *net)
{
    struct widths w = {.any = max64(net->d_model, net->d_embed)};
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *b = transformer_block(net, i);
        w.heads = max64(w.heads, b->n_heads * b->d_head);
        w.kv = max64(w.kv, b->n_kv_heads * b->d_head);
        w.d_ff = max64(w.d_ff, b->d_ff);
        w.d_head = max64(w.d_head, b->d_head);
        w.n_heads = max64(w.n_heads, b->n_heads);
    }
    w.any = max64(w.any, max64(w.heads, w.d_ff));
    return w;
}

static enum status need_kernel(const struct kernel **out, enum kernel_op op, enum dtype dtype,
                               unsigned isa, struct err *err)
{
    *out = kernel_find(op, dtype, isa);
    if (*out)
        return STATUS_OK;
    return err_set(err, STATUS_UNSUPPORTED, "there is no %s kernel for %s", kernel_op_name(op),
                   dtype_name(dtype));
}

static enum status find_kernels(struct runner *r, struct err *err)
{
    const struct transformer *net = r->net;
    unsigned isa = r->options.isa;
    enum status status = STATUS_OK;
    bool used[N_DTYPES] = {false};
    transformer_types(net, used);
    for (int i = 0; i < N_DTYPES && !status; i++) {
        enum dtype type = (enum dtype)i;
        if (used[i] && !(status = need_kernel(&r->matvec[i], KERNEL_MATVEC, type, isa, err)) &&
            !(status = need_kernel(&r->matmul[i], KERNEL_MATMUL, type, isa, err)))
            status = need_kernel(&r->embed[i], KERNEL_EMBED, type, isa, err);
    }
    enum kernel_op act = net->ffn == FFN_SWIGLU                          ? KERNEL_SILU
                         : net->ffn == FFN_RELU || net->ffn == FFN_RELU2 ? KERNEL_RELU
                                                                         : KERNEL_GELU;
    enum kernel_op norm = net->norm == NORM_RMS ? KERNEL_RMS_NORM : KERNEL_LAYER_NORM;
    if (status ||
        (status = need_kernel(&r->attention, KERNEL_ATTENTION, net->kv_dtype, isa, err)) ||
        (status = need_kernel(&r->store, KERNEL_STORE, net->kv_dtype, isa, err)) ||
        (status = need_kernel(&r->norm, norm, DTYPE_F32, isa, err)) ||
        (status = need_kernel(&r->rms_norm, KERNEL_RMS_NORM, DTYPE_F32, isa, err)) ||
        (status = need_kernel(&r->rope, KERNEL_ROPE, DTYPE_F32, isa, err)) ||
        (status = need_kernel(&r->activation, act, DTYPE_F32, isa, err)) ||
        (status = need_kernel(&r->add, KERNEL_ADD, DTYPE_F32, isa, err)))
        return status;
    return need_kernel(&r->argmax, KERNEL_ARGMAX, DTYPE_F32, isa, err);
}

static enum status check_options(const struct transformer *net,
                                 const struct runner_options *options, struct err *err)
{
    if (options->n_threads < 1 || options->n_threads > 1024)
        return err_set(err, STATUS_RANGE, "threads must be 1 to 1024, not %d", options->n_threads);
    if (options->max_context < 1 || options->max_context > net->max_context)
        return err_set(err, STATUS_RANGE,
                       "a context of %" PRId64 " tokens: '%s' was made for 1 to %" PRId64,
                       options->max_context, net->name, net->max_context);
    const struct block *first = transformer_block(net, 0);
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        const struct block *b = transformer_block(net, i);
        if (b->d_head > ATTENTION_MAX_HEAD)
            return err_set(err, STATUS_UNSUPPORTED, "heads of %" PRId64 ": kernels take up to %d",
                           b->d_head, ATTENTION_MAX_HEAD);
        if (net->position == POSITION_ROPE && b->mixer == MIXER_ATTENTION &&
            first->mixer == MIXER_ATTENTION && b->d_head != first->d_head)
            return err_set(err, STATUS_UNSUPPORTED,
                           "rotary positions with heads of different width (%" PRId64
                           " and %" PRId64 ")",
                           first->d_head, b->d_head);
    }
    return STATUS_OK;
}

/* Hands out pieces of one block of memory; the first time it only adds up. */
struct arena {
    char *base;
    int64_t used;
};

static void *take(struct arena *arena, int64_t count, int64_t size)
{
    char *at = arena->base ? arena->base + arena->used : NULL;
    arena->used += (count * size + ALIGN - 1) / ALIGN * ALIGN;
    return at;
}

static void take_all(struct runner *r, const struct widths *w, struct arena *arena)
{
    const struct transformer *net = r->net;
    int64_t batch = r->options.max_batch, context = r->options.max_context;
    int64_t n = transformer_executions(net), f = (int64_t)sizeof(float);
    int64_t scratch = kernel_scratch_bytes(r->attention, w->d_head);
    for (int t = 0; t < N_DTYPES; t++) {
        if (r->matmul[t]) {
            scratch = max64(scratch, threaded_scratch_bytes(r->matmul[t], r->widest));
            r->token_bytes =
                max64(r->token_bytes, max64(kernel_prepared_bytes(r->matmul[t], r->widest),
                                            kernel_prepared_bytes(r->matvec[t], r->widest)));
        }
    }
    r->cosine = take(arena, context * (r->d_rotary / 2), f);
    r->sine = take(arena, context * (r->d_rotary / 2), f);
    r->alibi = take(arena, w->n_heads, f);
    r->x = take(arena, batch * r->widest, f);
    r->normed = take(arena, batch * r->widest, f);
    r->prepared = take(arena, batch, r->token_bytes);
    r->q = take(arena, batch * w->heads, f);
    r->k = take(arena, batch * w->kv, f);
    r->v = take(arena, batch * w->kv, f);
    r->attended = take(arena, batch * w->heads, f);
    r->y = take(arena, batch * r->widest, f);
    r->branch = take(arena, batch * net->d_model, f);
    r->gate = take(arena, batch * w->d_ff, f);
    r->up = take(arena, batch * w->d_ff, f);
    r->logits = take(arena, net->vocab_size, f);
    r->lanes = take(arena, r->options.n_threads, (int64_t)sizeof *r->lanes);
    for (int t = 0; t < r->options.n_threads; t++) {
        struct lane lane = {take(arena, r->widest, f), take(arena, 1, r->token_bytes),
                            take(arena, 1, scratch), take(arena, r->widest, f)};
        take(arena, 2, ALIGN); /* lanes do not share lines */
        if (r->lanes)
            r->lanes[t] = lane;
    }
    r->k_cache = take(arena, n, (int64_t)sizeof *r->k_cache);
    r->v_cache = take(arena, n, (int64_t)sizeof *r->v_cache);
    for (int64_t e = 0; e < n; e++) {
        const struct block *b = transformer_block(net, transformer_block_of(net, e));
        int64_t bytes = b->n_kv_heads * context * dtype_row_bytes(net->kv_dtype, b->d_head);
        char *k = take(arena, bytes, 1);
        char *v = take(arena, bytes, 1);
        if (r->k_cache)
            r->k_cache[e] = k, r->v_cache[e] = v;
    }
}

/* Slopes of Press et al., arXiv:2108.12409, section 3, with their rule for head counts that are not
 * a power of two. */
static void fill_alibi(int64_t n_heads, float *slopes)
{
    int64_t power = 1;
    while (power * 2 <= n_heads)
        power *= 2;
    for (int64_t h = 0; h < n_heads; h++) {
        double exponent = h < power ? -8.0 * (double)(h + 1) / (double)power
                                    : -4.0 * (double)(2 * (h - power) + 1) / (double)power;
        slopes[h] = (float)exp2(exponent);
    }
}

enum status runner_create(const struct transformer *net, const struct weights *weights,
                          const struct runner_options *options, struct runner **out,
                          struct err *err)
{
    *out = NULL;
    enum status status = check_options(net, options, err);
    if (status)
        return status;
    struct runner *r = memory_new(1, sizeof *r);
    if (!r)
        return err_set(err, STATUS_NOMEM, "out of memory for a runner");
    r->net = net;
    r->weights = weights;
    r->options = *options;
    if (r->options.max_batch <= 0)
        r->options.max_batch = DEFAULT_BATCH;
    if (r->options.max_batch > r->options.max_context)
        r->options.max_batch = r->options.max_context;
    struct widths widths = measure_widths(net);
    struct arena arena = {0};
    r->widest = widths.any;
    if (net->position == POSITION_ROPE)
        r->d_rotary = (int64_t)((double)widths.d_head * net->rope_frac) / 2 * 2;
    if ((status = find_kernels(r, err)))
        goto failed;
    take_all(r, &widths, &arena);
    int64_t have = memory_available_bytes();
    if (arena.used > have) {
        char need[32], there[32], missing[32];
        status = err_set(err, STATUS_NOMEM,
                         "a context of %" PRId64 " needs %s of cache and buffers, %s is available: "
                         "%s more",
                         options->max_context, format_bytes((double)arena.used, need, sizeof need),
                         format_bytes((double)have, there, sizeof there),
                         format_bytes((double)(arena.used - have), missing, sizeof missing));
        goto failed;
    }
    r->memory_bytes = arena.used;
    r->memory = pages_new(arena.used);
    if (!r->memory) {
        status = err_set(err, STATUS_NOMEM,
                         "out of memory for %" PRId64 " bytes of cache and buffers", arena.used);
        goto failed;
    }
    memset(r->memory, 0, (size_t)arena.used); /* pages are there before the first pass */
    arena = (struct arena){.base = r->memory};
    take_all(r, &widths, &arena);
    for (int64_t p = 0; p < options->max_context && r->d_rotary > 0; p++)
        kernel_rope_table(p, r->d_rotary, net->rope_theta, r->cosine + p * (r->d_rotary / 2),
                          r->sine + p * (r->d_rotary / 2));
    if (net->position == POSITION_ALIBI)
        fill_alibi(widths.n_heads, r->alibi);
    else
        r->alibi = NULL;
    team_barrier_init(&r->barrier, options->n_threads);
    if (options->pin)
        threaded_pin(options->n_threads);
    *out = r;
    return STATUS_OK;
failed:
    memory_free(r);
    return status;
}

void runner_free(struct runner *runner)
{
    if (!runner)
        return;
    pages_free(runner->memory, runner->memory_bytes);
    memory_free(runner);
}

static enum status check_tokens(const struct runner *r, const int32_t *tokens, int64_t n,
                                struct err *err)
{
    assert(n >= 1);
    if (n > r->options.max_context - r->position)
        return err_set(err, STATUS_RANGE,
                       "%" PRId64 " tokens after %" PRId64 " do not fit a cache of %" PRId64, n,
                       r->position, r->options.max_context);
    for (int64_t i = 0; i < n; i++) {
        if (tokens[i] < 0 || tokens[i] >= r->net->vocab_size)
            return err_set(err, STATUS_RANGE,
                           "token %" PRId32 " is not in a vocabulary of %" PRId64, tokens[i],
                           r->net->vocab_size);
    }
    return STATUS_OK;
}

/* One pass over 1 .. max_batch tokens by all threads. A single token takes the path of decode. */
static void run_pass(struct runner *r, const int32_t *tokens, int64_t n, bool with_head)
{
    int parts = r->options.n_threads;
    if (r->is_timed)
        r->last_ns = clock_ns();
#pragma omp parallel num_threads(parts) if (parts > 1)
    {
        int part = parts > 1 ? omp_get_thread_num() : 0;
        struct worker worker = {r, &r->lanes[part], part, parts};
        if (n == 1 && with_head)
            decode_pass(&worker, tokens[0]);
        else
            prefill_pass(&worker, tokens, n, with_head);
    }
    r->position += n;
}

enum status runner_prefill(struct runner *runner, const int32_t *tokens, int64_t n, struct err *err)
{
    enum status status = check_tokens(runner, tokens, n, err);
    for (int64_t at = 0; at < n && !status;) {
        int64_t left = n - at, batch = runner->options.max_batch;
        int64_t now = left < batch ? left : batch;
        run_pass(runner, tokens + at, now, now == left);
        at += now;
    }
    return status;
}

enum status runner_decode(struct runner *runner, int32_t token, struct err *err)
{
    enum status status = check_tokens(runner, &token, 1, err);
    if (!status)
        run_pass(runner, &token, 1, true);
    return status;
}

const float *runner_logits(const struct runner *runner)
{
    return runner->logits;
}

int64_t runner_vocab_size(const struct runner *runner)
{
    return runner->net->vocab_size;
}

int32_t runner_argmax(const struct runner *runner)
{
    return (int32_t)runner->argmax->run.argmax(runner->net->vocab_size, runner->logits);
}

void runner_set_position(struct runner *runner, int64_t position)
{
    assert(position >= 0 && position <= runner->options.max_context);
    runner->position = position;
}

void runner_times(struct runner *runner, bool enable, double ns[N_RUNNER_PHASES])
{
    memcpy(ns, runner->phase_ns, sizeof runner->phase_ns);
    memset(runner->phase_ns, 0, sizeof runner->phase_ns);
    runner->is_timed = enable;
}

int64_t runner_bytes(const struct runner *runner)
{
    return runner->memory_bytes;
}
