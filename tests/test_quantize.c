#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stats.h"
#include "model/quantize.h"

enum { MAX_ROW = 200 };

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void random_row(struct rng *rng, float *x, int64_t n)
{
    double scale = pow(2, rng_uniform(rng) * 20 - 10);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(rng_normal(rng) * scale);
}

static float largest_of(const float *x, int64_t n)
{
    float largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    return largest;
}

static void every_f16_survives_the_way_through_f32(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float x = f32_from_f16((uint16_t)h);
        if (isnan(x))
            assert_int_equal(f16_from_f32(x), (h & 0x8000) | 0x7e00);
        else
            assert_int_equal(f16_from_f32(x), h);
    }
}

static void every_bf16_survives_the_way_through_f32(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float x = f32_from_bf16((uint16_t)h);
        assert_int_equal(bf16_from_f32(x), isnan(x) ? h | 0x40 : h);
    }
}

/* Neighbours in f16 are neighbours in their bits; halfway between them ties to the even one. */
static void f16_rounds_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h + 1 < 0x7c00; h++) {
        double low = f32_from_f16((uint16_t)h), high = f32_from_f16((uint16_t)(h + 1));
        float middle = (float)((low + high) / 2); /* exact: one more bit than f16 */
        assert_int_equal(f16_from_f32(middle), h & 1 ? h + 1 : h);
        assert_int_equal(f16_from_f32(nextafterf(middle, 0)), h);
        assert_int_equal(f16_from_f32(nextafterf(middle, INFINITY)), h + 1);
        assert_int_equal(f16_from_f32(-middle), 0x8000 | (h & 1 ? h + 1 : h));
    }
    assert_int_equal(f16_from_f32(65519.996f), 0x7bff);
    assert_int_equal(f16_from_f32(65520.0f), 0x7c00);
    assert_int_equal(f16_from_f32(-INFINITY), 0xfc00);
    assert_int_equal(f16_from_f32(1e-30f), 0);
    assert_int_equal(f16_from_f32(NAN) & 0x7fff, 0x7e00);
}

static void bf16_rounds_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h + 1 < 0x7f80; h++) {
        uint32_t middle = h << 16 | 0x8000;
        assert_int_equal(bf16_from_f32(float_of(middle)), h & 1 ? h + 1 : h);
        assert_int_equal(bf16_from_f32(float_of(middle - 1)), h);
        assert_int_equal(bf16_from_f32(float_of(middle + 1)), h + 1);
    }
    assert_int_equal(bf16_from_f32(INFINITY), 0x7f80);
    assert_true(isnan(f32_from_bf16(bf16_from_f32(NAN))));
}

/* Half a step of the type: d/2 for q8_0 and q4_0 (q4_0 clips its far end, by d at most), 2^-11 and
 * 2^-8 of the value for f16 and bf16. The scale itself is rounded by 2^-11, times 127 or 8 steps.
 */
static void error_stays_within_the_bound_of_the_format(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int round = 0; round < 400; round++) {
        int64_t n = rng_between(&rng, 1, MAX_ROW);
        float x[MAX_ROW], back[MAX_ROW];
        uint8_t stored[MAX_ROW * 4 + 64];
        random_row(&rng, x, n);
        for (int d = 0; d < N_DTYPES; d++) {
            enum dtype dtype = (enum dtype)d;
            if (!quantize_supports(dtype) || dtype == DTYPE_B1)
                continue;
            quantize_row(dtype, n, x, stored);
            dequantize_row(dtype, n, stored, back);
            for (int64_t i = 0; i < n; i++) {
                int64_t first = i / 32 * 32, length = n - first < 32 ? n - first : 32;
                double largest = (double)largest_of(x + first, length), bound = 0;
                double magnitude = fabs((double)x[i]);
                if (dtype == DTYPE_F16)
                    bound = magnitude * 0x1p-11 + 0x1p-25;
                else if (dtype == DTYPE_BF16)
                    bound = magnitude * 0x1p-8;
                else if (dtype == DTYPE_Q8_0)
                    bound = largest / 127 * 0.5 + largest * 0x1p-11 + 127 * 0x1p-25;
                else if (dtype == DTYPE_Q4_0)
                    bound = largest / 8 + largest * 0x1p-11 + 8 * 0x1p-25;
                assert_true(fabs((double)back[i] - (double)x[i]) <= bound * (1 + 1e-5));
            }
        }
    }
}

