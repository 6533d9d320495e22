/* matmul by panels of f32, in terms of simd_*.h, for weights of every type. Included once by
 * matmul_<set>.c.
 *
 * ROWS rows of W are widened (block types times their scales) and laid out so that one k of all of
 * them is two registers; a tile of TOKENS tokens then needs one multiply-add per register and token
 * for each k, with all sums in registers (Goto and van de Geijn, ACM TOMS 34(3), 2008). A panel of
 * DEPTH columns stays in the second-level cache while all tokens pass by. Block types take x
 * quantised and widened again, so that what is computed is what portable computes. */
#include <string.h>

#include "kernels/rows.h"

enum {
    ROWS = 2 * LANES,
    TOKENS = VEC_REGISTERS == 32 ? 12 : 6,
    DEPTH = 512, /* columns of a panel, whole blocks */
};

#define INLINE static inline __attribute__((always_inline))

int64_t SIMD(matmul_scratch_bytes)(int64_t k)
{
    (void)k;
    return ROWS * DEPTH * (int64_t)sizeof(float);
}

/* n <= LANES elements of a row from element i on, behind them zeros. */
#define DEFINE_WIDEN(type, element_bytes) \
    INLINE vec widen_##type(const uint8_t *row, int64_t i, int64_t n) \
    { \
        uint8_t last[element_bytes * LANES] = {0}; \
        if (n >= LANES) \
            return vec_load_##type(row + element_bytes * i); \
        memcpy(last, row + element_bytes * i, (size_t)(element_bytes * n)); \
        return vec_load_##type(last); \
    }

DEFINE_WIDEN(f32, 4)
DEFINE_WIDEN(f16, 2)
DEFINE_WIDEN(bf16, 2)

static inline vec block_scale(const uint8_t *block)
{
    uint16_t half;
    memcpy(&half, block, sizeof half);
    return vec_set1(scalar_from_f16(half));
}

INLINE vec widen_q8_0(const uint8_t *row, int64_t i, int64_t n)
{
    const uint8_t *block = row + i / QUANT_BLOCK * Q8_0_BYTES;
    (void)n;
    return vec_mul(vec_load_i8(block + 2 + i % QUANT_BLOCK), block_scale(block));
}

INLINE vec widen_q4_0(const uint8_t *row, int64_t i, int64_t n)
{
    const uint8_t *block = row + i / QUANT_BLOCK * Q4_0_BYTES;
    int64_t j = i % QUANT_BLOCK;
    uint8_t values[LANES];
    (void)n;
    for (int lane = 0; lane < LANES; lane++) {
        uint8_t both = block[2 + (j + lane) % (QUANT_BLOCK / 2)];
        values[lane] = (uint8_t)((j < QUANT_BLOCK / 2 ? both & 15 : both >> 4) - 8);
    }
    return vec_mul(vec_load_i8(values), block_scale(block));
}

/* y[t][r] (+)= sum over depth of panel and x, for n_tokens tokens and n_rows <= ROWS rows. */
INLINE void tile(int n_tokens, int64_t depth, const float *panel, const uint8_t *x, int64_t x_bytes,
                 float *y, int64_t y_stride, int64_t n_rows, int add)
{
    vec sum[TOKENS][2];
    for (int t = 0; t < n_tokens; t++)
        sum[t][0] = sum[t][1] = vec_zero();
    for (int64_t k = 0; k < depth; k++, panel += ROWS) {
        vec low = vec_load(panel), high = vec_load(panel + LANES);
        for (int t = 0; t < n_tokens; t++) {
            vec in = vec_set1(((const float *)(x + t * x_bytes))[k]);
            sum[t][0] = vec_fma(low, in, sum[t][0]);
            sum[t][1] = vec_fma(high, in, sum[t][1]);
        }
    }
    for (int t = 0; t < n_tokens; t++) {
        float *to = y + t * y_stride;
        float part[ROWS];
        if (n_rows == ROWS) {
            vec_store(to, add ? vec_add(vec_load(to), sum[t][0]) : sum[t][0]);
            vec_store(to + LANES, add ? vec_add(vec_load(to + LANES), sum[t][1]) : sum[t][1]);
            continue;
        }
        vec_store(part, sum[t][0]);
        vec_store(part + LANES, sum[t][1]);
        for (int64_t r = 0; r < n_rows; r++)
            to[r] = add ? to[r] + part[r] : part[r];
    }
}

