#include "runtime/worker.h"

#include <math.h>

#include "base/clock.h"

void worker_meet(struct worker *worker)
{
    if (worker->parts > 1)
        team_barrier_wait(&worker->runner->barrier);
}

void worker_mark(struct worker *worker, enum runner_phase phase)
{
    struct runner *r = worker->runner;
    if (!r->is_timed || worker->part != 0)
        return;
    int64_t now = clock_ns();
    r->phase_ns[phase] += (double)(now - r->last_ns);
    r->last_ns = now;
}

struct worker_span worker_rows(const struct worker *worker, int64_t n)
{
    struct worker_span span;
    kernel_slice(n, 16, worker->part, worker->parts, &span.begin, &span.end);
    return span;
}

struct worker_span worker_share(const struct worker *worker, int64_t n)
{
    struct worker_span span;
    kernel_slice(n, 1, worker->part, worker->parts, &span.begin, &span.end);
    return span;
}

void runner_norm(const struct runner *runner, const struct norm_weights *norm, int64_t n,
                 const float *x, float *y)
{
    runner->norm->run.norm(n, x, norm->weight, norm->bias, (float)runner->net->norm_eps, y);
}

static void norm_heads(const struct runner *runner, const float *weight, int64_t n_heads,
                       int64_t d_head, float *x)
{
    enum qk_norm kind = runner->net->qk_norm;
    if (kind != QK_NORM_WEIGHTED && kind != QK_NORM_WEIGHTLESS)
        return;
    for (int64_t h = 0; h < n_heads; h++)
        runner->rms_norm->run.norm(d_head, x + h * d_head, weight, NULL,
                                   (float)runner->net->norm_eps, x + h * d_head);
}

void runner_turn_heads(const struct runner *runner, const struct block *shape, const float *weight,
                       int64_t n_heads, int64_t position, float *x)
{
    bool norm_after = runner->net->qk_norm_after_rope;
    if (!norm_after)
        norm_heads(runner, weight, n_heads, shape->d_head, x);
    if (runner->d_rotary > 0 && !shape->is_unturned) {
        int64_t at = position * (runner->d_rotary / 2);
        runner->rope->run.rope(runner->weights->rope_in_pairs ? ROPE_PAIRS : ROPE_HALVES, n_heads,
                               shape->d_head, runner->d_rotary, runner->cosine + at,
                               runner->sine + at, x);
    }
    if (norm_after)
        norm_heads(runner, weight, n_heads, shape->d_head, x);
}

void runner_norm_qk(const struct runner *runner, const struct block *shape,
                    const struct block_weights *w, float *q, float *k)
{
    float eps = (float)runner->net->norm_eps;
    int64_t n_q = shape->n_heads * shape->d_head, n_k = shape->n_kv_heads * shape->d_head;
    if (runner->net->qk_norm != QK_NORM_WHOLE)
        return;
    runner->rms_norm->run.norm(n_q, q, w->q_norm.weight, NULL, eps, q);
    runner->rms_norm->run.norm(n_k, k, w->k_norm.weight, NULL, eps, k);
}

void runner_scale_branch(const struct runner *runner, struct worker_span rows, float *y)
{
    float scale = (float)runner->net->residual_scale;
    for (int64_t i = rows.begin; scale != 0 && scale != 1 && i < rows.end; i++)
        y[i] *= scale;
}

void runner_store_heads(const struct runner *runner, const struct block *shape, int64_t position,
                        struct worker_span heads, const float *x, char *cache)
{
    int64_t row = dtype_row_bytes(runner->net->kv_dtype, shape->d_head);
    for (int64_t g = heads.begin; g < heads.end; g++)
        runner->store->run.store(shape->d_head, x + g * shape->d_head,
                                 cache + (g * runner->options.max_context + position) * row);
}

struct attention runner_attention(const struct runner *runner, const struct block *shape, int64_t e,
                                  int64_t first)
{
    const struct transformer *net = runner->net;
    int64_t row = dtype_row_bytes(net->kv_dtype, shape->d_head);
    return (struct attention){
        .n_heads = shape->n_heads,
        .n_kv_heads = shape->n_kv_heads,
        .d_head = shape->d_head,
        .k = runner->k_cache[e],
        .v = runner->v_cache[e],
        .head_bytes = runner->options.max_context * row,
        .row_bytes = row,
        .first = first,
        .window = shape->window,
        .scale = (float)(net->attention_scale > 0 ? net->attention_scale
                                                  : 1 / sqrt((double)shape->d_head)),
        .softcap = (float)net->attention_softcap,
        .alibi = runner->alibi,
    };
}

