/* Sixteen floats: what the *_body.h files are written in, for AVX-512. simd_avx2.h and simd_neon.h
 * define the same names; a file includes one of the three and then bodies. */
#ifndef LATHE_KERNELS_SIMD_H
#define LATHE_KERNELS_SIMD_H

#include <immintrin.h>
#include <stdint.h>

#define SIMD(name) name##_avx512 /* the function of this instruction set */

typedef __m512 vec;
enum { LANES = 16, VEC_REGISTERS = 32 };

static inline __mmask16 vec_first(int64_t n)
{
    return (__mmask16)((1u << n) - 1);
}

static inline vec vec_zero(void)
{
    return _mm512_setzero_ps();
}

static inline vec vec_set1(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_load(const float *at)
{
    return _mm512_loadu_ps(at);
}

static inline void vec_store(float *at, vec v)
{
    _mm512_storeu_ps(at, v);
}

/* The first n lanes, 0 < n < LANES; the others read as zero and are not written. */
static inline vec vec_load_part(const float *at, int64_t n)
{
    return _mm512_maskz_loadu_ps(vec_first(n), at);
}

static inline void vec_store_part(float *at, vec v, int64_t n)
{
    _mm512_mask_storeu_ps(at, vec_first(n), v);
}

/* LANES stored elements as floats, any alignment. */
static inline vec vec_load_f32(const uint8_t *at)
{
    return _mm512_loadu_ps(at);
}

static inline vec vec_load_f16(const uint8_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)at));
}

static inline vec vec_load_bf16(const uint8_t *at)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)at));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline vec vec_load_i8(const uint8_t *at)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)at)));
}

static inline void vec_store_f16(uint8_t *at, vec v)
{
    _mm256_storeu_si256((__m256i *)at, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline float scalar_from_f16(uint16_t half)
{
    return _cvtsh_ss(half);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c) /* a b + c */
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

static inline float vec_sum(vec v)
{
    return _mm512_reduce_add_ps(v);
}

static inline float vec_largest(vec v)
{
    return _mm512_reduce_max_ps(v);
}

static inline vec vec_round(vec v)
{
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* v * 2^n for whole n in -126 .. 127. */
static inline vec vec_times_power(vec v, vec n)
{
    return _mm512_scalef_ps(v, n);
}

/* a0 a0 a1 a1 ... of LANES / 2 floats. */
static inline vec vec_load_twice(const float *at)
{
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(twice, _mm512_castps256_ps512(_mm256_loadu_ps(at)));
}

/* a1 a0 a3 a2 ... */
static inline vec vec_swap_pairs(vec v)
{
    return _mm512_permute_ps(v, 0xb1);
}

/* -1 1 -1 1 ... */
static inline vec vec_minus_plus(void)
{
    return _mm512_castsi512_ps(_mm512_set1_epi64(0x3f800000bf800000));
}

/* v[i] lane j becomes v[j] lane i. */
static inline void vec_transpose(vec v[LANES])
{
    __m512 a[16];
    for (int i = 0; i < 16; i += 2) {
        a[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
        a[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        __m512d p = _mm512_castps_pd(a[i]), q = _mm512_castps_pd(a[i + 2]);
        __m512d r = _mm512_castps_pd(a[i + 1]), s = _mm512_castps_pd(a[i + 3]);
        v[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(p, q));
        v[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p, q));
        v[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(r, s));
        v[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(r, s));
    }
    for (int i = 0; i < 4; i++) {
        a[i] = _mm512_shuffle_f32x4(v[i], v[i + 4], 0x88);
        a[i + 4] = _mm512_shuffle_f32x4(v[i], v[i + 4], 0xdd);
        a[i + 8] = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0x88);
        a[i + 12] = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        v[i] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0x88);
        v[i + 8] = _mm512_shuffle_f32x4(a[i], a[i + 8], 0xdd);
        v[i + 4] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0x88);
        v[i + 12] = _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0xdd);
    }
}

#endif
