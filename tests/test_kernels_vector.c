/* Norms, rope, activations, rows in and out of their types, softmax and argmax: every row that this
 * machine can run against portable at lengths around every register width, and portable against
 * what it must be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stats.h"
#include "kernels/kernel.h"
#include "model/quantize.h"

enum { MOST = 1100 };
static const int64_t lengths[] = {1,  2,  3,  4,  5,  7,  8,  9,  15,  16,  17,  31,
                                  32, 33, 47, 48, 63, 64, 65, 96, 100, 576, 577, 1024};
enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

/* f32 sums in another order over MOST terms and an exp good to 2e-7, squared, with a margin. */
static const double agreement = 1e-11;

static float a[MOST], b[MOST], c[MOST];

static int setup(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (int i = 0; i < MOST; i++) {
        a[i] = (float)(3 * rng_normal(&rng));
        b[i] = (float)rng_normal(&rng);
        c[i] = (float)rng_normal(&rng);
    }
    return 0;
}

/* Runs `kernel` on n elements into out [MOST]; out of n is as it was. */
static void run(const struct kernel *kernel, int64_t n, int variant, float *out)
{
    uint8_t row[4 * MOST + 64];
    switch (kernel->op) {
    case KERNEL_EMBED:
        quantize_row(kernel->dtype, n, a, row + 1);
        kernel->run.embed(n, row + 1, out);
        break;
    case KERNEL_STORE:
        kernel->run.store(n, a, row + 1);
        dequantize_row(kernel->dtype, n, row + 1, out);
        break;
    case KERNEL_RMS_NORM:
    case KERNEL_LAYER_NORM:
        kernel->run.norm(n, a, variant & 1 ? b : NULL, variant & 2 ? c : NULL, 1e-5f, out);
        break;
    case KERNEL_ROPE: {
        float cosine[MOST], sine[MOST];
        int64_t d_head = n / 2, d_rotary = (variant & 2 ? d_head / 2 : d_head) / 2 * 2;
        kernel_rope_table(123, d_rotary, 10000, cosine, sine);
        memcpy(out, a, (size_t)n * sizeof *out);
        kernel->run.rope(variant & 1 ? ROPE_PAIRS : ROPE_HALVES, 2, d_head, d_rotary, cosine, sine,
                         out);
        break;
    }
    case KERNEL_SILU:
    case KERNEL_GELU:
    case KERNEL_RELU:
        kernel->run.activation(n, a, variant & 1 ? b : NULL, out);
        break;
    case KERNEL_ADD:
        kernel->run.add(n, a, b, out);
        break;
    case KERNEL_SOFTMAX:
        memcpy(out, a, (size_t)n * sizeof *out);
        kernel->run.softmax(n, out);
        break;
    case KERNEL_ARGMAX:
        out[0] = (float)kernel->run.argmax(n, a);
        break;
    default:
        break;
    }
}

static void every_vector_row_agrees_with_portable(void **state)
{
    (void)state;
    unsigned isa;
    int n_rows;
    const struct kernel *rows = kernel_rows(&n_rows);
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op <= KERNEL_ATTENTION || rows[i].isa == 0 ||
            (rows[i].isa & isa) != rows[i].isa)
            continue;
        const struct kernel *portable = kernel_find(rows[i].op, rows[i].dtype, ISA_PORTABLE);
        for (int length = 0; length < N_LENGTHS; length++) {
            for (int variant = 0; variant < 4; variant++) {
                int64_t n = lengths[length];
                float got[MOST], want[MOST];
                double error = 0, power = 0;
                for (int j = 0; j < MOST; j++)
                    got[j] = want[j] = 777;
                run(&rows[i], n, variant, got);
                run(portable, n, variant, want);
                for (int64_t j = 0; j < n; j++) {
                    double difference = (double)got[j] - (double)want[j];
                    error += difference * difference;
                    power += (double)want[j] * (double)want[j];
                }
                if (!(error <= agreement * power + 1e-13))
                    fail_msg("%s n=%lld variant %d: NMSE %g", rows[i].name, (long long)n, variant,
                             error / power);
                for (int64_t j = n; j < MOST; j++)
                    assert_true(got[j] == 777);
            }
        }
    }
}

