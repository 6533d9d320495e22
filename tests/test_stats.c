#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"

enum { rounds = 300, longest = 24 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Few distinct values, so that ties are common. */
static size_t draw(struct rng *rng, double *values)
{
    size_t n = (size_t)rng_between(rng, 1, longest);
    for (size_t i = 0; i < n; i++)
        values[i] = (double)rng_between(rng, -6, 6) / 4;
    return n;
}

static bool is_close(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (1 + fabs(a) + fabs(b));
}

static void median_and_mad_are_those_of_the_definition(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int round = 0; round < rounds; round++) {
        double values[longest], sorted[longest];
        size_t n = draw(&rng, values);
        memcpy(sorted, values, sizeof sorted);
        qsort(sorted, n, sizeof *sorted, by_value);
        double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        assert_true(is_close(stats_median(values, n), median));
        for (size_t i = 0; i < n; i++)
            sorted[i] = fabs(sorted[i] - median);
        qsort(sorted, n, sizeof *sorted, by_value);
        assert_true(is_close(stats_mad(values, n), (sorted[(n - 1) / 2] + sorted[n / 2]) / 2));
        qsort(values, n, sizeof *values, by_value);
        assert_true(is_close(stats_median(values, n), median));
    }
}

static void quantiles_rise_with_q_and_end_at_the_extremes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int round = 0; round < rounds; round++) {
        double values[longest];
        size_t n = draw(&rng, values);
        double least = values[0], greatest = values[0], last = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            least = fmin(least, values[i]);
            greatest = fmax(greatest, values[i]);
        }
        for (int i = 0; i <= 20; i++) {
            double quantile = stats_quantile(values, n, i / 20.0);
            assert_true(quantile >= last - 1e-15);
            last = quantile;
        }
        assert_true(stats_quantile(values, n, 0) == least);
        assert_true(stats_quantile(values, n, 1) == greatest);
    }
    double four[] = {1, 2, 3, 4};
    assert_true(is_close(stats_quantile(four, 4, 0.25), 1.75)); /* R: quantile(1:4, .25) */
}

static void the_spread_does_not_depend_on_where_the_values_lie(void **state)
{
    (void)state;
    double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    assert_true(is_close(stats_mean(values, 8), 5));
    assert_true(is_close(stats_stddev(values, 8), sqrt(32.0 / 7)));
    for (int i = 0; i < 8; i++)
        values[i] += 1e6;
    assert_true(fabs(stats_stddev(values, 8) - sqrt(32.0 / 7)) < 1e-9);
    assert_true(stats_stddev(values, 1) == 0);
}

static double sign(double x)
{
    return (x > 0) - (x < 0);
}

static double slow_kendall(const double *x, const double *y, size_t n)
{
    double score = 0, untied_x = 0, untied_y = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            score += sign(x[i] - x[j]) * sign(y[i] - y[j]);
            untied_x += x[i] != x[j];
            untied_y += y[i] != y[j];
        }
    }
    return untied_x > 0 && untied_y > 0 ? score / sqrt(untied_x * untied_y) : NAN;
}

static double mean_rank(const double *values, size_t n, size_t of)
{
    double rank = 0;
    for (size_t i = 0; i < n; i++)
        rank += (values[i] < values[of]) + 0.5 * (values[i] == values[of]);
    return rank;
}

