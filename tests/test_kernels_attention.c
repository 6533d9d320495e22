/* Attention rows against portable, and portable against a softmax written out in doubles.
 *
 * Bounds: f32 sums of d_head and of the context in another order, and exp good to 2e-7: amplitude
 * errors of a few 1e-6 of the output's size, squared. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/stats.h"
#include "kernels/threaded.h"
#include "model/quantize.h"

struct problem {
    struct attention a;
    enum dtype dtype;
    int64_t m, positions;
    uint8_t *cache;
    float *plain; /* keys then values, [2][kv heads][positions][d_head], as read back */
    float *q, alibi[32];
};

/* Caches lie one token after another with the kv heads side by side when `by_token`, else head by
 * head. */
static struct problem problem_new(enum dtype dtype, int64_t m, int64_t first, int64_t n_heads,
                                  int64_t n_kv_heads, int64_t d_head, int by_token)
{
    struct problem p = {.dtype = dtype, .m = m, .positions = first + m};
    int64_t row_bytes = dtype_row_bytes(dtype, d_head);
    int64_t half = n_kv_heads * p.positions;
    struct rng rng;
    rng_init(&rng, (uint64_t)(m * 10007 + first * 101 + d_head));
    p.cache = malloc((size_t)(2 * half * row_bytes));
    p.plain = malloc((size_t)(2 * half * d_head) * sizeof *p.plain);
    p.q = malloc((size_t)(m * n_heads * d_head) * sizeof *p.q);
    assert_true(p.cache != NULL && p.plain != NULL && p.q != NULL);
    p.a = (struct attention){.n_heads = n_heads,
                             .n_kv_heads = n_kv_heads,
                             .d_head = d_head,
                             .k = p.cache,
                             .v = p.cache + half * row_bytes,
                             .head_bytes = by_token ? row_bytes : p.positions * row_bytes,
                             .row_bytes = by_token ? n_kv_heads * row_bytes : row_bytes,
                             .first = first,
                             .scale = 1 / sqrtf((float)d_head)};
    for (int64_t r = 0; r < 2 * half; r++) {
        float *row = p.plain + r * d_head;
        int64_t side = r / half, g = r % half / p.positions, at = r % p.positions;
        uint8_t *stored =
            p.cache + side * half * row_bytes + g * p.a.head_bytes + at * p.a.row_bytes;
        for (int64_t i = 0; i < d_head; i++)
            row[i] = (float)rng_normal(&rng);
        quantize_row(dtype, d_head, row, stored);
        dequantize_row(dtype, d_head, stored, row);
    }
    for (int64_t i = 0; i < m * n_heads * d_head; i++)
        p.q[i] = (float)(2 * rng_normal(&rng));
    for (int h = 0; h < 32; h++)
        p.alibi[h] = (float)pow(2, -h - 1);
    return p;
}

static void problem_free(struct problem *p)
{
    free(p->cache);
    free(p->plain);
    free(p->q);
}

static void run(const struct kernel *kernel, const struct problem *p, float *out)
{
    int64_t width = p->a.n_heads * p->a.d_head;
    void *scratch = memory_new_aligned((size_t)kernel_scratch_bytes(kernel, p->a.d_head));
    assert_non_null(scratch);
    kernel->run.attention(&p->a, p->q, width, out, width, 0, p->m, 0, p->a.n_heads, scratch);
    memory_free(scratch);
}

static void compare(const char *name, int64_t n, const float *got, const float *want, double bound)
{
    double error = 0, power = 0;
    for (int64_t i = 0; i < n; i++) {
        double difference = (double)got[i] - (double)want[i];
        error += difference * difference;
        power += (double)want[i] * (double)want[i];
    }
    if (!(error <= bound * power))
        fail_msg("%s: NMSE %g above %g", name, error / power, bound);
}

static const double agreement = 1e-11;

/* Each feature of `struct attention` that a bit of `features` names. */
static void set_features(struct problem *p, int features)
{
    p->a.window = features & 1 ? 19 : 0;
    p->a.softcap = features & 2 ? 3 : 0;
    p->a.alibi = features & 4 ? p->alibi : NULL;
}

static void every_attention_row_agrees_with_portable(void **state)
{
    (void)state;
    static const struct {
        int64_t m, first, n_heads, n_kv_heads, d_head;
    } shapes[] = {
        {1, 0, 1, 1, 64},    {1, 63, 9, 3, 64},  {1, 64, 8, 8, 32},
        {1, 200, 12, 2, 80}, {1, 1, 5, 1, 7},    {7, 0, 6, 3, 48},
        {33, 20, 4, 4, 64},  {66, 0, 3, 1, 128}, {3, 130, 2, 1, 40},
    };
    unsigned isa;
    int n_rows;
    const struct kernel *rows = kernel_rows(&n_rows);
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    for (int i = 0; i < n_rows; i++) {
        if (rows[i].op != KERNEL_ATTENTION || rows[i].isa == 0 ||
            (rows[i].isa & isa) != rows[i].isa)
            continue;
        const struct kernel *portable = kernel_find(KERNEL_ATTENTION, rows[i].dtype, ISA_PORTABLE);
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            for (int features = 0; features < 8; features++) {
                struct problem p =
                    problem_new(rows[i].dtype, shapes[s].m, shapes[s].first, shapes[s].n_heads,
                                shapes[s].n_kv_heads, shapes[s].d_head, features & 1);
                int64_t n = p.m * p.a.n_heads * p.a.d_head;
                float *got = malloc((size_t)n * sizeof *got);
                float *want = malloc((size_t)n * sizeof *want);
                assert_true(got != NULL && want != NULL);
                set_features(&p, features);
                run(&rows[i], &p, got);
                run(portable, &p, want);
                compare(rows[i].name, n, got, want, agreement);
                free(got);
                free(want);
                problem_free(&p);
            }
        }
    }
}

