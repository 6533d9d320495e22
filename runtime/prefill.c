#include "runtime/prefill.h"

/* All m tokens of [m, k] floats made ready for w: quantised into the shared buffer where the kernel
 * wants it, else used as they are. Ends with a meeting. */
struct prepared {
    const void *x;
    int64_t x_bytes;
};

static struct prepared prepare(struct worker *worker, const struct matrix *w, int64_t m,
                               const float *x)
{
    struct runner *r = worker->runner;
    const struct kernel *kernel = r->matmul[w->dtype];
    struct prepared out = {x, w->k * (int64_t)sizeof(float)};
    if (kernel->prepare) {
        struct worker_span tokens = worker_share(worker, m);
        out.x = r->prepared;
        out.x_bytes = kernel_prepared_bytes(kernel, w->k);
        for (int64_t t = tokens.begin; t < tokens.end; t++)
            kernel->prepare(w->k, x + t * w->k, r->prepared + t * out.x_bytes);
    }
    worker_meet(worker);
    return out;
}

/* y: [m, n], this thread's columns. */
static void multiply(struct worker *worker, const struct matrix *w, int64_t m, struct prepared x,
                     float *y)
{
    struct worker_span rows = worker_rows(worker, w->n);
    worker->runner->matmul[w->dtype]->run.matmul(m, w->k, w->data, x.x, x.x_bytes, y, w->n,
                                                 rows.begin, rows.end, worker->lane->scratch);
    for (int64_t t = 0; t < m && w->bias; t++)
        runner_add_bias(w->bias, rows, y + t * w->n);
}

/* normed = norm(x) for this thread's tokens; the meeting of prepare() makes it whole. */
static const float *norm_tokens(struct worker *worker, const struct norm_weights *norm, int64_t m)
{
    struct runner *r = worker->runner;
    int64_t d = r->net->d_model;
    struct worker_span tokens = worker_share(worker, m);
    for (int64_t t = tokens.begin; t < tokens.end; t++)
        runner_norm(r, norm, d, r->x + t * d, r->normed + t * d);
    return r->normed;
}

/* x += y for this thread's tokens, with the norm after where the network has one. */
static void join(struct worker *worker, const struct norm_weights *after, int64_t m, float *y)
{
    struct runner *r = worker->runner;
    int64_t d = r->net->d_model;
    struct worker_span tokens = worker_share(worker, m);
    for (int64_t t = tokens.begin; t < tokens.end; t++) {
        if (r->net->norm_placement == NORM_SANDWICH || r->net->norm_placement == NORM_BRANCH)
            runner_norm(r, after, d, y + t * d, y + t * d);
        runner_scale_branch(r, (struct worker_span){0, d}, y + t * d);
        r->add->run.add(d, r->x + t * d, y + t * d, r->x + t * d);
        if (r->net->norm_placement == NORM_POST)
            runner_norm(r, after, d, r->x + t * d, r->x + t * d);
    }
}

static void attend(struct worker *worker, const struct block *shape, const struct block_weights *w,
                   int64_t e, int64_t m, const float *x)
{
    struct runner *r = worker->runner;
    int64_t d_head = shape->d_head;
    int64_t q = shape->n_heads * d_head, kv = shape->n_kv_heads * d_head;
    struct prepared in = prepare(worker, &w->q, m, x);
    struct worker_span all = {0, shape->n_kv_heads};
    multiply(worker, &w->q, m, in, r->q);
    multiply(worker, &w->k, m, in, r->k);
    multiply(worker, &w->v, m, in, r->v);
    worker_meet(worker);
    struct worker_span tokens = worker_share(worker, m);
    for (int64_t t = tokens.begin; t < tokens.end; t++) {
        int64_t at = r->position + t;
        runner_norm_qk(r, shape, w, r->q + t * q, r->k + t * kv);
        runner_turn_heads(r, shape, w->q_norm.weight, shape->n_heads, at, r->q + t * q);
        runner_turn_heads(r, shape, w->k_norm.weight, shape->n_kv_heads, at, r->k + t * kv);
        runner_store_heads(r, shape, at, all, r->k + t * kv, r->k_cache[e]);
        runner_store_heads(r, shape, at, all, r->v + t * kv, r->v_cache[e]);
    }
    worker_meet(worker);
    worker_mark(worker, RUN_QKV);
    struct attention attention = runner_attention(r, shape, e, r->position);
    struct worker_span heads = worker_share(worker, shape->n_heads);
    r->attention->run.attention(&attention, r->q, q, r->attended, q, 0, m, heads.begin, heads.end,
                                worker->lane->scratch);
    worker_meet(worker);
    worker_mark(worker, RUN_ATTENTION);
}

static void feed_forward(struct worker *worker, const struct block_weights *w, int64_t m,
                         const float *x)
{
    struct runner *r = worker->runner;
    int64_t f = w->up.n;
    struct prepared in = prepare(worker, &w->up, m, x);
    struct worker_span rows = worker_rows(worker, f);
    if (w->gate.data)
        multiply(worker, &w->gate, m, in, r->gate);
    multiply(worker, &w->up, m, in, r->up);
    for (int64_t t = 0; t < m; t++)
        runner_activate(r, rows, w->gate.data ? r->gate + t * f : NULL, r->up + t * f,
                        r->gate + t * f);
    worker_meet(worker);
    worker_mark(worker, RUN_UP);
    in = prepare(worker, &w->down, m, r->gate);
    multiply(worker, &w->down, m, in, r->y);
    worker_meet(worker);
}

static void run_block(struct worker *worker, int64_t e, int64_t m)
{
    struct runner *r = worker->runner;
    const struct transformer *net = r->net;
    int64_t block = transformer_block_of(net, e);
    const struct block *shape = transformer_block(net, block);
    const struct block_weights *w = &r->weights->blocks[block];
    bool before = norm_is_before(net->norm_placement);
    bool attends = shape->mixer == MIXER_ATTENTION;
    float *attention_out = net->parallel_block ? r->branch : r->y;
    if (attends) {
        attend(worker, shape, w, e, m, before ? norm_tokens(worker, &w->attention_norm, m) : r->x);
        struct prepared in = prepare(worker, &w->o, m, r->attended);
        multiply(worker, &w->o, m, in, attention_out);
        worker_meet(worker);
        if (!net->parallel_block)
            join(worker, &w->attention_post_norm, m, attention_out);
        worker_mark(worker, RUN_O);
    }
    const struct norm_weights *ffn_norm =
        net->parallel_shared_norm && attends ? &w->attention_norm : &w->ffn_norm;
    if (!before)
        worker_meet(worker); /* x is split by tokens in join, read whole below */
    feed_forward(worker, w, m, before ? norm_tokens(worker, ffn_norm, m) : r->x);
    if (net->parallel_block && attends)
        join(worker, NULL, m, attention_out);
    join(worker, &w->ffn_post_norm, m, r->y);
    worker_meet(worker);
    worker_mark(worker, RUN_DOWN);
}

void prefill_pass(struct worker *worker, const int32_t *tokens, int64_t n, bool with_head)
{
    struct runner *r = worker->runner;
    int64_t d = r->net->d_model;
    struct worker_span share = worker_share(worker, n);
    for (int64_t t = share.begin; t < share.end; t++)
        runner_embed(r, tokens[t], r->position + t, worker->lane, r->x + t * d);
    worker_meet(worker);
    worker_mark(worker, RUN_EMBED);
    for (int64_t e = 0; e < transformer_executions(r->net); e++)
        run_block(worker, e, n);
    if (with_head)
        runner_head(worker, r->x + (n - 1) * d);
}