static double slow_spearman(const double *x, const double *y, size_t n)
{
    double xx = 0, yy = 0, xy = 0, middle = (double)n / 2;
    for (size_t i = 0; i < n; i++) {
        double a = mean_rank(x, n, i) - middle, b = mean_rank(y, n, i) - middle;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static void rank_correlations_equal_their_definitions(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < rounds; round++) {
        double x[longest], y[longest];
        size_t n = draw(&rng, x);
        for (size_t i = 0; i < n; i++)
            y[i] = rng_uniform(&rng) < 0.5 ? x[i] : (double)rng_between(&rng, -3, 3);
        double kendall = stats_kendall(x, y, n), spearman = stats_spearman(x, y, n);
        double slow = slow_kendall(x, y, n);
        assert_int_equal(isnan(kendall) != 0, isnan(slow) != 0);
        assert_int_equal(isnan(spearman) != 0, isnan(slow) != 0);
        if (!isnan(slow)) {
            assert_true(is_close(kendall, slow));
            assert_true(is_close(spearman, slow_spearman(x, y, n)));
        }
    }
}

static void rank_correlation_sees_order_only(void **state)
{
    (void)state;
    double x[50], up[50], down[50];
    for (int i = 0; i < 50; i++) {
        x[i] = i;
        up[i] = exp(i);
        down[i] = -exp(i);
    }
    assert_true(is_close(stats_kendall(x, up, 50), 1));
    assert_true(is_close(stats_spearman(x, up, 50), 1));
    assert_true(is_close(stats_kendall(x, down, 50), -1));
    assert_true(is_close(stats_spearman(x, down, 50), -1));
    assert_true(isnan(stats_kendall(x, up, 1)));
    for (int n = 1; n <= 3; n++) {
        memory_fail_after(n);
        assert_true(isnan(stats_spearman(x, up, 50)));
        memory_fail_after(n < 3 ? n : 2);
        assert_true(isnan(stats_kendall(x, up, 50)));
    }
    memory_fail_after(-1);
}

static void the_generator_is_the_published_one(void **state)
{
    (void)state;
    /* splitmix64 from 0 fills the state with these, its first four published outputs */
    struct rng rng;
    rng_init(&rng, 0);
    assert_true(rng.state[0] == 0xe220a8397b1dcdaf && rng.state[1] == 0x6e789e6aa1b965f4);
    assert_true(rng.state[2] == 0x06c45d188009454f && rng.state[3] == 0xf88bb8a8724c81ec);
    /* xoshiro256** from the state 1 2 3 4 */
    static const uint64_t published[] = {11520, 0, 1509978240, 1215971899390074240};
    rng = (struct rng){{1, 2, 3, 4}};
    for (int i = 0; i < 4; i++)
        assert_true(rng_next(&rng) == published[i]);
}

static void draws_stay_in_their_range_and_reach_its_ends(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 6);
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        int64_t drawn = rng_between(&rng, -3, 3);
        assert_true(drawn >= -3 && drawn <= 3);
        seen[drawn + 3]++;
        double uniform = rng_uniform(&rng);
        assert_true(uniform >= 0 && uniform < 1);
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(rng_between(&rng, 5, 5), 5);
    rng_between(&rng, INT64_MIN, INT64_MAX);
}

static void normal_draws_have_mean_0_and_variance_1(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 8);
    enum { n = 20000 };
    double *values = memory_new(n, sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < n; i++)
        values[i] = rng_normal(&rng);
    assert_true(fabs(stats_mean(values, n)) < 0.03);
    assert_true(fabs(stats_stddev(values, n) - 1) < 0.03);
    assert_true(fabs(STATS_SIGMA_PER_MAD * stats_mad(values, n) - 1) < 0.05);
    memory_free(values);
}

static void a_reservoir_keeps_all_until_it_is_full_and_each_alike_afterwards(void **state)
{
    (void)state;
    enum { capacity = 10, stream = 100, repeats = 2000 };
    int kept[stream] = {0};
    for (uint64_t seed = 1; seed <= repeats; seed++) {
        struct reservoir reservoir;
        int held[capacity];
        reservoir_init(&reservoir, capacity, seed);
        for (int i = 0; i < stream; i++) {
            size_t place = reservoir_place(&reservoir);
            if (i < capacity)
                assert_int_equal(place, i);
            if (place < capacity)
                held[place] = i;
        }
        for (int k = 0; k < capacity; k++)
            kept[held[k]]++;
    }
    for (int i = 0; i < stream; i++) /* a tenth of 2000, six sigmas around it */
        assert_in_range(kept[i], 120, 280);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_and_mad_are_those_of_the_definition),
        cmocka_unit_test(quantiles_rise_with_q_and_end_at_the_extremes),
        cmocka_unit_test(the_spread_does_not_depend_on_where_the_values_lie),
        cmocka_unit_test(rank_correlations_equal_their_definitions),
        cmocka_unit_test(rank_correlation_sees_order_only),
        cmocka_unit_test(the_generator_is_the_published_one),
        cmocka_unit_test(draws_stay_in_their_range_and_reach_its_ends),
        cmocka_unit_test(normal_draws_have_mean_0_and_variance_1),
        cmocka_unit_test(a_reservoir_keeps_all_until_it_is_full_and_each_alike_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