static void tiles(int64_t m, int64_t depth, const float *panel, const uint8_t *x, int64_t x_bytes,
                  float *y, int64_t y_stride, int64_t n_rows, int add)
{
    int64_t t = 0;
    for (; t + TOKENS <= m; t += TOKENS)
        tile(TOKENS, depth, panel, x + t * x_bytes, x_bytes, y + t * y_stride, y_stride, n_rows,
             add);
    for (; t + 3 <= m; t += 3)
        tile(3, depth, panel, x + t * x_bytes, x_bytes, y + t * y_stride, y_stride, n_rows, add);
    for (; t < m; t++)
        tile(1, depth, panel, x + t * x_bytes, x_bytes, y + t * y_stride, y_stride, n_rows, add);
}

#define DEFINE_MATMUL(type, TYPE) \
    static void pack_##type(const uint8_t *w, int64_t row_bytes, int64_t n_rows, int64_t first, \
                            int64_t depth, float *panel) \
    { \
        for (int half = 0; half < 2; half++, panel += LANES) { \
            for (int64_t i = 0; i < depth; i += LANES) { \
                vec v[LANES]; \
                for (int lane = 0; lane < LANES; lane++) { \
                    int64_t r = half * LANES + lane; \
                    const uint8_t *row = w + (r < n_rows ? r : n_rows - 1) * row_bytes; \
                    v[lane] = widen_##type(row, first + i, depth - i); \
                } \
                vec_transpose(v); \
                for (int j = 0; j < LANES && i + j < depth; j++) \
                    vec_store(panel + (i + j) * ROWS, v[j]); \
            } \
        } \
    } \
    void SIMD(matmul_##type)(int64_t m, int64_t k, const void *w, const void *x, int64_t x_bytes, \
                             float *y, int64_t y_stride, int64_t begin, int64_t end, \
                             void *scratch) \
    { \
        int64_t row_bytes = dtype_row_bytes(TYPE, k); \
        for (int64_t r = begin; r < end; r += ROWS) { \
            int64_t n_rows = end - r < ROWS ? end - r : ROWS; \
            for (int64_t first = 0; first < k; first += DEPTH) { \
                int64_t depth = k - first < DEPTH ? k - first : DEPTH; \
                pack_##type((const uint8_t *)w + r * row_bytes, row_bytes, n_rows, first, depth, \
                            scratch); \
                tiles(m, depth, scratch, (const uint8_t *)x + first * (int64_t)sizeof(float), \
                      x_bytes, y + r, y_stride, n_rows, first > 0); \
            } \
        } \
    }

int64_t SIMD(requantised_bytes)(int64_t k)
{
    return round_up_64(quant_blocks(k) * QUANT_BLOCK * (int64_t)sizeof(float));
}

/* x to int8 blocks and back, as prepare_q8_0_portable rounds. */
void SIMD(requantise)(int64_t k, const float *x, void *prepared)
{
    float *out = prepared;
    for (int64_t at = 0; at < k; at += QUANT_BLOCK) {
        vec v[QUANT_BLOCK / LANES], largest = vec_zero();
        for (int j = 0; j < QUANT_BLOCK / LANES; j++) {
            int64_t left = k - at - j * LANES;
            v[j] = left >= LANES ? vec_load(x + at + j * LANES)
                   : left > 0    ? vec_load_part(x + at + j * LANES, left)
                                 : vec_zero();
            largest = vec_max(largest, vec_max(v[j], vec_sub(vec_zero(), v[j])));
        }
        float max = vec_largest(largest);
        vec inverse = vec_set1(max > 0 ? 127 / max : 0), scale = vec_set1(max / 127);
        for (int j = 0; j < QUANT_BLOCK / LANES; j++)
            vec_store(out + at + j * LANES, vec_mul(vec_round(vec_mul(v[j], inverse)), scale));
    }
}