static void bytes_are_those_of_the_reference_layout(void **state)
{
    (void)state;
    float x[32], back[32];
    uint8_t q8[34], q4[18];
    for (int j = 0; j < 32; j++)
        x[j] = (float)(j - 16) / 16; /* -1 .. 0.9375 */
    quantize_row(DTYPE_Q8_0, 32, x, q8);
    assert_int_equal(q8[0] | q8[1] << 8, f16_from_f32(1.0f / 127));
    for (int j = 0; j < 32; j++)
        assert_int_equal((int8_t)q8[2 + j], (int)roundf(x[j] * 127));
    quantize_row(DTYPE_Q4_0, 32, x, q4);
    assert_int_equal(q4[0] | q4[1] << 8, f16_from_f32(0.125f));
    for (int j = 0; j < 16; j++) {
        assert_int_equal(q4[2 + j] & 15, (int)(x[j] * 8 + 8.5f));
        assert_int_equal(q4[2 + j] >> 4,
                         x[j + 16] * 8 + 8.5f > 15 ? 15 : (int)(x[j + 16] * 8 + 8.5f));
    }
    dequantize_row(DTYPE_Q4_0, 32, q4, back);
    assert_float_equal(back[0], -1, 0);
    assert_float_equal(back[16], 0, 0);
}

static void a_quantised_row_quantises_to_itself(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int round = 0; round < 200; round++) {
        float x[96], once[96], twice[96];
        uint8_t stored[96 * 4];
        random_row(&rng, x, 96);
        for (int d = 0; d < N_DTYPES; d++) {
            enum dtype dtype = (enum dtype)d;
            if (!quantize_supports(dtype))
                continue;
            quantize_row(dtype, 96, x, stored);
            dequantize_row(dtype, 96, stored, once);
            quantize_row(dtype, 96, once, stored);
            dequantize_row(dtype, 96, stored, twice);
            if (dtype != DTYPE_B1) /* whose mean is rounded once more */
                assert_memory_equal(once, twice, sizeof once);
        }
    }
}

static void zeros_and_subnormal_blocks_become_zeros(void **state)
{
    (void)state;
    float x[32] = {0}, back[32];
    uint8_t stored[34];
    const enum dtype dtypes[] = {DTYPE_Q8_0, DTYPE_Q4_0};
    for (int round = 0; round < 2; round++) {
        for (int d = 0; d < 2; d++) {
            quantize_row(dtypes[d], 32, x, stored);
            dequantize_row(dtypes[d], 32, stored, back);
            for (int j = 0; j < 32; j++)
                assert_true(back[j] == 0);
        }
        x[3] = float_of(1);
        x[7] = -float_of(2);
    }
}

static void a_partial_block_is_filled_with_zeros(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    float x[64] = {0};
    uint8_t whole[68], partial[68];
    random_row(&rng, x, 41);
    for (int d = 0; d < 2; d++) {
        enum dtype dtype = d ? DTYPE_Q8_0 : DTYPE_Q4_0;
        quantize_row(dtype, 64, x, whole);
        quantize_row(dtype, 41, x, partial);
        assert_memory_equal(whole, partial, d ? 2 * 34 : 2 * 18);
    }
}

/* sum (x - s sign x)^2 = sum x^2 - n s^2 exactly when s is the mean of |x|. */
static void binary_keeps_signs_and_the_mean_magnitude(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int64_t n = 1; n <= MAX_ROW; n++) {
        float x[MAX_ROW], back[MAX_ROW];
        uint8_t stored[MAX_ROW / 8 + 16];
        random_row(&rng, x, n);
        memset(stored, 0xaa, sizeof stored);
        quantize_row(DTYPE_B1, n, x, stored);
        assert_int_equal(stored[(n + 7) / 8 + 4], 0xaa);
        dequantize_row(DTYPE_B1, n, stored, back);
        double magnitudes = 0, squares = 0, error = 0;
        for (int64_t i = 0; i < n; i++) {
            magnitudes += fabs((double)x[i]);
            squares += (double)x[i] * (double)x[i];
            error += pow((double)x[i] - (double)back[i], 2);
            assert_int_equal(signbit(x[i]) != 0, signbit(back[i]) != 0);
        }
        double mean = magnitudes / (double)n;
        assert_true(fabs((double)fabsf(back[0]) - mean) <= mean * 1e-6);
        assert_true(fabs(error - (squares - (double)n * mean * mean)) <= squares * 1e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_f16_survives_the_way_through_f32),
        cmocka_unit_test(every_bf16_survives_the_way_through_f32),
        cmocka_unit_test(f16_rounds_to_nearest_and_ties_to_even),
        cmocka_unit_test(bf16_rounds_to_nearest_and_ties_to_even),
        cmocka_unit_test(error_stays_within_the_bound_of_the_format),
        cmocka_unit_test(bytes_are_those_of_the_reference_layout),
        cmocka_unit_test(a_quantised_row_quantises_to_itself),
        cmocka_unit_test(zeros_and_subnormal_blocks_become_zeros),
        cmocka_unit_test(a_partial_block_is_filled_with_zeros),
        cmocka_unit_test(binary_keeps_signs_and_the_mean_magnitude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
