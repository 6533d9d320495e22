/* matmul of quantised weights with AVX-512 VNNI.
 *
 * Sixteen rows make a panel: four consecutive elements of each row in one register, so that
 * vpdpbusd adds them to sixteen sums at once while x comes as one broadcast of four bytes. Eight
 * tokens share each register of weights. After a block of 32 the integer sums are scaled into f32
 * sums. Four panels are packed together and stay in the second-level cache while all tokens pass
 * by, eight at a time. Weights are unsigned in the panel and x carries the correction, see
 * matvec_avx512.c. */
#include "kernels/simd_avx512.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernels/prepared_avx512.h"
#include "kernels/rows.h"

enum { PANELS = 4, TOKENS = 8, BYTES_PER_BLOCK = 16 * QUANT_BLOCK };

#define INLINE static inline __attribute__((always_inline))

struct panel_block {
    _Alignas(64) uint8_t w[BYTES_PER_BLOCK]; /* [8][16 rows][4] */
    float scale[16];
};

int64_t matmul_quant_scratch_bytes_avx512(int64_t k)
{
    return PANELS * (quant_blocks(k) + 1) * (int64_t)sizeof(struct panel_block);
}

/* The 64 unsigned weights of two neighbouring blocks, of one where `two` is false. */
INLINE __m512i unsigned_q8_0(const uint8_t *block, bool two)
{
    __m512i both = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(block + 2)));
    if (two)
        both = _mm512_inserti64x4(both,
                                  _mm256_loadu_si256((const __m256i *)(block + Q8_0_BYTES + 2)), 1);
    return _mm512_xor_si512(both, _mm512_set1_epi8((char)0x80));
}

INLINE __m512i unsigned_q4_0(const uint8_t *block, bool two)
{
    __m128i first = _mm_loadu_si128((const __m128i *)(block + 2)), second = first;
    if (two)
        second = _mm_loadu_si128((const __m128i *)(block + Q4_0_BYTES + 2));
    __m512i all = _mm512_castsi128_si512(first);
    all = _mm512_inserti32x4(all, _mm_srli_epi16(first, 4), 1);
    all = _mm512_inserti32x4(all, second, 2);
    all = _mm512_inserti32x4(all, _mm_srli_epi16(second, 4), 3);
    return _mm512_and_si512(all, _mm512_set1_epi8(15));
}

#define DEFINE_PACK(type, BLOCK_BYTES) \
    /* n_rows <= 16 rows of n_blocks; rows that are missing repeat the last. */ \
    static void pack_##type(const uint8_t *w, int64_t n_blocks, int64_t n_rows, \
                            struct panel_block *out) \
    { \
        int64_t row_bytes = n_blocks * BLOCK_BYTES; \
        for (int64_t b = 0; b < n_blocks; b += 2, out += 2) { \
            bool two = b + 1 < n_blocks; \
            uint16_t scale[2][16]; \
            vec v[16]; \
            for (int64_t r = 0; r < 16; r++) { \
                const uint8_t *block = \
                    w + (r < n_rows ? r : n_rows - 1) * row_bytes + b * BLOCK_BYTES; \
                v[r] = _mm512_castsi512_ps(unsigned_##type(block, two)); \
                memcpy(&scale[0][r], block, 2); \
                memcpy(&scale[1][r], two ? block + BLOCK_BYTES : block, 2); \
            } \
            vec_transpose(v); \
            for (int i = 0; i < 8; i++) { \
                _mm512_store_ps(out[0].w + 64 * i, v[i]); \
                _mm512_store_ps(out[1].w + 64 * i, v[8 + i]); \
            } \
            for (int i = 0; i < 2; i++) \
                _mm512_store_ps(out[i].scale, \
                                _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)scale[i]))); \
        } \
    }

DEFINE_PACK(q8_0, Q8_0_BYTES)
DEFINE_PACK(q4_0, Q4_0_BYTES)

/* In every part of a group the four blocks have 16 bytes each. */
enum { LANE_BYTES = 16 };