static double logit(const struct problem *p, int64_t token, int64_t head, int64_t position)
{
    const struct attention *a = &p->a;
    int64_t group = head / (a->n_heads / a->n_kv_heads);
    const float *key = p->plain + (group * p->positions + position) * a->d_head;
    const float *q = p->q + (token * a->n_heads + head) * a->d_head;
    double sum = 0;
    for (int64_t i = 0; i < a->d_head; i++)
        sum += (double)key[i] * (double)q[i];
    sum *= (double)a->scale;
    if (a->alibi != NULL)
        sum += (double)a->alibi[head] * (double)(position - a->first - token);
    return a->softcap > 0 ? (double)a->softcap * tanh(sum / (double)a->softcap) : sum;
}

static void portable_attention_is_a_softmax_over_what_is_seen(void **state)
{
    (void)state;
    for (int features = 0; features < 8; features++) {
        struct problem p = problem_new(DTYPE_F16, 5, 30, 4, 2, 16, 0);
        float got[5 * 4 * 16], want[5 * 4 * 16];
        set_features(&p, features);
        run(kernel_find(KERNEL_ATTENTION, DTYPE_F16, ISA_PORTABLE), &p, got);
        for (int64_t t = 0; t < p.m; t++) {
            for (int64_t h = 0; h < p.a.n_heads; h++) {
                double total = 0, sum[16] = {0};
                int64_t position = p.a.first + t;
                for (int64_t at = 0; at <= position; at++) {
                    if (p.a.window > 0 && position - at >= p.a.window)
                        continue;
                    double weight = exp(logit(&p, t, h, at));
                    const float *value = p.plain + ((2 + h / 2) * p.positions + at) * p.a.d_head;
                    total += weight;
                    for (int i = 0; i < 16; i++)
                        sum[i] += weight * (double)value[i];
                }
                for (int i = 0; i < 16; i++)
                    want[(t * 4 + h) * 16 + i] = (float)(sum[i] / total);
            }
        }
        compare("portable", p.m * 4 * 16, got, want, agreement);
        problem_free(&p);
    }
}

static void one_token_at_a_time_equals_all_at_once(void **state)
{
    (void)state;
    unsigned isa;
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    const struct kernel *kernel = kernel_find(KERNEL_ATTENTION, DTYPE_F16, isa);
    struct problem p = problem_new(DTYPE_F16, 20, 3, 6, 2, 24, 1);
    int64_t width = p.a.n_heads * p.a.d_head;
    float all[20 * 6 * 24], single[20 * 6 * 24];
    run(kernel, &p, all);
    int64_t tokens = p.m, first = p.a.first;
    const float *q = p.q;
    p.m = 1;
    for (int64_t t = 0; t < tokens; t++) {
        struct problem one = p;
        one.a.first = first + t;
        one.q = (float *)(uintptr_t)(q + t * width);
        run(kernel, &one, single + t * width);
    }
    compare("single tokens", tokens * width, single, all, agreement);
    problem_free(&p);
}

static void threads_do_not_change_the_result(void **state)
{
    (void)state;
    unsigned isa;
    assert_int_equal(cpu_isa(NULL, &isa, NULL), STATUS_OK);
    const struct kernel *kernel = kernel_find(KERNEL_ATTENTION, DTYPE_Q8_0, isa);
    struct problem p = problem_new(DTYPE_Q8_0, 4, 90, 9, 3, 64, 0);
    int64_t n = p.m * 9 * 64;
    float one[4 * 9 * 64], three[4 * 9 * 64];
    void *scratch = memory_new_aligned((size_t)(3 * threaded_scratch_bytes(kernel, 64)));
    assert_non_null(scratch);
    threaded_attention(kernel, &p.a, p.m, p.q, one, scratch, 1);
    threaded_attention(kernel, &p.a, p.m, p.q, three, scratch, 3);
    compare("three threads", n, three, one, agreement);
    memory_free(scratch);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_attention_is_a_softmax_over_what_is_seen),
        cmocka_unit_test(every_attention_row_agrees_with_portable),
        cmocka_unit_test(one_token_at_a_time_equals_all_at_once),
        cmocka_unit_test(threads_do_not_change_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
