/* matvec with AVX2, FMA and F16C.
 *
 * vpmaddubsw multiplies unsigned by signed bytes into saturating 16-bit sums of two, so the weights
 * give their absolute value and x takes their sign: 128 * 127 * 2 stays below 2^15. */
#include "kernels/simd_avx2.h"

#include <math.h>

#include "kernels/matvec_body.h"

uint32_t read_avx2(const void *data, int64_t bytes)
{
    const uint8_t *at = data;
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (; bytes >= 128; bytes -= 128, at += 128) {
        a = _mm256_add_epi32(a, _mm256_loadu_si256((const __m256i *)at));
        b = _mm256_add_epi32(b, _mm256_loadu_si256((const __m256i *)(at + 32)));
        c = _mm256_add_epi32(c, _mm256_loadu_si256((const __m256i *)(at + 64)));
        d = _mm256_add_epi32(d, _mm256_loadu_si256((const __m256i *)(at + 96)));
    }
    uint32_t lanes[8], sum = 0;
    a = _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
    _mm256_storeu_si256((__m256i *)lanes, a);
    for (int i = 0; i < 8; i++)
        sum += lanes[i];
    return sum + read_portable(at, bytes);
}

DEFINE_MATVEC_FLOAT(f32, 4)
DEFINE_MATVEC_FLOAT(f16, 2)
DEFINE_MATVEC_FLOAT(bf16, 2)

void prepare_q8_0_avx2(int64_t k, const float *x, void *prepared)
{
    struct q8_block *block = prepared;
    const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    for (int64_t at = 0; at < k; at += QUANT_BLOCK, block++) {
        float last[QUANT_BLOCK] = {0};
        const float *in = x + at;
        if (k - at < QUANT_BLOCK) {
            memcpy(last, in, (size_t)(k - at) * sizeof *in);
            in = last;
        }
        __m256 v[4], largest = _mm256_setzero_ps();
        for (int j = 0; j < 4; j++) {
            v[j] = _mm256_loadu_ps(in + 8 * j);
            largest = _mm256_max_ps(largest, _mm256_and_ps(v[j], no_sign));
        }
        __m128 top = _mm_max_ps(_mm256_castps256_ps128(largest), _mm256_extractf128_ps(largest, 1));
        top = _mm_max_ps(top, _mm_movehl_ps(top, top));
        top = _mm_max_ss(top, _mm_movehdup_ps(top));
        float max = _mm_cvtss_f32(top);
        block->scale = max / 127;
        __m256 inverse = _mm256_set1_ps(max > 0 ? 127 / max : 0);
        __m256i q[4];
        for (int j = 0; j < 4; j++)
            q[j] = _mm256_cvtps_epi32(_mm256_mul_ps(v[j], inverse));
        /* Packing works within 128-bit halves; the permutation puts the dwords in order. */
        __m256i bytes =
            _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
        bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        _mm256_storeu_si256((__m256i *)block->q, bytes);
    }
}

static float scale_at(const uint8_t *block)
{
    uint16_t half;
    memcpy(&half, block, 2);
    return scalar_from_f16(half);
}

static __m256i weights_q8_0(const uint8_t *block)
{
    return _mm256_loadu_si256((const __m256i *)(block + 2));
}

static __m256i weights_q4_0(const uint8_t *block)
{
    __m128i packed = _mm_loadu_si128((const __m128i *)(block + 2));
    __m256i both = _mm256_set_m128i(_mm_srli_epi16(packed, 4), packed);
    both = _mm256_and_si256(both, _mm256_set1_epi8(15));
    return _mm256_sub_epi8(both, _mm256_set1_epi8(8));
}

