/* A decoder written down from its definition, in double precision, token by token with no cache:
 * for holding the runtime against. Reads the same stored weights. */
#ifndef LATHE_TESTS_NAIVE_NETWORK_H
#define LATHE_TESTS_NAIVE_NETWORK_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/quantize.h"
#include "runtime/weights.h"

static inline void naive_row(const struct matrix *w, int64_t row, double *out)
{
    float *x = malloc((size_t)w->k * sizeof *x);
    dequantize_row(w->dtype, w->k, (const char *)w->data + row * dtype_row_bytes(w->dtype, w->k),
                   x);
    for (int64_t i = 0; i < w->k; i++)
        out[i] = (double)x[i];
    free(x);
}

static inline void naive_matvec(const struct matrix *w, const double *x, double *y)
{
    double *row = malloc((size_t)w->k * sizeof *row);
    for (int64_t r = 0; r < w->n; r++) {
        naive_row(w, r, row);
        y[r] = w->bias ? (double)w->bias[r] : 0;
        for (int64_t i = 0; i < w->k; i++)
            y[r] += row[i] * x[i];
    }
    free(row);
}

static inline void naive_norm(const struct transformer *net, bool is_rms, int64_t n,
                              const float *weight, const float *bias, double *x)
{
    double mean = 0, square = 0;
    for (int64_t i = 0; i < n && !is_rms; i++)
        mean += x[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean) / (double)n;
    for (int64_t i = 0; i < n; i++) {
        x[i] = (x[i] - mean) / sqrt(square + net->norm_eps);
        if (weight)
            x[i] *= (double)weight[i];
        if (bias)
            x[i] += (double)bias[i];
    }
}

static inline void naive_block_norm(const struct transformer *net, const struct norm_weights *w,
                                    double *x)
{
    naive_norm(net, net->norm == NORM_RMS, net->d_model, w->weight, w->bias, x);
}

static inline void naive_rope(const struct transformer *net, int64_t d_head, int64_t position,
                              bool pairs, double *x)
{
    int64_t d = (int64_t)((double)d_head * net->rope_frac) / 2 * 2;
    for (int64_t i = 0; i < d / 2; i++) {
        double angle = (double)position * pow(net->rope_theta, -2.0 * (double)i / (double)d);
        int64_t a = pairs ? 2 * i : i, b = pairs ? 2 * i + 1 : i + d / 2;
        double u = x[a], v = x[b];
        x[a] = u * cos(angle) - v * sin(angle);
        x[b] = u * sin(angle) + v * cos(angle);
    }
}

static inline double naive_slope(int64_t head, int64_t n_heads)
{
    int64_t power = 1;
    while (2 * power <= n_heads)
        power *= 2;
    if (head < power)
        return pow(2, -8.0 * (double)(head + 1) / (double)power);
    return pow(2, -4.0 * (double)(2 * (head - power) + 1) / (double)power);
}

