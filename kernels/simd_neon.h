/* Four floats: simd_avx512.h's names for Advanced SIMD. */
#ifndef LATHE_KERNELS_SIMD_H
#define LATHE_KERNELS_SIMD_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define SIMD(name) name##_neon

typedef float32x4_t vec;
enum { LANES = 4, VEC_REGISTERS = 32 };

static inline vec vec_zero(void)
{
    return vdupq_n_f32(0);
}

static inline vec vec_set1(float x)
{
    return vdupq_n_f32(x);
}

static inline vec vec_load(const float *at)
{
    return vld1q_f32(at);
}

static inline void vec_store(float *at, vec v)
{
    vst1q_f32(at, v);
}

static inline vec vec_load_part(const float *at, int64_t n)
{
    float part[LANES] = {0};
    memcpy(part, at, (size_t)n * sizeof *part);
    return vld1q_f32(part);
}

static inline void vec_store_part(float *at, vec v, int64_t n)
{
    float part[LANES];
    vst1q_f32(part, v);
    memcpy(at, part, (size_t)n * sizeof *part);
}

static inline vec vec_load_f32(const uint8_t *at)
{
    return vreinterpretq_f32_u8(vld1q_u8(at));
}

static inline vec vec_load_f16(const uint8_t *at)
{
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(at)));
}

static inline vec vec_load_bf16(const uint8_t *at)
{
    uint32x4_t wide = vshll_n_u16(vreinterpret_u16_u8(vld1_u8(at)), 16);
    return vreinterpretq_f32_u32(wide);
}

static inline vec vec_load_i8(const uint8_t *at)
{
    uint32_t four;
    memcpy(&four, at, sizeof four);
    int16x8_t wide = vmovl_s8(vcreate_s8(four));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide)));
}

static inline void vec_store_f16(uint8_t *at, vec v)
{
    vst1_u8(at, vreinterpret_u8_f16(vcvt_f16_f32(v)));
}

static inline float scalar_from_f16(uint16_t half)
{
    __fp16 value;
    memcpy(&value, &half, sizeof value);
    return (float)value;
}

static inline vec vec_add(vec a, vec b)
{
    return vaddq_f32(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return vdivq_f32(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return vmaxq_f32(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return vminq_f32(a, b);
}

static inline float vec_sum(vec v)
{
    return vaddvq_f32(v);
}

static inline float vec_largest(vec v)
{
    return vmaxvq_f32(v);
}

static inline vec vec_round(vec v)
{
    return vrndnq_f32(v);
}

static inline vec vec_times_power(vec v, vec n)
{
    int32x4_t exponent = vshlq_n_s32(vcvtq_s32_f32(n), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(v), exponent));
}

static inline vec vec_load_twice(const float *at)
{
    float32x2_t two = vld1_f32(at);
    return vcombine_f32(vdup_lane_f32(two, 0), vdup_lane_f32(two, 1));
}

static inline vec vec_swap_pairs(vec v)
{
    return vrev64q_f32(v);
}

static inline vec vec_minus_plus(void)
{
    const float signs[LANES] = {-1, 1, -1, 1};
    return vld1q_f32(signs);
}

static inline void vec_transpose(vec v[LANES])
{
    float32x4_t a = vtrn1q_f32(v[0], v[1]), b = vtrn2q_f32(v[0], v[1]);
    float32x4_t c = vtrn1q_f32(v[2], v[3]), d = vtrn2q_f32(v[2], v[3]);
    v[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
    v[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
    v[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
    v[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}

#endif
