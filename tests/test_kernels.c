/* Every matrix row that this machine can run against portable, and portable against doubles.
 *
 * Bounds follow from the formats. Rows of one type see the same integers or floats and differ in
 * the order of f32 additions alone: k roundings of 2^-24 that add like a random walk, so
 * NMSE <= k 2^-48 times a margin. Quantising activations to int8 costs step^2 / 12 with step =
 * max|x| / 127, and max^2 <= 32 mean x^2 within a block: NMSE <= 32 / (12 127^2). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/stats.h"
#include "kernels/kernel.h"
#include "model/quantize.h"

static const int64_t widths[] = {1,  2,  7,   15,  16,  17,  31,  32,  33,  48,  63,  64,
                                 65, 96, 100, 127, 128, 130, 160, 256, 320, 576, 577, 1056};
static const int64_t heights[] = {1, 2, 3, 5, 16, 17, 37};
enum {
    N_WIDTHS = sizeof widths / sizeof *widths,
    N_HEIGHTS = sizeof heights / sizeof *heights,
};

/* Random weights and activations of one shape. The weights end at a page that cannot be read, so
 * that a read beyond them is seen, and start wherever that puts them. */
enum { PAGE = 65536 }; /* a multiple of any page size in use */

struct problem {
    enum dtype dtype;
    int64_t m, n, k;
    uint8_t *storage, *wall, *w;
    float *plain, *x; /* the weights as read back; [m, k] */
};

static struct problem problem_new(enum dtype dtype, int64_t m, int64_t n, int64_t k, uint64_t seed)
{
    struct problem p = {.dtype = dtype, .m = m, .n = n, .k = k};
    int64_t row_bytes = dtype_row_bytes(dtype, k);
    struct rng rng;
    rng_init(&rng, seed);
    int64_t pages = (n * row_bytes + PAGE - 1) / PAGE * PAGE;
    void *storage = NULL;
    assert_int_equal(posix_memalign(&storage, PAGE, (size_t)(pages + PAGE)), 0);
    p.storage = storage;
    p.wall = p.storage + pages;
    p.plain = malloc((size_t)(n * k) * sizeof *p.plain);
    p.x = malloc((size_t)(m * k) * sizeof *p.x);
    assert_true(p.plain != NULL && p.x != NULL);
    p.w = p.wall - n * row_bytes;
    for (int64_t r = 0; r < n; r++) {
        float *row = p.plain + r * k;
        for (int64_t i = 0; i < k; i++)
            row[i] = (float)rng_normal(&rng);
        quantize_row(dtype, k, row, p.w + r * row_bytes);
        dequantize_row(dtype, k, p.w + r * row_bytes, row);
    }
    for (int64_t i = 0; i < m * k; i++)
        p.x[i] = (float)rng_normal(&rng);
    assert_int_equal(mprotect(p.wall, PAGE, PROT_NONE), 0);
    return p;
}

static void problem_free(struct problem *p)
{
    assert_int_equal(mprotect(p->wall, PAGE, PROT_READ | PROT_WRITE), 0);
    free(p->storage);
    free(p->plain);
    free(p->x);
}

/* y: [m, n]. Rows outside begin .. end keep what they had. */
static void run(const struct kernel *kernel, const struct problem *p, float *y, int64_t begin,
                int64_t end)
{
    int64_t x_bytes = kernel_prepared_bytes(kernel, p->k);
    uint8_t *prepared = memory_new_aligned((size_t)(x_bytes * p->m));
    void *scratch = memory_new_aligned((size_t)kernel_scratch_bytes(kernel, p->k) + 64);
    assert_true(prepared != NULL && scratch != NULL);
    const void *x = p->x;
    for (int64_t t = 0; t < p->m && kernel->prepare != NULL; t++)
        kernel->prepare(p->k, p->x + t * p->k, prepared + t * x_bytes);
    if (kernel->prepare != NULL)
        x = prepared;
    if (kernel->op == KERNEL_MATVEC)
        kernel->run.matvec(p->k, p->w, x, y, begin, end);
    else
        kernel->run.matmul(p->m, p->k, p->w, x, x_bytes, y, p->n, begin, end, scratch);
    memory_free(prepared);
    memory_free(scratch);
}

static double nmse(int64_t n, const float *got, const float *want)
{
    double error = 0, power = 0;
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)got[i] - (double)want[i];
        error += difference * difference;
        power += (double)want[i] * (double)want[i];
    }
    return power > 0 ? error / power : error;
}

static unsigned detected(void)
{
    unsigned isa = 0;
    struct err err;
    assert_int_equal(cpu_isa(NULL, &isa, &err), STATUS_OK);
    return isa;
}

