/* Attention in terms of simd_*.h, decode and prefill alike: up to QUERIES pairs of token and head
 * that read the same kv head go over the cache together, so that each key and value is loaded and
 * widened once for all of them. Included once by attention_<set>.c.
 *
 * The cache is taken in tiles of TILE positions. Scores of a tile: partial dot products a register
 * each, LANES positions at a time, transposed and added. Weights: one exp over the tile, with the
 * running maximum of arXiv:1805.02867. Values: accumulators stay in registers while the tile's rows
 * pass by. Positions that a query does not see get weight 0. */
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/rows.h"
#include "kernels/vec_math.h"

enum { QUERIES = 4, TILE = 64 };

struct query {
    const float *q; /* [padded d_head], zeros behind d_head */
    float *sum;     /* [padded d_head]: weighted values so far */
    float *weights; /* [TILE] */
    float *out;     /* [d_head] */
    int64_t head, oldest, position;
    float largest, total;
};

static int64_t padded(int64_t d_head)
{
    return (d_head + LANES - 1) / LANES * LANES;
}

int64_t SIMD(attention_scratch_bytes)(int64_t d_head)
{
    return round_up_64(QUERIES * (2 * padded(d_head) + TILE) * (int64_t)sizeof(float));
}

/* LANES elements of a row from element i on; beyond the row only where `left` < LANES. */
#define DEFINE_ROW_LOAD(type, element_bytes) \
    static inline vec row_##type(const uint8_t *row, int64_t i, int64_t left) \
    { \
        uint8_t last[element_bytes * LANES] = {0}; \
        if (left >= LANES) \
            return vec_load_##type(row + element_bytes * i); \
        memcpy(last, row + element_bytes * i, (size_t)(element_bytes * left)); \
        return vec_load_##type(last); \
    }

DEFINE_ROW_LOAD(f32, 4)
DEFINE_ROW_LOAD(f16, 2)
DEFINE_ROW_LOAD(bf16, 2)

static inline vec row_q8_0(const uint8_t *row, int64_t i, int64_t left)
{
    (void)left; /* blocks are whole, and zeros behind the row's end */
    const uint8_t *block = row + i / QUANT_BLOCK * Q8_0_BYTES;
    uint16_t half;
    memcpy(&half, block, sizeof half);
    return vec_mul(vec_load_i8(block + 2 + i % QUANT_BLOCK), vec_set1(scalar_from_f16(half)));
}

/* Turns scores of positions start .. start + n - 1 into weights; returns whether any is seen. */
static bool weigh(const struct attention *a, struct query *query, int64_t start, int64_t n,
                  float *keep)
{
    int64_t begin = query->oldest > start ? query->oldest - start : 0;
    int64_t end = query->position < start + n ? query->position - start + 1 : n;
    float *w = query->weights;
    *keep = 1;
    if (begin >= end) {
        memset(w, 0, TILE * sizeof *w);
        return false;
    }
    vec largest = vec_set1(-INFINITY), scale = vec_set1(a->scale);
    for (int64_t j = 0; j < n; j += LANES)
        vec_store(w + j, vec_mul(vec_load(w + j), scale));
    if (a->alibi != NULL) {
        for (int64_t j = begin; j < end; j++)
            w[j] += a->alibi[query->head] * (float)(start + j - query->position);
    }
    if (a->softcap > 0) {
        vec cap = vec_set1(a->softcap), inverse = vec_set1(1 / a->softcap);
        for (int64_t j = 0; j < n; j += LANES)
            vec_store(w + j, vec_mul(vec_tanh(vec_mul(vec_load(w + j), inverse)), cap));
    }
    for (int64_t j = 0; j < begin; j++)
        w[j] = -INFINITY;
    for (int64_t j = end; j < TILE; j++)
        w[j] = -INFINITY;
    for (int64_t j = 0; j < n; j += LANES)
        largest = vec_max(largest, vec_load(w + j));
    float grown = fmaxf(query->largest, vec_largest(largest));
    *keep = expf(query->largest - grown);
    query->largest = grown;
    vec total = vec_zero(), top = vec_set1(grown);
    for (int64_t j = 0; j < n; j += LANES)
        vec_store(w + j, vec_exp(vec_sub(vec_load(w + j), top)));
    for (int64_t j = 0; j < begin; j++)
        w[j] = 0;
    for (int64_t j = end; j < TILE; j++)
        w[j] = 0;
    for (int64_t j = 0; j < n; j += LANES)
        total = vec_add(total, vec_load(w + j));
    query->total = query->total * *keep + vec_sum(total);
    return true;
}