static const void *row_of(const struct matrix *matrix, int64_t row)
{
    return (const char *)matrix->data + row * dtype_row_bytes(matrix->dtype, matrix->k);
}

void runner_embed(const struct runner *runner, int32_t token, int64_t position, struct lane *lane,
                  float *x)
{
    const struct transformer *net = runner->net;
    const struct weights *w = runner->weights;
    bool factored = w->embed_project.data != NULL;
    float *out = factored ? lane->temporary : x;
    runner->embed[w->embedding.dtype]->run.embed(w->embedding.k, row_of(&w->embedding, token), out);
    if (net->embed_scale > 0 && net->embed_scale != 1) {
        for (int64_t i = 0; i < w->embedding.k; i++)
            out[i] *= (float)net->embed_scale;
    }
    if (factored) {
        const struct matrix *p = &w->embed_project;
        const struct kernel *kernel = runner->matvec[p->dtype];
        kernel->run.matvec(p->k, p->data, kernel_prepare(kernel, p->k, out, lane->prepared), x, 0,
                           p->n);
    }
    if (w->position.data) {
        /* OPT's table starts with rows that no position uses. */
        int64_t row = position + net->position_rows - net->max_context;
        runner->embed[w->position.dtype]->run.embed(net->d_model, row_of(&w->position, row),
                                                    lane->normed);
        runner->add->run.add(net->d_model, x, lane->normed, x);
    }
    if (net->embed_norm)
        runner_norm(runner, &w->embed_norm, net->d_model, x, x);
}

void runner_activate(const struct runner *runner, struct worker_span rows, const float *gate,
                     const float *up, float *out)
{
    if (runner->net->ffn == FFN_RELU2) /* relu(x) x */
        gate = up;
    if (gate)
        runner->activation->run.activation(rows.end - rows.begin, gate + rows.begin,
                                           up + rows.begin, out + rows.begin);
    else
        runner->activation->run.activation(rows.end - rows.begin, up + rows.begin, NULL,
                                           out + rows.begin);
}

void runner_add_bias(const float *bias, struct worker_span rows, float *y)
{
    for (int64_t i = rows.begin; bias && i < rows.end; i++)
        y[i] += bias[i];
}

void runner_matvec(struct worker *worker, const struct matrix *w, struct worker_span rows,
                   const float *x, float *y)
{
    const struct kernel *kernel = worker->runner->matvec[w->dtype];
    const void *prepared = kernel_prepare(kernel, w->k, x, worker->lane->prepared);
    kernel->run.matvec(w->k, w->data, prepared, y, rows.begin, rows.end);
    runner_add_bias(w->bias, rows, y);
}

void runner_head(struct worker *worker, const float *x)
{
    struct runner *r = worker->runner;
    const struct transformer *net = r->net;
    const struct weights *w = r->weights;
    float *normed = worker->lane->normed;
    if (net->final_norm) {
        runner_norm(r, &w->final_norm, net->d_model, x, normed);
        x = normed;
    }
    if (w->head_project.data) {
        struct worker_span all = {0, w->head_project.n};
        runner_matvec(worker, &w->head_project, all, x, worker->lane->temporary);
        x = worker->lane->temporary;
    }
    struct worker_span rows = worker_rows(worker, net->vocab_size);
    runner_matvec(worker, &w->head, rows, x, r->logits);
    for (int64_t i = rows.begin; net->logit_scale > 0 && net->logit_scale != 1 && i < rows.end; i++)
        r->logits[i] *= (float)net->logit_scale;
    if (net->logit_softcap > 0) {
        float cap = (float)net->logit_softcap;
        for (int64_t i = rows.begin; i < rows.end; i++)
            r->logits[i] = cap * tanhf(r->logits[i] / cap);
    }
    worker_meet(worker);
    worker_mark(worker, RUN_HEAD);
}