static void check_against_portable(const struct kernel *row, int64_t m, int64_t n, int64_t k)
{
    const struct kernel *portable = kernel_find(row->op, row->dtype, ISA_PORTABLE);
    struct problem p = problem_new(row->dtype, m, n, k, (uint64_t)(m * 1000000 + n * 10000 + k));
    float *got = malloc((size_t)(m * n) * sizeof *got);
    float *want = malloc((size_t)(m * n) * sizeof *want);
    assert_true(got != NULL && want != NULL);
    run(row, &p, got, 0, n);
    run(portable, &p, want, 0, n);
    /* A short sum may cancel: the error is then large beside y, but not beside its terms. */
    double bound = 16 * (double)(k + 4) * 0x1p-48;
    double found = 0, power = 0;
    for (int64_t i = 0; i < m * n; i++) {
        found += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
        power += (double)want[i] * (double)want[i];
    }
    double terms = (double)(m * n * k);
    if (!(found <= bound * fmax(power, terms)))
        fail_msg("%s m=%lld n=%lld k=%lld: error %g above %g", row->name, (long long)m,
                 (long long)n, (long long)k, found, bound * fmax(power, terms));
    free(got);
    free(want);
    problem_free(&p);
}

static void every_matvec_row_agrees_with_portable(void **state)
{
    (void)state;
    int n_rows;
    unsigned isa = detected();
    const struct kernel *rows = kernel_rows(&n_rows);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_MATVEC || rows[i].isa == 0 || (rows[i].isa & isa) != rows[i].isa)
            continue;
        for (int w = 0; w < N_WIDTHS; w++) {
            for (int h = 0; h < N_HEIGHTS; h++)
                check_against_portable(&rows[i], 1, heights[h], widths[w]);
        }
    }
}

static void every_matmul_row_agrees_with_portable(void **state)
{
    (void)state;
    static const int64_t tokens[] = {1, 2, 3, 4, 7, 8, 13, 33};
    int n_rows;
    unsigned isa = detected();
    const struct kernel *rows = kernel_rows(&n_rows);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_MATMUL || rows[i].isa == 0 || (rows[i].isa & isa) != rows[i].isa)
            continue;
        for (size_t t = 0; t < sizeof tokens / sizeof *tokens; t++) {
            for (int w = 0; w < N_WIDTHS; w++)
                check_against_portable(&rows[i], tokens[t], heights[w % N_HEIGHTS], widths[w]);
            check_against_portable(&rows[i], tokens[t], 70, 1056);
        }
    }
}

static void portable_agrees_with_doubles(void **state)
{
    (void)state;
    for (enum dtype dtype = 0; dtype < N_DTYPES; dtype++) {
        if (!quantize_supports(dtype) || dtype == DTYPE_B1)
            continue;
        const struct kernel *kernel = kernel_find(KERNEL_MATVEC, dtype, ISA_PORTABLE);
        assert_non_null(kernel);
        struct problem p = problem_new(dtype, 1, 64, 577, 7);
        float got[64], want[64];
        run(kernel, &p, got, 0, p.n);
        for (int64_t r = 0; r < p.n; r++) {
            double sum = 0;
            for (int64_t i = 0; i < p.k; i++)
                sum += (double)p.plain[r * p.k + i] * (double)p.x[i];
            want[r] = (float)sum;
        }
        double bound = kernel->prepare == NULL ? 16 * 577 * 0x1p-48 : 32 / (12 * 127.0 * 127.0);
        assert_true(nmse(p.n, got, want) <= bound);
        problem_free(&p);
    }
}

static void portable_b1_is_signs_times_scales(void **state)
{
    (void)state;
    struct problem p = problem_new(DTYPE_B1, 1, 9, 77, 3);
    float got[9];
    run(kernel_find(KERNEL_MATVEC, DTYPE_B1, ISA_PORTABLE), &p, got, 0, p.n);
    double scale = 0;
    for (int64_t i = 0; i < p.k; i++)
        scale += fabs((double)p.x[i]) / (double)p.k;
    for (int64_t r = 0; r < p.n; r++) {
        double sum = 0;
        for (int64_t i = 0; i < p.k; i++)
            sum += (double)p.plain[r * p.k + i] * (p.x[i] >= 0 ? scale : -scale);
        assert_true(fabs(sum - (double)got[r]) <= 1e-5 * (1 + fabs(sum)));
    }
    problem_free(&p);
}

static void slices_make_the_whole_and_touch_nothing_else(void **state)
{
    (void)state;
    int n_rows;
    unsigned isa = detected();
    const struct kernel *rows = kernel_rows(&n_rows);
    for (int i = 0; i < n_rows; i++) {
        if ((rows[i].op != KERNEL_MATVEC && rows[i].op != KERNEL_MATMUL) ||
            (rows[i].isa & isa) != rows[i].isa)
            continue;
        struct problem p =
            problem_new(rows[i].dtype, rows[i].op == KERNEL_MATVEC ? 1 : 5, 37, 100, (uint64_t)i);
        float whole[5 * 37], sliced[5 * 37];
        run(&rows[i], &p, whole, 0, 37);
        for (int j = 0; j < 5 * 37; j++)
            sliced[j] = NAN;
        run(&rows[i], &p, sliced, 3, 20);
        for (int j = 0; j < p.m * 37; j++) {
            if (j % 37 < 3 || j % 37 >= 20)
                assert_true(isnan((double)sliced[j]));
        }
        run(&rows[i], &p, sliced, 0, 3);
        run(&rows[i], &p, sliced, 20, 37);
        assert_true(nmse(p.m * 37, sliced, whole) <= 16 * 100 * 0x1p-48);
        problem_free(&p);
    }
}