/* Value rows of d_head in pieces of this many registers, so that QUERIES sums fit. */
enum { PIECE = VEC_REGISTERS == 32 ? 4 : 2 };

#define INLINE static inline __attribute__((always_inline))

/* Values are asked for while keys are read and the next keys while values are: a value row of more
 * than one piece is read in turns that a stream prefetcher does not follow. Into the second cache:
 * the few misses that the first one keeps at a time are too few for memory (from memory, Zen 4,
 * heads of 64 and 128: 0.7 to 0.8 of the time). */
INLINE void fetch_ahead(const uint8_t *row, int64_t row_bytes)
{
    enum { SECOND_CACHE = 2 };
    for (int64_t at = 0; at < row_bytes; at += 64)
        __builtin_prefetch(row + at, 0, SECOND_CACHE);
}

#define DEFINE_ATTENTION(type) \
    /* Scores of n <= TILE positions for n_queries queries. */ \
    INLINE void score_##type(int n_queries, struct query *queries, int64_t d_head, \
                             const uint8_t *k, const uint8_t *v, int64_t row_bytes, int64_t n) \
    { \
        for (int64_t j = 0; j < n; j += LANES) { \
            vec part[QUERIES][LANES]; \
            for (int64_t p = 0; p < LANES; p++) { \
                int64_t at = (j + p < n ? j + p : n - 1) * row_bytes; \
                const uint8_t *row = k + at; \
                vec sum[QUERIES]; \
                fetch_ahead(v + at, row_bytes); \
                for (int i = 0; i < n_queries; i++) \
                    sum[i] = vec_zero(); \
                for (int64_t d = 0; d < d_head; d += LANES) { \
                    vec key = row_##type(row, d, d_head - d); \
                    for (int i = 0; i < n_queries; i++) \
                        sum[i] = vec_fma(key, vec_load(queries[i].q + d), sum[i]); \
                } \
                for (int i = 0; i < n_queries; i++) \
                    part[i][p] = sum[i]; \
            } \
            for (int i = 0; i < n_queries; i++) { \
                vec_transpose(part[i]); \
                vec sum = part[i][0]; \
                for (int p = 1; p < LANES; p++) \
                    sum = vec_add(sum, part[i][p]); \
                vec_store(queries[i].weights + j, sum); \
            } \
        } \
    } \
    INLINE void add_values_##type(int n_queries, int n_regs, struct query *queries, \
                                  const float *keep, int64_t d, int64_t d_head, const uint8_t *v, \
                                  const uint8_t *k, int64_t n_keys, int64_t row_bytes, int64_t n) \
    { \
        vec sum[QUERIES][PIECE]; \
        for (int i = 0; i < n_queries; i++) { \
            for (int r = 0; r < n_regs; r++) \
                sum[i][r] = vec_mul(vec_load(queries[i].sum + d + r * LANES), vec_set1(keep[i])); \
        } \
        for (int64_t p = 0; p < n; p++, v += row_bytes) { \
            vec value[PIECE]; \
            if (d == 0 && p < n_keys) \
                fetch_ahead(k + p * row_bytes, row_bytes); \
            for (int r = 0; r < n_regs; r++) \
                value[r] = row_##type(v, d + r * LANES, d_head - d - r * LANES); \
            for (int i = 0; i < n_queries; i++) { \
                vec weight = vec_set1(queries[i].weights[p]); \
                for (int r = 0; r < n_regs; r++) \
                    sum[i][r] = vec_fma(weight, value[r], sum[i][r]); \
            } \
        } \
        for (int i = 0; i < n_queries; i++) { \
            for (int r = 0; r < n_regs; r++) \
                vec_store(queries[i].sum + d + r * LANES, sum[i][r]); \
        } \
    } \
    INLINE void attend_##type(int n_queries, const struct attention *a, struct query *queries, \
                              const uint8_t *k, const uint8_t *v) \
    { \
        int64_t oldest = queries[0].oldest, newest = queries[0].position, d_head = a->d_head; \
        for (int i = 1; i < n_queries; i++) { \
            oldest = queries[i].oldest < oldest ? queries[i].oldest : oldest; \
            newest = queries[i].position > newest ? queries[i].position : newest; \
        } \
        for (int64_t start = oldest; start <= newest; start += TILE) { \
            int64_t n = newest - start + 1 < TILE ? newest - start + 1 : TILE; \
            int64_t n_next = newest - start + 1 - n; \
            float keep[QUERIES]; \
            bool any = false; \
            const uint8_t *rows = v + start * a->row_bytes; \
            const uint8_t *next = k + (start + TILE) * a->row_bytes; \
            score_##type(n_queries, queries, d_head, k + start * a->row_bytes, rows, a->row_bytes, \
                         n); \
            for (int i = 0; i < n_queries; i++) \
                any |= weigh(a, &queries[i], start, n, &keep[i]); \
            if (!any) \
                continue; \
            int64_t d = 0; \
            for (; d + PIECE * LANES <= padded(d_head); d += PIECE * LANES) \
                add_values_##type(n_queries, PIECE, queries, keep, d, d_head, rows, next, n_next, \
                                  a->row_bytes, n); \
            for (; d < d_head; d += LANES) \
                add_values_##type(n_queries, 1, queries, keep, d, d_head, rows, next, n_next, \
                                  a->row_bytes, n); \
        } \
    } \
    void SIMD(attention_##type)(const struct attention *a, const float *q, int64_t q_stride, \
                                float *out, int64_t out_stride, int64_t token_begin, \
                                int64_t token_end, int64_t head_begin, int64_t head_end, \
                                void *scratch) \
    { \
        struct query queries[QUERIES]; \
        int64_t heads_a_group = a->n_heads / a->n_kv_heads; \
        assert(a->d_head <= ATTENTION_MAX_HEAD); \
        for (int64_t first = head_begin, last; first < head_end; first = last) { \
            int64_t group = first / heads_a_group; \
            last = \
                (group + 1) * heads_a_group < head_end ? (group + 1) * heads_a_group : head_end; \
            const uint8_t *k = (const uint8_t *)a->k + group * a->head_bytes; \
            const uint8_t *v = (const uint8_t *)a->v + group * a->head_bytes; \
            int64_t n_pairs = (token_end - token_begin) * (last - first); \
            for (int64_t pair = 0; pair < n_pairs; pair += QUERIES) { \
                int n = n_pairs - pair < QUERIES ? (int)(n_pairs - pair) : QUERIES; \
                for (int i = 0; i < n; i++) \
                    start_query(a, token_begin + (pair + i) / (last - first), \
                                first + (pair + i) % (last - first), q, q_stride, out, out_stride, \
                                scratch, i, &queries[i]); \
                switch (n) { /* each with its count as a constant */ \
                case 1: \
                    attend_##type(1, a, queries, k, v); \
                    break; \
                case 2: \
                    attend_##type(2, a, queries, k, v); \
                    break; \
                case 3: \
                    attend_##type(3, a, queries, k, v); \
                    break; \
                default: \
                    attend_##type(QUERIES, a, queries, k, v); \
                } \
                for (int i = 0; i < n; i++) \
                    finish_query(a, &queries[i]); \
            } \
        } \
    }

static void start_query(const struct attention *a, int64_t token, int64_t head, const float *q,
                        int64_t q_stride, float *out, int64_t out_stride, float *scratch, int slot,
                        struct query *query)
{
    int64_t d_head = a->d_head, wide = padded(d_head), position = a->first + token;
    float *mine = scratch + slot * (2 * wide + TILE);
    memcpy(mine, q + token * q_stride + head * d_head, (size_t)d_head * sizeof *mine);
    memset(mine + d_head, 0, (size_t)(2 * wide - d_head) * sizeof *mine);
    *query = (struct query){
        .q = mine,
        .sum = mine + wide,
        .weights = mine + 2 * wide,
        .out = out + token * out_stride + head * d_head,
        .head = head,
        .oldest = a->window > 0 && position >= a->window ? position - a->window + 1 : 0,
        .position = position,
        .largest = -INFINITY,
    };
}

static void finish_query(const struct attention *a, const struct query *query)
{
    float inverse = 1 / query->total;
    for (int64_t i = 0; i < a->d_head; i++)
        query->out[i] = query->sum[i] * inverse;
}

DEFINE_ATTENTION(f32)
DEFINE_ATTENTION(f16)
DEFINE_ATTENTION(bf16)
DEFINE_ATTENTION(q8_0)