INLINE __m512i four_bytes(const uint8_t *at)
{
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm512_set1_epi32(four);
}

/* One panel by n_tokens tokens: y[t][0 .. n_rows - 1]. */
INLINE void tile(int n_tokens, int64_t n_blocks, const struct panel_block *panel, const uint8_t *x,
                 int64_t x_bytes, float *y, int64_t y_stride, int64_t n_rows)
{
    __m512 sum[TOKENS];
    for (int t = 0; t < n_tokens; t++)
        sum[t] = _mm512_setzero_ps();
    for (int64_t b = 0; b < n_blocks; b++, panel++) {
        const uint8_t *in = x + b / 4 * (int64_t)sizeof(struct q8_group) + b % 4 * LANE_BYTES;
        __m512i dot[TOKENS];
        for (int t = 0; t < n_tokens; t++)
            dot[t] = four_bytes(in + t * x_bytes + offsetof(struct q8_group, bias));
        for (int i = 0; i < 8; i++) {
            __m512i w = _mm512_load_si512(panel->w + 64 * i);
            size_t part = i < 4 ? offsetof(struct q8_group, low) : offsetof(struct q8_group, high);
            for (int t = 0; t < n_tokens; t++)
                dot[t] = _mm512_dpbusd_epi32(
                    dot[t], w, four_bytes(in + t * x_bytes + part + (size_t)(i % 4 * 4)));
        }
        __m512 scale = _mm512_load_ps(panel->scale);
        for (int t = 0; t < n_tokens; t++) {
            __m512 in_scale = _mm512_castsi512_ps(
                four_bytes(in + t * x_bytes + offsetof(struct q8_group, scale)));
            sum[t] =
                _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[t]), _mm512_mul_ps(scale, in_scale), sum[t]);
        }
    }
    __mmask16 rows = (__mmask16)((1u << n_rows) - 1);
    for (int t = 0; t < n_tokens; t++)
        _mm512_mask_storeu_ps(y + t * y_stride, rows, sum[t]);
}

static void tiles(int64_t m, int64_t n_blocks, const struct panel_block *panels, const uint8_t *x,
                  int64_t x_bytes, float *y, int64_t y_stride, int64_t n_rows)
{
    int64_t t = 0, panel_blocks = n_blocks + n_blocks % 2;
#define TILES(n) \
    for (; t + n <= m; t += n) { \
        for (int64_t r = 0; r < n_rows; r += 16) \
            tile(n, n_blocks, panels + r / 16 * panel_blocks, x + t * x_bytes, x_bytes, \
                 y + t * y_stride + r, y_stride, n_rows - r < 16 ? n_rows - r : 16); \
    }
    TILES(TOKENS)
    TILES(4)
    TILES(2)
    TILES(1)
#undef TILES
}

#define DEFINE_MATMUL_QUANTISED(type, BLOCK_BYTES) \
    void matmul_##type##_avx512(int64_t m, int64_t k, const void *w, const void *x, \
                                int64_t x_bytes, float *y, int64_t y_stride, int64_t begin, \
                                int64_t end, void *scratch) \
    { \
        int64_t n_blocks = quant_blocks(k), panel_blocks = n_blocks + n_blocks % 2; \
        struct panel_block *panels = scratch; \
        for (int64_t first = begin; first < end; first += 16 * PANELS) { \
            int64_t n_rows = end - first < 16 * PANELS ? end - first : 16 * PANELS; \
            for (int64_t r = 0; r < n_rows; r += 16) \
                pack_##type((const uint8_t *)w + (first + r) * n_blocks * BLOCK_BYTES, n_blocks, \
                            n_rows - r < 16 ? n_rows - r : 16, panels + r / 16 * panel_blocks); \
            tiles(m, n_blocks, panels, x, x_bytes, y + first, y_stride, n_rows); \
        } \
    }

DEFINE_MATMUL_QUANTISED(q8_0, Q8_0_BYTES)
DEFINE_MATMUL_QUANTISED(q4_0, Q4_0_BYTES)