static void quantised_zeros_stay_zeros(void **state)
{
    (void)state;
    int n_rows;
    unsigned isa = detected();
    const struct kernel *rows = kernel_rows(&n_rows);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_MATVEC || (rows[i].isa & isa) != rows[i].isa)
            continue;
        struct problem p = problem_new(rows[i].dtype, 1, 4, 96, 5);
        memset(p.x, 0, 96 * sizeof *p.x);
        float y[4];
        run(&rows[i], &p, y, 0, 4);
        for (int r = 0; r < 4; r++)
            assert_true(y[r] == 0);
        problem_free(&p);
    }
}

static void every_read_row_sums_any_length_and_alignment(void **state)
{
    (void)state;
    int n_rows;
    unsigned isa = detected();
    const struct kernel *rows = kernel_rows(&n_rows);
    const struct kernel *portable = kernel_find(KERNEL_READ, DTYPE_F32, ISA_PORTABLE);
    for (int64_t bytes = 0; bytes < 1500; bytes += bytes < 300 ? 1 : 37) {
        uint8_t *data = malloc((size_t)bytes + 3);
        assert_non_null(data);
        for (int64_t i = 0; i < bytes; i++)
            data[3 + i] = (uint8_t)(i * i * 31 + 17 * i);
        for (int i = 0; i < n_rows; i++) {
            if (rows[i].op == KERNEL_READ && (rows[i].isa & isa) == rows[i].isa)
                assert_int_equal(rows[i].run.read(data + 3, bytes),
                                 portable->run.read(data + 3, bytes));
        }
        free(data);
    }
}

static void every_operator_and_type_has_a_portable_row(void **state)
{
    (void)state;
    for (enum dtype dtype = 0; dtype < N_DTYPES; dtype++) {
        if (!quantize_supports(dtype))
            continue;
        assert_non_null(kernel_find(KERNEL_MATVEC, dtype, ISA_PORTABLE));
        assert_non_null(kernel_find(KERNEL_MATMUL, dtype, ISA_PORTABLE));
        assert_non_null(kernel_find(KERNEL_EMBED, dtype, ISA_PORTABLE));
    }
    assert_null(kernel_find(KERNEL_MATVEC, DTYPE_Q2_K, ~0u));
}

static void rows_come_best_first(void **state)
{
    (void)state;
    int n_rows;
    const struct kernel *rows = kernel_rows(&n_rows);
    for (int i = 0; i < n_rows; i++) {
        for (int j = i + 1; j < n_rows; j++) {
            if (rows[i].op == rows[j].op && rows[i].dtype == rows[j].dtype)
                assert_true(rows[i].isa > rows[j].isa);
        }
        assert_ptr_equal(kernel_find(rows[i].op, rows[i].dtype, rows[i].isa), &rows[i]);
    }
}

static void a_name_narrows_the_instruction_sets(void **state)
{
    (void)state;
    unsigned isa = ~0u;
    struct err err;
    assert_int_equal(cpu_isa("portable", &isa, &err), STATUS_OK);
    assert_int_equal(isa, 0);
    assert_int_equal(cpu_isa("best", &isa, &err), STATUS_OK);
    assert_int_equal(isa, cpu_detect());
    assert_int_equal(cpu_isa("avx513", &isa, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "avx512"));
    if (!(cpu_detect() & ISA_NEON))
        assert_int_equal(cpu_isa("neon", &isa, &err), STATUS_UNSUPPORTED);
    if (cpu_detect() & ISA_AVX2) {
        assert_int_equal(cpu_isa("avx2", &isa, &err), STATUS_OK);
        assert_int_equal(isa, ISA_AVX2);
    }
}

static void parts_of_a_slice_cover_it_once(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 200; n++) {
        for (int parts = 1; parts < 6; parts++) {
            int64_t at = 0;
            for (int part = 0; part < parts; part++) {
                int64_t begin, end;
                kernel_slice(n, 16, part, parts, &begin, &end);
                assert_int_equal(begin, at);
                assert_true(end >= begin && (end % 16 == 0 || end == n));
                at = end;
            }
            assert_int_equal(at, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_and_type_has_a_portable_row),
        cmocka_unit_test(rows_come_best_first),
        cmocka_unit_test(a_name_narrows_the_instruction_sets),
        cmocka_unit_test(parts_of_a_slice_cover_it_once),
        cmocka_unit_test(portable_agrees_with_doubles),
        cmocka_unit_test(portable_b1_is_signs_times_scales),
        cmocka_unit_test(every_matvec_row_agrees_with_portable),
        cmocka_unit_test(every_matmul_row_agrees_with_portable),
        cmocka_unit_test(slices_make_the_whole_and_touch_nothing_else),
        cmocka_unit_test(quantised_zeros_stay_zeros),
        cmocka_unit_test(every_read_row_sums_any_length_and_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
