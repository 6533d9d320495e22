#include "model/quantize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored types are little-endian");

enum { BLOCK = 32, Q8_0_BYTES = 34, Q4_0_BYTES = 18 };

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

uint16_t f16_from_f32(float x)
{
    uint32_t bits = bits_of(x);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) /* 65520: halfway from the largest f16 to the next power of two */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) { /* below 2^-14: adding 0.5 rounds at 2^-24, to even */
        float shifted = float_of(magnitude) + 0.5f;
        return (uint16_t)(sign | (bits_of(shifted) - 0x3f000000));
    }
    uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | (magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

float f32_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 0x1f, mantissa = h & 0x3ff;
    if (exponent == 31)
        return float_of(sign | 0x7f800000 | mantissa << 13);
    if (exponent == 0)
        return float_of(sign | bits_of((float)mantissa * 0x1p-24f));
    return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t bf16_from_f32(float x)
{
    uint32_t bits = bits_of(x);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float f32_from_bf16(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

static void store_u16(uint8_t *out, uint16_t value)
{
    memcpy(out, &value, sizeof value);
}

static uint16_t load_u16(const uint8_t *in)
{
    uint16_t value;
    memcpy(&value, in, sizeof value);
    return value;
}

/* 1 / d of a subnormal d overflows, and its f16 is 0 anyway: such a block is all zeros. */
static float inverse(float d)
{
    float inverted = d != 0 ? 1.0f / d : 0.0f;
    return isfinite(inverted) ? inverted : 0.0f;
}

static void block_to_q8_0(const float *x, uint8_t *out)
{
    float largest = 0;
    for (int j = 0; j < BLOCK; j++)
        largest = fmaxf(largest, fabsf(x[j]));
    float d = largest / 127, inverted = inverse(d);
    store_u16(out, f16_from_f32(d));
    for (int j = 0; j < BLOCK; j++)
        out[2 + j] = (uint8_t)(int8_t)roundf(x[j] * inverted);
}

static void block_to_q4_0(const float *x, uint8_t *out)
{
    float largest = 0, signed_largest = 0;
    for (int j = 0; j < BLOCK; j++) {
        if (largest < fabsf(x[j])) {
            largest = fabsf(x[j]);
            signed_largest = x[j];
        }
    }
    float d = signed_largest / -8, inverted = inverse(d);
    store_u16(out, f16_from_f32(d));
    for (int j = 0; j < BLOCK / 2; j++) {
        int low = (int)(x[j] * inverted + 8.5f), high = (int)(x[j + BLOCK / 2] * inverted + 8.5f);
        low = low > 15 ? 15 : low;
        high = high > 15 ? 15 : high;
        out[2 + j] = (uint8_t)(low | high << 4);
    }
}

static void block_from_q8_0(const uint8_t *in, float *x)
{
    float d = f32_from_f16(load_u16(in));
    for (int j = 0; j < BLOCK; j++)
        x[j] = (float)(int8_t)in[2 + j] * d;
}

static void block_from_q4_0(const uint8_t *in, float *x)
{
    float d = f32_from_f16(load_u16(in));
    for (int j = 0; j < BLOCK / 2; j++) {
        x[j] = (float)((in[2 + j] & 15) - 8) * d;
        x[j + BLOCK / 2] = (float)((in[2 + j] >> 4) - 8) * d;
    }
}

static void row_to_f32(int64_t n, const float *x, uint8_t *out)
{
    memcpy(out, x, (size_t)n * sizeof *x);
}

static void row_from_f32(int64_t n, const uint8_t *in, float *x)
{
    memcpy(x, in, (size_t)n * sizeof *x);
}

static void row_to_f16(int64_t n, const float *x, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++)
        store_u16(out + 2 * i, f16_from_f32(x[i]));
}

static void row_from_f16(int64_t n, const uint8_t *in, float *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = f32_from_f16(load_u16(in + 2 * i));
}

static void row_to_bf16(int64_t n, const float *x, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++)
        store_u16(out + 2 * i, bf16_from_f32(x[i]));
}

static void row_from_bf16(int64_t n, const uint8_t *in, float *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = f32_from_bf16(load_u16(in + 2 * i));
}

static void row_to_blocks(int64_t n, const float *x, uint8_t *out, int64_t block_bytes,
                          void (*to_block)(const float *, uint8_t *))
{
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK, out += block_bytes)
        to_block(x + i, out);
    if (i < n) {
        float last[BLOCK] = {0};
        memcpy(last, x + i, (size_t)(n - i) * sizeof *x);
        to_block(last, out);
    }
}

static void row_from_blocks(int64_t n, const uint8_t *in, float *x, int64_t block_bytes,
                            void (*from_block)(const uint8_t *, float *))
{
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK, in += block_bytes)
        from_block(in, x + i);
    if (i < n) {
        float last[BLOCK];
        from_block(in, last);
        memcpy(x + i, last, (size_t)(n - i) * sizeof *x);
    }
}

static void row_to_q8_0(int64_t n, const float *x, uint8_t *out)
{
    row_to_blocks(n, x, out, Q8_0_BYTES, block_to_q8_0);
}

static void row_from_q8_0(int64_t n, const uint8_t *in, float *x)
{
    row_from_blocks(n, in, x, Q8_0_BYTES, block_from_q8_0);
}

static void row_to_q4_0(int64_t n, const float *x, uint8_t *out)
{
    row_to_blocks(n, x, out, Q4_0_BYTES, block_to_q4_0);
}

static void row_from_q4_0(int64_t n, const uint8_t *in, float *x)
{
    row_from_blocks(n, in, x, Q4_0_BYTES, block_from_q4_0);
}

static void row_to_b1(int64_t n, const float *x, uint8_t *out)
{
    int64_t sign_bytes = (n + 7) / 8;
    double sum = 0;
    if (n == 0) /* no row, no scale */
        return;
    memset(out, 0, (size_t)sign_bytes);
    for (int64_t i = 0; i < n; i++) {
        sum += fabs((double)x[i]);
        if (x[i] >= 0)
            out[i / 8] = (uint8_t)(out[i / 8] | 1u << i % 8);
    }
    float scale = (float)(sum / (double)n);
    memcpy(out + sign_bytes, &scale, sizeof scale);
}

static void row_from_b1(int64_t n, const uint8_t *in, float *x)
{
    float scale;
    if (n == 0)
        return;
    memcpy(&scale, in + (n + 7) / 8, sizeof scale);
    for (int64_t i = 0; i < n; i++)
        x[i] = in[i / 8] >> i % 8 & 1 ? scale : -scale;
}

static const struct {
    void (*to)(int64_t n, const float *x, uint8_t *out);
    void (*from)(int64_t n, const uint8_t *in, float *x);
} rows[N_DTYPES] = {
    [DTYPE_F32] = {row_to_f32, row_from_f32},    [DTYPE_F16] = {row_to_f16, row_from_f16},
    [DTYPE_BF16] = {row_to_bf16, row_from_bf16}, [DTYPE_Q8_0] = {row_to_q8_0, row_from_q8_0},
    [DTYPE_Q4_0] = {row_to_q4_0, row_from_q4_0}, [DTYPE_B1] = {row_to_b1, row_from_b1},
};

bool quantize_supports(enum dtype dtype)
{
    return rows[dtype].to != NULL;
}

void quantize_row(enum dtype dtype, int64_t n, const float *x, void *out)
{
    assert(quantize_supports(dtype));
    rows[dtype].to(n, x, out);
}

void dequantize_row(enum dtype dtype, int64_t n, const void *in, float *out)
{
    assert(quantize_supports(dtype));
    rows[dtype].from(n, in, out);
}