static inline double naive_activation(enum ffn_kind kind, double x)
{
    if (kind == FFN_RELU)
        return x > 0 ? x : 0;
    if (kind == FFN_RELU2)
        return x > 0 ? x * x : 0;
    if (kind == FFN_SWIGLU)
        return x / (1 + exp(-x));
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

/* All of the block's attention for n tokens: in and out [n, d_model]. */
static inline void naive_attention(const struct transformer *net, const struct block *shape,
                                   const struct block_weights *w, bool pairs, int64_t n,
                                   const double *in, double *out)
{
    int64_t d = net->d_model, dh = shape->d_head, nq = shape->n_heads, nk = shape->n_kv_heads;
    double *q = calloc((size_t)(n * nq * dh), sizeof *q),
           *k = calloc((size_t)(n * nk * dh), sizeof *k);
    double *v = calloc((size_t)(n * nk * dh), sizeof *v), *score = calloc((size_t)n, sizeof *score);
    double *o = calloc((size_t)(nq * dh), sizeof *o);
    for (int64_t t = 0; t < n; t++) {
        naive_matvec(&w->q, in + t * d, q + t * nq * dh);
        naive_matvec(&w->k, in + t * d, k + t * nk * dh);
        naive_matvec(&w->v, in + t * d, v + t * nk * dh);
        if (net->qk_norm == QK_NORM_WHOLE) {
            naive_norm(net, true, nq * dh, w->q_norm.weight, NULL, q + t * nq * dh);
            naive_norm(net, true, nk * dh, w->k_norm.weight, NULL, k + t * nk * dh);
        }
        for (int64_t h = 0; h < nq + nk; h++) {
            double *x = h < nq ? q + (t * nq + h) * dh : k + (t * nk + h - nq) * dh;
            bool is_normed = net->qk_norm == QK_NORM_WEIGHTED || net->qk_norm == QK_NORM_WEIGHTLESS;
            for (int step = 0; step < 2; step++) {
                if (is_normed && step == net->qk_norm_after_rope)
                    naive_norm(net, true, dh, (h < nq ? w->q_norm : w->k_norm).weight, NULL, x);
                if (net->position == POSITION_ROPE && !shape->is_unturned &&
                    step != net->qk_norm_after_rope)
                    naive_rope(net, dh, t, pairs, x);
            }
        }
    }
    double scale = net->attention_scale > 0 ? net->attention_scale : 1 / sqrt((double)dh);
    for (int64_t t = 0; t < n; t++) {
        memset(o, 0, (size_t)(nq * dh) * sizeof *o);
        for (int64_t h = 0; h < nq; h++) {
            int64_t g = h / (nq / nk), first = 0;
            double most = -INFINITY, sum = 0;
            if (shape->window > 0 && t - shape->window + 1 > 0)
                first = t - shape->window + 1;
            for (int64_t s = first; s <= t; s++) {
                score[s] = 0;
                for (int64_t i = 0; i < dh; i++)
                    score[s] += q[(t * nq + h) * dh + i] * k[(s * nk + g) * dh + i];
                score[s] *= scale;
                if (net->attention_softcap > 0)
                    score[s] = net->attention_softcap * tanh(score[s] / net->attention_softcap);
                if (net->position == POSITION_ALIBI)
                    score[s] -= naive_slope(h, nq) * (double)(t - s);
                most = score[s] > most ? score[s] : most;
            }
            for (int64_t s = first; s <= t; s++)
                sum += exp(score[s] - most);
            for (int64_t s = first; s <= t; s++)
                for (int64_t i = 0; i < dh; i++)
                    o[h * dh + i] += exp(score[s] - most) / sum * v[(s * nk + g) * dh + i];
        }
        naive_matvec(&w->o, o, out + t * d);
    }
    free(q), free(k), free(v), free(score), free(o);
}

static inline void naive_ffn(const struct transformer *net, const struct block_weights *w,
                             const double *in, double *out)
{
    double *up = calloc((size_t)w->up.n, sizeof *up), *gate = calloc((size_t)w->up.n, sizeof *gate);
    naive_matvec(&w->up, in, up);
    if (w->gate.data)
        naive_matvec(&w->gate, in, gate);
    for (int64_t i = 0; i < w->up.n; i++)
        up[i] = w->gate.data ? naive_activation(net->ffn, gate[i]) * up[i]
                             : naive_activation(net->ffn, up[i]);
    naive_matvec(&w->down, up, out);
    free(up), free(gate);
}

/* Logits after tokens[0 .. n-1], [vocab_size]. */
static inline void naive_logits(const struct transformer *net, const struct weights *w,
                                const int32_t *tokens, int64_t n, double *logits)
{
    int64_t d = net->d_model, wide = d > net->d_embed ? d : net->d_embed;
    size_t all = (size_t)(n * wide);
    double *x = calloc(all, sizeof *x), *h = calloc(all, sizeof *h), *a = calloc(all, sizeof *a);
    double *y = calloc((size_t)wide, sizeof *y);
    for (int64_t t = 0; t < n; t++) {
        naive_row(&w->embedding, tokens[t], y);
        for (int64_t i = 0; i < net->d_embed && net->embed_scale > 0; i++)
            y[i] *= net->embed_scale;
        if (w->embed_project.data)
            naive_matvec(&w->embed_project, y, x + t * d);
        else
            memcpy(x + t * d, y, (size_t)d * sizeof *y);
        if (w->position.data) {
            naive_row(&w->position, t + net->position_rows - net->max_context, y);
            for (int64_t i = 0; i < d; i++)
                x[t * d + i] += y[i];
        }
        if (net->embed_norm)
            naive_block_norm(net, &w->embed_norm, x + t * d);
    }
    bool before = norm_is_before(net->norm_placement);
    bool after = net->norm_placement == NORM_SANDWICH || net->norm_placement == NORM_BRANCH;
    double scale = net->residual_scale > 0 ? net->residual_scale : 1;
    for (int64_t e = 0; e < transformer_executions(net); e++) {
        int64_t block = transformer_block_of(net, e);
        const struct block *shape = transformer_block(net, block);
        const struct block_weights *b = &w->blocks[block];
        memset(a, 0, all * sizeof *a);
        if (shape->mixer == MIXER_ATTENTION) {
            memcpy(h, x, all * sizeof *x);
            for (int64_t t = 0; t < n && before; t++)
                naive_block_norm(net, &b->attention_norm, h + t * d);
            naive_attention(net, shape, b, w->rope_in_pairs, n, h, a);
        }
        for (int64_t t = 0; t < n; t++) {
            double *xt = x + t * d, *at = a + t * d, *ht = h + t * d;
            if (after)
                naive_block_norm(net, &b->attention_post_norm, at);
            for (int64_t i = 0; i < d; i++)
                at[i] *= scale;
            for (int64_t i = 0; i < d; i++)
                ht[i] = xt[i] + (net->parallel_block ? 0 : at[i]);
            if (net->norm_placement == NORM_POST)
                naive_block_norm(net, &b->attention_post_norm, ht);
            memcpy(y, ht, (size_t)d * sizeof *y);
            if (before)
                naive_block_norm(net, net->parallel_shared_norm ? &b->attention_norm : &b->ffn_norm,
                                 y);
            naive_ffn(net, b, y, xt); /* xt is free now */
            if (after)
                naive_block_norm(net, &b->ffn_post_norm, xt);
            for (int64_t i = 0; i < d; i++)
                xt[i] = xt[i] * scale + ht[i] + (net->parallel_block ? at[i] : 0);
            if (net->norm_placement == NORM_POST)
                naive_block_norm(net, &b->ffn_post_norm, xt);
        }
    }
    double *last = x + (n - 1) * d;
    if (net->final_norm)
        naive_block_norm(net, &w->final_norm, last);
    if (w->head_project.data) {
        naive_matvec(&w->head_project, last, y);
        last = y;
    }
    naive_matvec(&w->head, last, logits);
    for (int64_t i = 0; i < net->vocab_size && net->logit_scale > 0; i++)
        logits[i] *= net->logit_scale;
    for (int64_t i = 0; i < net->vocab_size && net->logit_softcap > 0; i++)
        logits[i] = net->logit_softcap * tanh(logits[i] / net->logit_softcap);
    free(x), free(h), free(a), free(y);
}

#endif
