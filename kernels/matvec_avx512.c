/* matvec with AVX-512 and VNNI.
 *
 * Quantised rows run in groups of four blocks. A register holds the first 16 elements of each of
 * the four, a second one the last 16, so that after two vpdpbusd every 128-bit lane holds one
 * block's sum and one vector of four scales (each times four) finishes the group. vpdpbusd wants
 * its first factor unsigned: q8_0 weights are moved up by 128 (one xor), q4_0 nibbles are unsigned
 * as stored (value + 8), and what that adds, 128 or 8 times the sum of x over the block, is
 * subtracted by starting the sum at `bias`. */
#include "kernels/simd_avx512.h"

#include "kernels/matvec_body.h"
#include "kernels/prepared_avx512.h"

uint32_t read_avx512(const void *data, int64_t bytes)
{
    const uint8_t *at = data;
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (; bytes >= 256; bytes -= 256, at += 256) {
        a = _mm512_add_epi32(a, _mm512_loadu_si512(at));
        b = _mm512_add_epi32(b, _mm512_loadu_si512(at + 64));
        c = _mm512_add_epi32(c, _mm512_loadu_si512(at + 128));
        d = _mm512_add_epi32(d, _mm512_loadu_si512(at + 192));
    }
    for (; bytes > 0; bytes -= 64, at += 64) {
        __mmask64 mask = bytes >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << bytes) - 1;
        a = _mm512_add_epi32(a, _mm512_maskz_loadu_epi8(mask, at));
    }
    a = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
    uint32_t lanes[16], sum = 0; /* the intrinsic's own sum is of signed ints */
    _mm512_storeu_si512(lanes, a);
    for (int i = 0; i < 16; i++)
        sum += lanes[i];
    return sum;
}

DEFINE_MATVEC_FLOAT(f32, 4)
DEFINE_MATVEC_FLOAT(f16, 2)
DEFINE_MATVEC_FLOAT(bf16, 2)

/* Quantises k floats; `shift` is what the weights of the row are moved up by. */
static void prepare(int64_t k, const float *x, struct q8_group *group, int shift)
{
    for (int64_t at = 0; at < k; at += QUANT_BLOCK) {
        int64_t b = at / QUANT_BLOCK % 4, left = k - at;
        if (b == 0)
            memset(group, 0, sizeof *group);
        __m512 low = _mm512_maskz_loadu_ps(vec_first(left < 16 ? left : 16), x + at);
        __m512 high =
            left > 16 ? _mm512_maskz_loadu_ps(vec_first(left < 32 ? left - 16 : 16), x + at + 16)
                      : _mm512_setzero_ps();
        float largest =
            _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(low), _mm512_abs_ps(high)));
        __m512 inverse = _mm512_set1_ps(largest > 0 ? 127 / largest : 0);
        __m512i q_low = _mm512_cvtps_epi32(_mm512_mul_ps(low, inverse));
        __m512i q_high = _mm512_cvtps_epi32(_mm512_mul_ps(high, inverse));
        _mm_storeu_si128((__m128i *)(group->low + 16 * b), _mm512_cvtepi32_epi8(q_low));
        _mm_storeu_si128((__m128i *)(group->high + 16 * b), _mm512_cvtepi32_epi8(q_high));
        group->bias[4 * b] = -shift * _mm512_reduce_add_epi32(_mm512_add_epi32(q_low, q_high));
        _mm_storeu_ps(group->scale + 4 * b, _mm_set1_ps(largest / 127));
        if (b == 3)
            group++;
    }
}

void prepare_q8_0_avx512(int64_t k, const float *x, void *prepared)
{
    prepare(k, x, prepared, 128);
}

void prepare_q4_0_avx512(int64_t k, const float *x, void *prepared)
{
    prepare(k, x, prepared, 8);
}

int64_t prepared_q8_0_bytes_avx512(int64_t k)
{
    return (quant_blocks(k) + 3) / 4 * (int64_t)sizeof(struct q8_group);
}

int64_t prepared_q4_0_bytes_avx512(int64_t k)
{
    return prepared_q8_0_bytes_avx512(k);
}

INLINE __m256i two_lanes(const uint8_t *at, int64_t apart)
{
    return _mm256_loadu2_m128i((const __m128i *)(at + apart), (const __m128i *)at);
}

