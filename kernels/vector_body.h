/* The operators of vector_portable.c in terms of simd_*.h. Included once by vector_<set>.c. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/rows.h"
#include "kernels/vec_math.h"

/* Two sums at once hide the latency of the additions. */
static void sums(int64_t n, const float *x, float mean, float *square)
{
    vec a = vec_zero(), b = a, m = vec_set1(mean), v;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        v = vec_sub(vec_load(x + i), m);
        a = vec_fma(v, v, a);
        v = vec_sub(vec_load(x + i + LANES), m);
        b = vec_fma(v, v, b);
    }
    float sum = vec_sum(vec_add(a, b));
    for (; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    *square = sum;
}

static float sum_of(int64_t n, const float *x)
{
    vec a = vec_zero(), b = a;
    int64_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        a = vec_add(vec_load(x + i), a);
        b = vec_add(vec_load(x + i + LANES), b);
    }
    float sum = vec_sum(vec_add(a, b));
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

static void scale_and_shift(int64_t n, const float *x, float mean, float scale, const float *weight,
                            const float *bias, float *out)
{
    vec m = vec_set1(mean), s = vec_set1(scale);
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = vec_mul(vec_sub(vec_load(x + i), m), s);
        if (weight != NULL)
            v = vec_mul(v, vec_load(weight + i));
        if (bias != NULL)
            v = vec_add(v, vec_load(bias + i));
        vec_store(out + i, v);
    }
    for (; i < n; i++) {
        float v = (x[i] - mean) * scale;
        v = weight != NULL ? v * weight[i] : v;
        out[i] = bias != NULL ? v + bias[i] : v;
    }
}

void SIMD(rms_norm)(int64_t n, const float *x, const float *weight, const float *bias, float eps,
                    float *out)
{
    float square;
    sums(n, x, 0, &square);
    scale_and_shift(n, x, 0, 1 / sqrtf(square / (float)n + eps), weight, bias, out);
}

void SIMD(layer_norm)(int64_t n, const float *x, const float *weight, const float *bias, float eps,
                      float *out)
{
    float mean = sum_of(n, x) / (float)n, square;
    sums(n, x, mean, &square);
    scale_and_shift(n, x, mean, 1 / sqrtf(square / (float)n + eps), weight, bias, out);
}

static void turn_halves(int64_t half, const float *cosine, const float *sine, float *x)
{
    int64_t i = 0;
    for (; i + LANES <= half; i += LANES) {
        vec a = vec_load(x + i), b = vec_load(x + half + i);
        vec c = vec_load(cosine + i), s = vec_load(sine + i);
        vec_store(x + i, vec_sub(vec_mul(a, c), vec_mul(b, s)));
        vec_store(x + half + i, vec_fma(a, s, vec_mul(b, c)));
    }
    for (; i < half; i++) {
        float a = x[i], b = x[half + i];
        x[i] = a * cosine[i] - b * sine[i];
        x[half + i] = a * sine[i] + b * cosine[i];
    }
}

static void turn_pairs(int64_t half, const float *cosine, const float *sine, float *x)
{
    int64_t i = 0;
    for (; i + LANES / 2 <= half; i += LANES / 2) {
        vec v = vec_load(x + 2 * i);
        vec s = vec_mul(vec_load_twice(sine + i), vec_minus_plus());
        v = vec_fma(vec_swap_pairs(v), s, vec_mul(v, vec_load_twice(cosine + i)));
        vec_store(x + 2 * i, v);
    }
    for (; i < half; i++) {
        float a = x[2 * i], b = x[2 * i + 1];
        x[2 * i] = a * cosine[i] - b * sine[i];
        x[2 * i + 1] = a * sine[i] + b * cosine[i];
    }
}

void SIMD(rope)(enum rope_style style, int64_t n_heads, int64_t d_head, int64_t d_rotary,
                const float *cosine, const float *sine, float *x)
{
    for (int64_t h = 0; h < n_heads; h++, x += d_head)
        (style == ROPE_PAIRS ? turn_pairs : turn_halves)(d_rotary / 2, cosine, sine, x);
}

static inline vec silu(vec x)
{
    return vec_div(x, vec_add(vec_set1(1), vec_exp(vec_sub(vec_zero(), x))));
}

static inline vec gelu(vec x)
{
    vec cube = vec_mul(vec_mul(x, x), x);
    vec inner = vec_mul(vec_fma(cube, vec_set1(0.044715f), x), vec_set1(0.79788456f));
    return vec_mul(vec_mul(x, vec_set1(0.5f)), vec_add(vec_set1(1), vec_tanh(inner)));
}

