/* The definition of read, matvec and matmul: plain loops, every other row is held against them.
 *
 * Quantised weights meet activations quantised alike, as ggml does: q8_0 and q4_0 take x in blocks
 * of 32 with scale max|x| / 127 (kept in f32, not rounded to f16), multiply integers within a block
 * and add blocks in f32. b1 takes the signs of x and one scale mean|x|: y = scale_w scale_x
 * (k - 2 popcount(w xor x)), XNOR-Net, arXiv:1603.05279, section 3.2. */
#include <math.h>
#include <string.h>

#include "kernels/rows.h"
#include "model/quantize.h"

uint32_t read_portable(const void *data, int64_t bytes)
{
    const uint8_t *at = data;
    uint32_t sum = 0, lane;
    for (; bytes >= 4; bytes -= 4, at += 4) {
        memcpy(&lane, at, 4);
        sum += lane;
    }
    lane = 0;
    memcpy(&lane, at, (size_t)bytes);
    return sum + lane;
}

void matvec_f32_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                         int64_t end)
{
    const float *in = x;
    for (int64_t r = begin; r < end; r++) {
        const uint8_t *row = (const uint8_t *)w + r * 4 * k;
        float sum = 0, value;
        for (int64_t i = 0; i < k; i++) {
            memcpy(&value, row + 4 * i, 4);
            sum += value * in[i];
        }
        y[r] = sum;
    }
}

static uint16_t load_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

void matvec_f16_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                         int64_t end)
{
    const float *in = x;
    for (int64_t r = begin; r < end; r++) {
        const uint8_t *row = (const uint8_t *)w + r * 2 * k;
        float sum = 0;
        for (int64_t i = 0; i < k; i++)
            sum += f32_from_f16(load_u16(row + 2 * i)) * in[i];
        y[r] = sum;
    }
}

void matvec_bf16_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                          int64_t end)
{
    const float *in = x;
    for (int64_t r = begin; r < end; r++) {
        const uint8_t *row = (const uint8_t *)w + r * 2 * k;
        float sum = 0;
        for (int64_t i = 0; i < k; i++)
            sum += f32_from_bf16(load_u16(row + 2 * i)) * in[i];
        y[r] = sum;
    }
}

int64_t prepared_q8_0_bytes_portable(int64_t k)
{
    return round_up_64(quant_blocks(k) * (int64_t)sizeof(struct q8_block));
}

void prepare_q8_0_portable(int64_t k, const float *x, void *prepared)
{
    struct q8_block *block = prepared;
    for (int64_t at = 0; at < k; at += QUANT_BLOCK, block++) {
        int64_t n = k - at < QUANT_BLOCK ? k - at : QUANT_BLOCK;
        float largest = 0;
        for (int64_t i = 0; i < n; i++)
            largest = fmaxf(largest, fabsf(x[at + i]));
        block->scale = largest / 127;
        float inverse = largest > 0 ? 127 / largest : 0;
        memset(block->q, 0, sizeof block->q);
        for (int64_t i = 0; i < n; i++)
            block->q[i] = (int8_t)lrintf(x[at + i] * inverse);
    }
}

void matvec_q8_0_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                          int64_t end)
{
    int64_t n_blocks = quant_blocks(k);
    for (int64_t r = begin; r < end; r++) {
        const struct q8_block *in = x;
        const uint8_t *block = (const uint8_t *)w + r * n_blocks * Q8_0_BYTES;
        float sum = 0;
        for (int64_t b = 0; b < n_blocks; b++, block += Q8_0_BYTES, in++) {
            int dot = 0;
            for (int i = 0; i < QUANT_BLOCK; i++)
                dot += (int8_t)block[2 + i] * in->q[i];
            sum += f32_from_f16(load_u16(block)) * in->scale * (float)dot;
        }
        y[r] = sum;
    }
}

void matvec_q4_0_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                          int64_t end)
{
    int64_t n_blocks = quant_blocks(k);
    for (int64_t r = begin; r < end; r++) {
        const struct q8_block *in = x;
        const uint8_t *block = (const uint8_t *)w + r * n_blocks * Q4_0_BYTES;
        float sum = 0;
        for (int64_t b = 0; b < n_blocks; b++, block += Q4_0_BYTES, in++) {
            int dot = 0;
            for (int i = 0; i < QUANT_BLOCK / 2; i++) {
                dot += ((block[2 + i] & 15) - 8) * in->q[i];
                dot += ((block[2 + i] >> 4) - 8) * in->q[i + QUANT_BLOCK / 2];
            }
            sum += f32_from_f16(load_u16(block)) * in->scale * (float)dot;
        }
        y[r] = sum;
    }
}

/* A f32 scale, then the signs of x as model/quantize.h packs those of weights. */
int64_t prepared_b1_bytes_portable(int64_t k)
{
    return round_up_64(4 + (k + 7) / 8);
}

void prepare_b1_portable(int64_t k, const float *x, void *prepared)
{
    int64_t sign_bytes = (k + 7) / 8;
    uint8_t *signs = (uint8_t *)prepared + 4;
    double sum = 0;
    memset(signs, 0, (size_t)sign_bytes);
    for (int64_t i = 0; i < k; i++) {
        sum += fabs((double)x[i]);
        if (x[i] >= 0)
            signs[i / 8] = (uint8_t)(signs[i / 8] | 1u << i % 8);
    }
    float scale = (float)(sum / (double)k);
    memcpy(prepared, &scale, 4);
}

void matvec_b1_portable(int64_t k, const void *w, const void *x, float *y, int64_t begin,
                        int64_t end)
{
    const uint8_t *signs = (const uint8_t *)x + 4;
    int64_t sign_bytes = (k + 7) / 8;
    float scale_x, scale_w;
    memcpy(&scale_x, x, 4);
    for (int64_t r = begin; r < end; r++) {
        const uint8_t *row = (const uint8_t *)w + r * (sign_bytes + 4);
        int64_t differ = 0;
        for (int64_t i = 0; i < sign_bytes; i++)
            differ += __builtin_popcount(row[i] ^ signs[i]);
        memcpy(&scale_w, row + sign_bytes, 4);
        y[r] = scale_w * scale_x * (float)(k - 2 * differ);
    }
}

/* A matmul is its matvec, token by token. */
#define DEFINE_MATMUL(type, TYPE, isa) \
    void matmul_##type##_##isa(int64_t m, int64_t k, const void *w, const void *x, \
                               int64_t x_bytes, float *y, int64_t y_stride, int64_t begin, \
                               int64_t end, void *scratch) \
    { \
        (void)scratch; \
        for (int64_t t = 0; t < m; t++) \
            matvec_##type##_##isa(k, w, (const uint8_t *)x + t * x_bytes, y + t * y_stride, begin, \
                                  end); \
    }

RUN_TYPES(DEFINE_MATMUL, portable)