/* 16 bytes at `offset` of each of the first n blocks, one a lane; n is a constant where inlined. */
INLINE __m512i gather_lanes(const uint8_t *block, int n, int block_bytes, int offset)
{
    const uint8_t *at = block + offset;
    __m128i first = _mm_loadu_si128((const __m128i *)at);
    if (n == 1)
        return _mm512_zextsi128_si512(first);
    if (n == 2)
        return _mm512_zextsi256_si512(two_lanes(at, block_bytes));
    __m512i low = _mm512_castsi256_si512(two_lanes(at, block_bytes));
    __m128i third = _mm_loadu_si128((const __m128i *)(at + 2 * block_bytes));
    if (n == 3)
        return _mm512_inserti64x4(low, _mm256_zextsi128_si256(third), 1);
    return _mm512_inserti64x4(low, two_lanes(at + 2 * block_bytes, block_bytes), 1);
}

INLINE __m512 add_group(const struct q8_group *x, __m512i low, __m512i high, __m512 scale,
                        __m512 sum)
{
    __m512i dot = _mm512_load_si512(x->bias);
    dot = _mm512_dpbusd_epi32(dot, low, _mm512_load_si512(x->low));
    dot = _mm512_dpbusd_epi32(dot, high, _mm512_load_si512(x->high));
    scale = _mm512_mul_ps(scale, _mm512_load_ps(x->scale));
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sum);
}

/* Scales of the n blocks as f32, each in the four lanes of its block. Gathered in a general
 * register: the vector ports are the busy ones. */
INLINE __m512 block_scales(const uint8_t *block, int n, int block_bytes)
{
    const __m512i four_times = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    uint64_t all = 0;
    for (int b = 0; b < n; b++) {
        uint16_t half;
        memcpy(&half, block + b * block_bytes, sizeof half);
        all |= (uint64_t)half << 16 * b;
    }
    __m128 scales = _mm_cvtph_ps(_mm_cvtsi64_si128((int64_t)all));
    return _mm512_permutexvar_ps(four_times, _mm512_castps128_ps512(scales));
}

INLINE __m512 add_q8_0(const uint8_t *block, int n, const struct q8_group *x, __m512 sum)
{
    const __m512i up = _mm512_set1_epi8((char)0x80);
    __m512i low = _mm512_xor_si512(gather_lanes(block, n, Q8_0_BYTES, 2), up);
    __m512i high = _mm512_xor_si512(gather_lanes(block, n, Q8_0_BYTES, 18), up);
    return add_group(x, low, high, block_scales(block, n, Q8_0_BYTES), sum);
}

INLINE __m512 add_q4_0(const uint8_t *block, int n, const struct q8_group *x, __m512 sum)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    __m512i packed = gather_lanes(block, n, Q4_0_BYTES, 2);
    __m512i low = _mm512_and_si512(packed, nibble);
    __m512i high = _mm512_and_si512(_mm512_srli_epi16(packed, 4), nibble);
    return add_group(x, low, high, block_scales(block, n, Q4_0_BYTES), sum);
}

#define DEFINE_MATVEC_QUANTISED(type, BLOCK_BYTES) \
    INLINE void rows_##type(int n_streams, const uint8_t *row, int64_t apart, float *y, \
                            int64_t y_apart, int tail, int64_t n_groups, const struct q8_group *x) \
    { \
        __m512 sum[STREAMS]; \
        for (int j = 0; j < n_streams; j++) \
            sum[j] = _mm512_setzero_ps(); \
        for (int64_t g = 0; g < n_groups; g++, row += 4 * BLOCK_BYTES) { \
            for (int j = 0; j < n_streams; j++) \
                sum[j] = add_##type(row + j * apart, 4, x + g, sum[j]); \
        } \
        for (int j = 0; j < n_streams; j++) { \
            if (tail > 0) \
                sum[j] = add_##type(row + j * apart, tail, x + n_groups, sum[j]); \
            y[j * y_apart] = _mm512_reduce_add_ps(sum[j]); \
        } \
    } \
    void matvec_##type##_avx512(int64_t k, const void *w, const void *x, float *y, int64_t begin, \
                                int64_t end) \
    { \
        int64_t n_blocks = quant_blocks(k), n_groups = n_blocks / 4; \
        switch (n_blocks % 4) { /* each with its tail as a constant */ \
        case 0: \
            FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, 0, n_groups, x); \
            break; \
        case 1: \
            FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, 1, n_groups, x); \
            break; \
        case 2: \
            FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, 2, n_groups, x); \
            break; \
        default: \
            FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, 3, n_groups, x); \
        } \
    }

DEFINE_MATVEC_QUANTISED(q8_0, Q8_0_BYTES)
DEFINE_MATVEC_QUANTISED(q4_0, Q4_0_BYTES)
