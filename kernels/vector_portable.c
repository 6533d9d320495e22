/* The definition of every operator that is not a matrix: norms, rope, activations, rows in and out
 * of their stored type, sampling. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/rows.h"
#include "model/quantize.h"

#define DEFINE_EMBED(type, TYPE, isa) \
    void embed_##type##_##isa(int64_t n, const void *row, float *out) \
    { \
        dequantize_row(TYPE, n, row, out); \
    }
#define DEFINE_STORE(type, TYPE) \
    void store_##type##_portable(int64_t n, const float *x, void *row) \
    { \
        quantize_row(TYPE, n, x, row); \
    }

RUN_TYPES(DEFINE_EMBED, portable)
DEFINE_STORE(f32, DTYPE_F32)
DEFINE_STORE(f16, DTYPE_F16)
DEFINE_STORE(bf16, DTYPE_BF16)
DEFINE_STORE(q8_0, DTYPE_Q8_0)

static void scale_and_shift(int64_t n, const float *x, float mean, float scale, const float *weight,
                            const float *bias, float *out)
{
    for (int64_t i = 0; i < n; i++) {
        float value = (x[i] - mean) * scale;
        if (weight != NULL)
            value *= weight[i];
        if (bias != NULL)
            value += bias[i];
        out[i] = value;
    }
}

void rms_norm_portable(int64_t n, const float *x, const float *weight, const float *bias, float eps,
                       float *out)
{
    double square = 0;
    for (int64_t i = 0; i < n; i++)
        square += (double)x[i] * (double)x[i];
    float scale = (float)(1 / sqrt(square / (double)n + (double)eps));
    scale_and_shift(n, x, 0, scale, weight, bias, out);
}

void layer_norm_portable(int64_t n, const float *x, const float *weight, const float *bias,
                         float eps, float *out)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        square += ((double)x[i] - mean) * ((double)x[i] - mean);
    float scale = (float)(1 / sqrt(square / (double)n + (double)eps));
    scale_and_shift(n, x, (float)mean, scale, weight, bias, out);
}

void rope_portable(enum rope_style style, int64_t n_heads, int64_t d_head, int64_t d_rotary,
                   const float *cosine, const float *sine, float *x)
{
    int64_t half = d_rotary / 2, step = style == ROPE_PAIRS ? 2 : 1;
    int64_t apart = style == ROPE_PAIRS ? 1 : half;
    for (int64_t h = 0; h < n_heads; h++, x += d_head) {
        for (int64_t i = 0; i < half; i++) {
            float *first = x + i * step, *second = first + apart;
            float a = *first, b = *second;
            *first = a * cosine[i] - b * sine[i];
            *second = a * sine[i] + b * cosine[i];
        }
    }
}

static float silu(float x)
{
    return x / (1 + expf(-x));
}

static float gelu(float x)
{
    return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
}

static float relu(float x)
{
    return x > 0 ? x : 0;
}

#define DEFINE_ACTIVATION(f) \
    void f##_portable(int64_t n, const float *gate, const float *up, float *out) \
    { \
        for (int64_t i = 0; i < n; i++) \
            out[i] = up != NULL ? f(gate[i]) * up[i] : f(gate[i]); \
    }

DEFINE_ACTIVATION(silu)
DEFINE_ACTIVATION(gelu)
DEFINE_ACTIVATION(relu)

void add_portable(int64_t n, const float *a, const float *b, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}

void softmax_portable(int64_t n, float *x)
{
    assert(n >= 1);
    float largest = x[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        largest = fmaxf(largest, x[i]);
    for (int64_t i = 0; i < n; i++) {
        x[i] = expf(x[i] - largest);
        sum += x[i];
    }
    for (int64_t i = 0; i < n; i++)
        x[i] /= sum;
}

int64_t argmax_portable(int64_t n, const float *x)
{
    assert(n >= 1);
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++) {
        if (x[i] > x[best])
            best = i;
    }
    return best;
}