static void norms_have_unit_power_and_no_mean(void **state)
{
    (void)state;
    float out[MOST];
    double mean = 0, square = 0;
    kernel_find(KERNEL_RMS_NORM, DTYPE_F32, 0)->run.norm(1000, a, NULL, NULL, 0, out);
    for (int i = 0; i < 1000; i++)
        square += (double)out[i] * (double)out[i] / 1000;
    assert_true(fabs(square - 1) < 1e-5);
    kernel_find(KERNEL_LAYER_NORM, DTYPE_F32, 0)->run.norm(1000, a, NULL, NULL, 0, out);
    square = 0;
    for (int i = 0; i < 1000; i++) {
        mean += (double)out[i] / 1000;
        square += (double)out[i] * (double)out[i] / 1000;
    }
    assert_true(fabs(mean) < 1e-6 && fabs(square - 1) < 1e-5);
}

static void rope_keeps_lengths_and_depends_on_distance_alone(void **state)
{
    (void)state;
    enum { D = 64 };
    const struct kernel *rope = kernel_find(KERNEL_ROPE, DTYPE_F32, 0);
    for (int style = ROPE_HALVES; style <= ROPE_PAIRS; style++) {
        double dot[2] = {0, 0};
        for (int shift = 0; shift < 2; shift++) {
            float q[D], k[D], cosine[D], sine[D];
            memcpy(q, a, sizeof q);
            memcpy(k, b, sizeof k);
            kernel_rope_table(7 + 50 * shift, D, 10000, cosine, sine);
            rope->run.rope((enum rope_style)style, 1, D, D, cosine, sine, q);
            kernel_rope_table(3 + 50 * shift, D, 10000, cosine, sine);
            rope->run.rope((enum rope_style)style, 1, D, D, cosine, sine, k);
            double before = 0, after = 0;
            for (int i = 0; i < D; i++) {
                dot[shift] += (double)q[i] * (double)k[i];
                before += (double)a[i] * (double)a[i];
                after += (double)q[i] * (double)q[i];
            }
            assert_true(fabs(before - after) < 1e-4 * before);
        }
        assert_true(fabs(dot[0] - dot[1]) < 1e-3);
    }
}

static void softmax_survives_large_and_distant_logits(void **state)
{
    (void)state;
    unsigned isa;
    int n_rows;
    const struct kernel *rows = kernel_rows(&n_rows);
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_SOFTMAX || (rows[i].isa & isa) != rows[i].isa)
            continue;
        float x[40];
        for (int j = 0; j < 40; j++)
            x[j] = j == 17 ? 3e4f : -3e4f;
        rows[i].run.softmax(40, x);
        assert_true(x[17] == 1 && x[3] >= 0 && x[3] < 1e-30f);
    }
}

static void argmax_takes_the_first_of_equals(void **state)
{
    (void)state;
    unsigned isa;
    int n_rows;
    const struct kernel *rows = kernel_rows(&n_rows);
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_ARGMAX || (rows[i].isa & isa) != rows[i].isa)
            continue;
        for (int64_t n = 1; n < 70; n++) {
            float x[70];
            for (int64_t j = 0; j < n; j++)
                x[j] = j >= n / 3 && j % 2 == n / 3 % 2 ? -1.0f : -2.0f;
            assert_int_equal(rows[i].run.argmax(n, x), n / 3);
        }
    }
}

static void norm_and_activation_work_in_place(void **state)
{
    (void)state;
    unsigned isa;
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    const struct kernel *norm = kernel_find(KERNEL_RMS_NORM, DTYPE_F32, isa);
    const struct kernel *silu = kernel_find(KERNEL_SILU, DTYPE_F32, isa);
    float apart[100], here[100];
    memcpy(here, a, sizeof here);
    norm->run.norm(100, a, b, NULL, 1e-5f, apart);
    norm->run.norm(100, here, b, NULL, 1e-5f, here);
    assert_memory_equal(apart, here, sizeof here);
    memcpy(here, a, sizeof here);
    silu->run.activation(100, a, b, apart);
    silu->run.activation(100, here, b, here);
    assert_memory_equal(apart, here, sizeof here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_row_agrees_with_portable),
        cmocka_unit_test(norms_have_unit_power_and_no_mean),
        cmocka_unit_test(rope_keeps_lengths_and_depends_on_distance_alone),
        cmocka_unit_test(softmax_survives_large_and_distant_logits),
        cmocka_unit_test(argmax_takes_the_first_of_equals),
        cmocka_unit_test(norm_and_activation_work_in_place),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
