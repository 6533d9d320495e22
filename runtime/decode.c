#include "runtime/decode.h"

/* The rows of k and v (whole heads, so that whoever made a head also turns and stores it) and of q
 * that a thread makes: equal shares of the three matrices laid end to end, k first. */
struct qkv_share {
    struct worker_span k_heads, v_heads, q_rows;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static struct qkv_share share_qkv(const struct worker *worker, const struct block *shape)
{
    int64_t kv = shape->n_kv_heads * shape->d_head, q = shape->n_heads * shape->d_head;
    int64_t edge[2];
    struct qkv_share share;
    for (int i = 0; i < 2; i++)
        edge[i] = (2 * kv + q) * (worker->part + i) / worker->parts;
    int64_t half = shape->d_head / 2;
#define HEADS(offset) clamp((edge[i] - (offset) + half) / shape->d_head, 0, shape->n_kv_heads)
    int64_t k_edge[2], v_edge[2], q_edge[2];
    for (int i = 0; i < 2; i++) {
        k_edge[i] = edge[i] + half < 0 ? 0 : HEADS(0);
        v_edge[i] = edge[i] - kv + half < 0 ? 0 : HEADS(kv);
        q_edge[i] = edge[i] == 2 * kv + q ? q : clamp((edge[i] - 2 * kv) / 16 * 16, 0, q);
    }
#undef HEADS
    share.k_heads = (struct worker_span){k_edge[0], k_edge[1]};
    share.v_heads = (struct worker_span){v_edge[0], v_edge[1]};
    share.q_rows = (struct worker_span){q_edge[0], q_edge[1]};
    return share;
}

static struct worker_span head_rows(struct worker_span heads, int64_t d_head)
{
    return (struct worker_span){heads.begin * d_head, heads.end * d_head};
}

/* attended = attention(x) before the output projection. Ends with a meeting. */
static void attend(struct worker *worker, const struct block *shape, const struct block_weights *w,
                   int64_t e, const float *x)
{
    struct runner *r = worker->runner;
    int64_t d_head = shape->d_head, at = r->position;
    const struct kernel *kernel = r->matvec[w->q.dtype];
    const void *prepared = kernel_prepare(kernel, w->q.k, x, worker->lane->prepared);
    struct qkv_share share = share_qkv(worker, shape);
    struct worker_span k_rows = head_rows(share.k_heads, d_head),
                       v_rows = head_rows(share.v_heads, d_head);
    kernel->run.matvec(w->k.k, w->k.data, prepared, r->k, k_rows.begin, k_rows.end);
    kernel->run.matvec(w->v.k, w->v.data, prepared, r->v, v_rows.begin, v_rows.end);
    kernel->run.matvec(w->q.k, w->q.data, prepared, r->q, share.q_rows.begin, share.q_rows.end);
    runner_add_bias(w->k.bias, k_rows, r->k);
    runner_add_bias(w->v.bias, v_rows, r->v);
    runner_add_bias(w->q.bias, share.q_rows, r->q);
    if (r->net->qk_norm == QK_NORM_WHOLE) {
        worker_meet(worker);
        if (worker->part == 0)
            runner_norm_qk(r, shape, w, r->q, r->k);
        worker_meet(worker);
    }
    runner_turn_heads(r, shape, w->k_norm.weight, share.k_heads.end - share.k_heads.begin, at,
                      r->k + k_rows.begin);
    runner_store_heads(r, shape, at, share.k_heads, r->k, r->k_cache[e]);
    runner_store_heads(r, shape, at, share.v_heads, r->v, r->v_cache[e]);
    worker_meet(worker);
    worker_mark(worker, RUN_QKV);

    struct attention attention = runner_attention(r, shape, e, at);
    struct worker_span heads = worker_share(worker, shape->n_heads);
    float *q = r->q + heads.begin * d_head;
    runner_turn_heads(r, shape, w->q_norm.weight, heads.end - heads.begin, at, q);
    r->attention->run.attention(&attention, r->q, shape->n_heads * d_head, r->attended,
                                shape->n_heads * d_head, 0, 1, heads.begin, heads.end,
                                worker->lane->scratch);
    worker_meet(worker);
    worker_mark(worker, RUN_ATTENTION);
}

/* x = x + y, with the norm after where the network has one; `rows` of y are this thread's and y is
 * whole only after a meeting. Ends with a meeting. */
static void join(struct worker *worker, const struct norm_weights *after, struct worker_span rows,
                 float *y)
{
    struct runner *r = worker->runner;
    int64_t n = rows.end - rows.begin;
    switch (r->net->norm_placement) {
    case NORM_PRE:
        runner_scale_branch(r, rows, y);
        r->add->run.add(n, r->x + rows.begin, y + rows.begin, r->x + rows.begin);
        break;
    case NORM_SANDWICH:
    case NORM_BRANCH:
        worker_meet(worker);
        runner_norm(r, after, r->net->d_model, y, worker->lane->normed);
        runner_scale_branch(r, rows, worker->lane->normed);
        r->add->run.add(n, r->x + rows.begin, worker->lane->normed + rows.begin, r->x + rows.begin);
        break;
    case NORM_POST:
        runner_scale_branch(r, rows, y);
        r->add->run.add(n, r->x + rows.begin, y + rows.begin, r->x + rows.begin);
        worker_meet(worker);
        runner_norm(r, after, r->net->d_model, r->x, worker->lane->normed);
        worker_meet(worker); /* everybody has read x */
        for (int64_t i = rows.begin; i < rows.end; i++)
            r->x[i] = worker->lane->normed[i];
        break;
    }
    worker_meet(worker);
}

/* gate = act(gate x) * up x. Ends with a meeting. */
static void expand(struct worker *worker, const struct block_weights *w, const float *x)
{
    struct runner *r = worker->runner;
    const struct kernel *kernel = r->matvec[w->up.dtype];
    const void *prepared = kernel_prepare(kernel, w->up.k, x, worker->lane->prepared);
    struct worker_span rows = worker_rows(worker, w->up.n);
    if (w->gate.data) {
        kernel->run.matvec(w->gate.k, w->gate.data, prepared, r->gate, rows.begin, rows.end);
        runner_add_bias(w->gate.bias, rows, r->gate);
    }
    kernel->run.matvec(w->up.k, w->up.data, prepared, r->up, rows.begin, rows.end);
    runner_add_bias(w->up.bias, rows, r->up);
    runner_activate(r, rows, w->gate.data ? r->gate : NULL, r->up, r->gate);
    worker_meet(worker);
    worker_mark(worker, RUN_UP);
}

static void run_block(struct worker *worker, int64_t e)
{
    struct runner *r = worker->runner;
    const struct transformer *net = r->net;
    int64_t block = transformer_block_of(net, e);
    const struct block *shape = transformer_block(net, block);
    const struct block_weights *w = &r->weights->blocks[block];
    bool before = norm_is_before(net->norm_placement);
    struct worker_span rows = worker_rows(worker, net->d_model);
    float *normed = worker->lane->normed;
    bool attends = shape->mixer == MIXER_ATTENTION;
    if (attends) {
        if (before)
            runner_norm(r, &w->attention_norm, net->d_model, r->x, normed);
        attend(worker, shape, w, e, before ? normed : r->x);
        runner_matvec(worker, &w->o, rows, r->attended, r->y);
        if (!net->parallel_block)
            join(worker, &w->attention_post_norm, rows, r->y);
        worker_mark(worker, RUN_O);
    }
    if (before)
        runner_norm(r, net->parallel_shared_norm && attends ? &w->attention_norm : &w->ffn_norm,
                    net->d_model, r->x, normed);
    expand(worker, w, before ? normed : r->x);
    if (net->parallel_block && attends) { /* both branches read x; only now it may change */
        runner_scale_branch(r, rows, r->y);
        r->add->run.add(rows.end - rows.begin, r->x + rows.begin, r->y + rows.begin,
                        r->x + rows.begin);
    }
    runner_matvec(worker, &w->down, rows, r->gate, r->y);
    join(worker, &w->ffn_post_norm, rows, r->y);
    worker_mark(worker, RUN_DOWN);
}

void decode_pass(struct worker *worker, int32_t token)
{
    struct runner *r = worker->runner;
    if (worker->part == 0)
        runner_embed(r, token, r->position, worker->lane, r->x);
    worker_meet(worker);
    worker_mark(worker, RUN_EMBED);
    for (int64_t e = 0; e < transformer_executions(r->net); e++)
        run_block(worker, e);
    runner_head(worker, r->x);
}
