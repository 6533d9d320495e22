/* matvec with Advanced SIMD and the dot product instructions of ARMv8.2. */
#include "kernels/simd_neon.h"

#include "kernels/matvec_body.h"

uint32_t read_neon(const void *data, int64_t bytes)
{
    const uint8_t *at = data;
    uint32x4_t a = vdupq_n_u32(0), b = a, c = a, d = a;
    for (; bytes >= 64; bytes -= 64, at += 64) {
        a = vaddq_u32(a, vreinterpretq_u32_u8(vld1q_u8(at)));
        b = vaddq_u32(b, vreinterpretq_u32_u8(vld1q_u8(at + 16)));
        c = vaddq_u32(c, vreinterpretq_u32_u8(vld1q_u8(at + 32)));
        d = vaddq_u32(d, vreinterpretq_u32_u8(vld1q_u8(at + 48)));
    }
    a = vaddq_u32(vaddq_u32(a, b), vaddq_u32(c, d));
    return vaddvq_u32(a) + read_portable(at, bytes);
}

DEFINE_MATVEC_FLOAT(f32, 4)
DEFINE_MATVEC_FLOAT(f16, 2)
DEFINE_MATVEC_FLOAT(bf16, 2)

/* The blocks of prepare_q8_0_portable. */
void prepare_q8_0_neon(int64_t k, const float *x, void *prepared)
{
    struct q8_block *block = prepared;
    for (int64_t at = 0; at < k; at += QUANT_BLOCK, block++) {
        float in[QUANT_BLOCK] = {0};
        int64_t n = k - at < QUANT_BLOCK ? k - at : QUANT_BLOCK;
        memcpy(in, x + at, (size_t)n * sizeof *in);
        float32x4_t v[8], largest = vdupq_n_f32(0);
        for (int j = 0; j < 8; j++) {
            v[j] = vld1q_f32(in + 4 * j);
            largest = vmaxq_f32(largest, vabsq_f32(v[j]));
        }
        float max = vmaxvq_f32(largest);
        float32x4_t inverse = vdupq_n_f32(max > 0 ? 127 / max : 0);
        block->scale = max / 127;
        int16x8_t wide[4];
        for (int j = 0; j < 4; j++)
            wide[j] = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(vmulq_f32(v[2 * j], inverse))),
                                   vmovn_s32(vcvtnq_s32_f32(vmulq_f32(v[2 * j + 1], inverse))));
        vst1q_s8(block->q, vcombine_s8(vmovn_s16(wide[0]), vmovn_s16(wide[1])));
        vst1q_s8(block->q + 16, vcombine_s8(vmovn_s16(wide[2]), vmovn_s16(wide[3])));
    }
}

static float scale_at(const uint8_t *block)
{
    uint16_t half;
    memcpy(&half, block, sizeof half);
    return scalar_from_f16(half);
}

INLINE void weights_q8_0(const uint8_t *block, int8x16_t *low, int8x16_t *high)
{
    *low = vreinterpretq_s8_u8(vld1q_u8(block + 2));
    *high = vreinterpretq_s8_u8(vld1q_u8(block + 18));
}

INLINE void weights_q4_0(const uint8_t *block, int8x16_t *low, int8x16_t *high)
{
    uint8x16_t packed = vld1q_u8(block + 2);
    int8x16_t eight = vdupq_n_s8(8);
    *low = vsubq_s8(vreinterpretq_s8_u8(vandq_u8(packed, vdupq_n_u8(15))), eight);
    *high = vsubq_s8(vreinterpretq_s8_u8(vshrq_n_u8(packed, 4)), eight);
}

#define DEFINE_MATVEC_QUANTISED(type, BLOCK_BYTES) \
    INLINE void rows_##type(int n_streams, const uint8_t *row, int64_t apart, float *y, \
                            int64_t y_apart, int64_t n_blocks, const struct q8_block *x) \
    { \
        float32x4_t sum[STREAMS]; \
        for (int j = 0; j < n_streams; j++) \
            sum[j] = vdupq_n_f32(0); \
        for (int64_t b = 0; b < n_blocks; b++, row += BLOCK_BYTES) { \
            int8x16_t in_low = vld1q_s8(x[b].q), in_high = vld1q_s8(x[b].q + 16), low, high; \
            for (int j = 0; j < n_streams; j++) { \
                weights_##type(row + j * apart, &low, &high); \
                int32x4_t dot = vdotq_s32(vdupq_n_s32(0), low, in_low); \
                dot = vdotq_s32(dot, high, in_high); \
                sum[j] = vfmaq_n_f32(sum[j], vcvtq_f32_s32(dot), \
                                     scale_at(row + j * apart) * x[b].scale); \
            } \
        } \
        for (int j = 0; j < n_streams; j++) \
            y[j * y_apart] = vaddvq_f32(sum[j]); \
    } \
    void matvec_##type##_neon(int64_t k, const void *w, const void *x, float *y, int64_t begin, \
                              int64_t end) \
    { \
        int64_t n_blocks = quant_blocks(k); \
        FOR_ROWS(n_blocks *BLOCK_BYTES, rows_##type, n_blocks, x); \
    }

DEFINE_MATVEC_QUANTISED(q8_0, Q8_0_BYTES)
DEFINE_MATVEC_QUANTISED(q4_0, Q4_0_BYTES)

void matvec_b1_neon(int64_t k, const void *w, const void *x, float *y, int64_t begin, int64_t end)
{
    const uint8_t *signs = (const uint8_t *)x + 4;
    int64_t sign_bytes = (k + 7) / 8;
    float scale_x, scale_w;
    memcpy(&scale_x, x, 4);
    for (int64_t r = begin; r < end; r++) {
        const uint8_t *row = (const uint8_t *)w + r * (sign_bytes + 4);
        int64_t differ = 0, i = 0;
        for (; i + 16 <= sign_bytes; i += 16)
            differ += vaddlvq_u8(vcntq_u8(veorq_u8(vld1q_u8(row + i), vld1q_u8(signs + i))));
        for (; i < sign_bytes; i++)
            differ += __builtin_popcount(row[i] ^ signs[i]);
        memcpy(&scale_w, row + sign_bytes, 4);
        y[r] = scale_w * scale_x * (float)(k - 2 * differ);
    }
}

/* A few rows at a time stay in the first-level cache while all tokens pass by. */
void matmul_b1_neon(int64_t m, int64_t k, const void *w, const void *x, int64_t x_bytes, float *y,
                    int64_t y_stride, int64_t begin, int64_t end, void *scratch)
{
    enum { ROWS = 32 };
    (void)scratch;
    for (int64_t r = begin; r < end; r += ROWS) {
        int64_t last = end - r < ROWS ? end : r + ROWS;
        for (int64_t t = 0; t < m; t++)
            matvec_b1_neon(k, w, (const uint8_t *)x + t * x_bytes, y + t * y_stride, r, last);
    }
}