static inline vec relu(vec x)
{
    return vec_max(x, vec_zero());
}

#define DEFINE_ACTIVATION(f) \
    void SIMD(f)(int64_t n, const float *gate, const float *up, float *out) \
    { \
        int64_t i = 0; \
        for (; i + LANES <= n; i += LANES) { \
            vec v = f(vec_load(gate + i)); \
            vec_store(out + i, up != NULL ? vec_mul(v, vec_load(up + i)) : v); \
        } \
        if (i < n) { \
            vec v = f(vec_load_part(gate + i, n - i)); \
            if (up != NULL) \
                v = vec_mul(v, vec_load_part(up + i, n - i)); \
            vec_store_part(out + i, v, n - i); \
        } \
    }

DEFINE_ACTIVATION(silu)
DEFINE_ACTIVATION(gelu)
DEFINE_ACTIVATION(relu)

void SIMD(add)(int64_t n, const float *a, const float *b, float *out)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(out + i, vec_add(vec_load(a + i), vec_load(b + i)));
    for (; i < n; i++)
        out[i] = a[i] + b[i];
}

static float largest_of(int64_t n, const float *x)
{
    float largest = x[0];
    int64_t i = 0;
    if (n >= LANES) {
        vec top = vec_load(x);
        for (i = LANES; i + LANES <= n; i += LANES)
            top = vec_max(top, vec_load(x + i));
        largest = vec_largest(top);
    }
    for (; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

void SIMD(softmax)(int64_t n, float *x)
{
    assert(n >= 1);
    vec largest = vec_set1(largest_of(n, x)), total = vec_zero();
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec v = vec_exp(vec_sub(vec_load(x + i), largest));
        vec_store(x + i, v);
        total = vec_add(total, v);
    }
    float sum = vec_sum(total);
    if (i < n) {
        vec_store_part(x + i, vec_exp(vec_sub(vec_load_part(x + i, n - i), largest)), n - i);
        for (int64_t j = i; j < n; j++)
            sum += x[j];
    }
    vec inverse = vec_set1(1 / sum);
    for (i = 0; i + LANES <= n; i += LANES)
        vec_store(x + i, vec_mul(vec_load(x + i), inverse));
    for (; i < n; i++)
        x[i] *= 1 / sum;
}

/* The largest value first, then where it is: both passes stream. */
int64_t SIMD(argmax)(int64_t n, const float *x)
{
    assert(n >= 1);
    float largest = largest_of(n, x);
    for (int64_t i = 0; i < n; i++) {
        if (x[i] == largest)
            return i;
    }
    return 0; /* only with NaNs */
}

#define DEFINE_EMBED(type, element_bytes) \
    void SIMD(embed_##type)(int64_t n, const void *row, float *out) \
    { \
        const uint8_t *at = row; \
        int64_t i = 0; \
        for (; i + LANES <= n; i += LANES) \
            vec_store(out + i, vec_load_##type(at + element_bytes * i)); \
        if (i < n) { \
            uint8_t last[element_bytes * LANES] = {0}; \
            memcpy(last, at + element_bytes * i, (size_t)(element_bytes * (n - i))); \
            vec_store_part(out + i, vec_load_##type(last), n - i); \
        } \
    }

DEFINE_EMBED(f16, 2)
DEFINE_EMBED(bf16, 2)

void SIMD(embed_q8_0)(int64_t n, const void *row, float *out)
{
    const uint8_t *block = row;
    for (int64_t at = 0; at < n; at += QUANT_BLOCK, block += Q8_0_BYTES) {
        uint16_t half;
        memcpy(&half, block, sizeof half);
        vec scale = vec_set1(scalar_from_f16(half));
        for (int64_t i = 0; i < QUANT_BLOCK && at + i < n; i += LANES) {
            vec v = vec_mul(vec_load_i8(block + 2 + i), scale);
            if (at + i + LANES <= n)
                vec_store(out + at + i, v);
            else
                vec_store_part(out + at + i, v, n - at - i);
        }
    }
}

void SIMD(store_f16)(int64_t n, const float *x, void *row)
{
    uint8_t *at = row;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store_f16(at + 2 * i, vec_load(x + i));
    if (i < n) {
        uint8_t last[2 * LANES];
        vec_store_f16(last, vec_load_part(x + i, n - i));
        memcpy(at + 2 * i, last, (size_t)(2 * (n - i)));
    }
}