static __m256 dot_block(__m256i w, const struct q8_block *x)
{
    __m256i in = _mm256_loadu_si256((const __m256i *)x->q);
    __m256i pairs = _mm256_maddubs_epi16(_mm256_sign_epi8(w, w), _mm256_sign_epi8(in, w));
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#define DEFINE_MATVEC_QUANTISED(type, BLOCK_BYTES) \
    INLINE void rows_##type(int n_streams, const uint8_t *row, int64_t apart, float *y, \
                            int64_t y_apart, int64_t n_blocks, const struct q8_block *x) \
    { \
        __m256 sum[STREAMS]; \
        for (int j = 0; j < n_streams; j++) \
            sum[j] = _mm256_setzero_ps(); \
        for (int64_t b = 0; b < n_blocks; b++, row += BLOCK_BYTES) { \
            for (int j = 0; j < n_streams; j++) { \
                const uint8_t *block = row + j * apart; \
                sum[j] = _mm256_fmadd_ps(dot_block(weights_##type(block), x + b), \
                                         _mm256_set1_ps(scale_at(block) * x[b].scale), sum[j]); \
            } \
        } \
        for (int j = 0; j < n_streams; j++) \
            y[j * y_apart] = vec_sum(sum[j]); \
    } \
    void matvec_##type##_avx2(int64_t k, const void *w, const void *x, float *y, int64_t begin, \
                              int64_t end) \
    { \
        int64_t n_blocks = quant_blocks(k); \
        FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, n_blocks, x); \
    }

DEFINE_MATVEC_QUANTISED(q8_0, Q8_0_BYTES)
DEFINE_MATVEC_QUANTISED(q4_0, Q4_0_BYTES)

/* Same layout as portable's: a scale, then signs. */
void prepare_b1_avx2(int64_t k, const float *x, void *prepared)
{
    uint8_t *signs = (uint8_t *)prepared + 4;
    const __m256 no_sign = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
    __m256 total = _mm256_setzero_ps();
    float sum = 0;
    int64_t i = 0;
    for (; i + 8 <= k; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i);
        total = _mm256_add_ps(total, _mm256_and_ps(v, no_sign));
        __m256 positive = _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GE_OQ);
        signs[i / 8] = (uint8_t)_mm256_movemask_ps(positive);
    }
    if (i < k)
        signs[i / 8] = 0;
    for (; i < k; i++) {
        sum += fabsf(x[i]);
        if (x[i] >= 0)
            signs[i / 8] = (uint8_t)(signs[i / 8] | 1u << i % 8);
    }
    float scale = (sum + vec_sum(total)) / (float)k;
    memcpy(prepared, &scale, 4);
}

static uint64_t load_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return value;
}

INLINE void rows_b1(int n_streams, const uint8_t *row, int64_t apart, float *y, int64_t y_apart,
                    int64_t k, const void *x)
{
    const uint8_t *signs = (const uint8_t *)x + 4;
    int64_t sign_bytes = (k + 7) / 8, differ[STREAMS] = {0}, i = 0;
    float scale_x, scale_w;
    for (; i + 8 <= sign_bytes; i += 8) {
        uint64_t in = load_u64(signs + i);
        for (int j = 0; j < n_streams; j++)
            differ[j] += __builtin_popcountll(load_u64(row + j * apart + i) ^ in);
    }
    memcpy(&scale_x, x, 4);
    for (int j = 0; j < n_streams; j++) {
        for (int64_t at = i; at < sign_bytes; at++)
            differ[j] += __builtin_popcount(row[j * apart + at] ^ signs[at]);
        memcpy(&scale_w, row + j * apart + sign_bytes, 4);
        y[j * y_apart] = scale_w * scale_x * (float)(k - 2 * differ[j]);
    }
}

/* Every machine with AVX2 counts 64 bits in one instruction: faster than memory already. */
void matvec_b1_avx2(int64_t k, const void *w, const void *x, float *y, int64_t begin, int64_t end)
{
    FOR_ROWS((k + 7) / 8 + 4, rows_b1, k, x);
}

/* A few rows at a time stay in the first-level cache while all tokens pass by. */
void matmul_b1_avx2(int64_t m, int64_t k, const void *w, const void *x, int64_t x_bytes, float *y,
                    int64_t y_stride, int64_t begin, int64_t end, void *scratch)
{
    enum { ROWS = 32 };
    (void)scratch;
    for (int64_t r = begin; r < end; r += ROWS) {
        int64_t last = end - r < ROWS ? end : r + ROWS;
        for (int64_t t = 0; t < m; t++)
            matvec_b1_avx2(k, w, (const uint8_t *)x + t * x_bytes, y + t * y_stride, r, last);
    }
}
