/* The knee and the representatives of random fronts, against all subsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/stats.h"
#include "search/decide.h"
#include "search/hypervolume.h"

enum { MOST = 10, FRONTS = 150 };

static double draw(struct rng *rng)
{
    return (double)rng_between(rng, 0, 1000) / 1000;
}

static bool beats(const double *a, const double *b, int m)
{
    bool all = true;
    for (int o = 0; o < m; o++)
        all = all && a[o] <= b[o];
    return all;
}

/* A front of points that none beats, shuffled as drawn. */
static size_t draw_front(struct rng *rng, int m, double *out)
{
    size_t n = 0;
    for (int tries = 0; tries < 60 && n < MOST; tries++) {
        double p[3];
        bool fits = true;
        for (int o = 0; o < m; o++)
            p[o] = draw(rng);
        for (size_t i = 0; i < n; i++)
            fits = fits && !beats(out + i * (size_t)m, p, m) && !beats(p, out + i * (size_t)m, m);
        if (fits)
            memcpy(out + (size_t)m * n++, p, (size_t)m * sizeof *p);
    }
    return n;
}

/* In place. */
static void to_unit(double *point, size_t n, int m)
{
    for (int o = 0; o < m; o++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            low = fmin(low, point[i * (size_t)m + (size_t)o]);
            high = fmax(high, point[i * (size_t)m + (size_t)o]);
        }
        for (size_t i = 0; i < n; i++) {
            double *at = &point[i * (size_t)m + (size_t)o];
            *at = high > low ? (*at - low) / (high - low) : 0;
        }
    }
}

static double volume_of(const double *point, size_t n, int m, unsigned set, double reference)
{
    double some[MOST * 3], corner[3] = {reference, reference, reference}, volume;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (set >> i & 1)
            memcpy(some + (size_t)m * kept++, point + i * (size_t)m, (size_t)m * sizeof *some);
    assert_int_equal(hypervolume(some, kept, m, corner, &volume, NULL), STATUS_OK);
    return volume;
}

static double best_of_all_subsets(const double *point, size_t n, int m, size_t k, double reference)
{
    double best = 0;
    for (unsigned set = 0; set < 1U << n; set++)
        if ((size_t)__builtin_popcount(set) == k)
            best = fmax(best, volume_of(point, n, m, set, reference));
    return best;
}

static void check_picks(int m, double least_share)
{
    struct rng rng;
    rng_init(&rng, 71);
    for (int f = 0; f < FRONTS; f++) {
        double point[MOST * 3];
        size_t picked[MOST], n_picked, n = draw_front(&rng, m, point);
        size_t k = (size_t)rng_between(&rng, 1, MOST);
        assert_int_equal(decide_pick(point, n, m, k, picked, &n_picked, NULL), STATUS_OK);
        assert_int_equal(n_picked, k < n ? k : n);
        unsigned set = 0;
        for (size_t i = 0; i < n_picked; i++) {
            assert_true(i == 0 || picked[i] > picked[i - 1]);
            set |= 1U << picked[i];
        }
        to_unit(point, n, m);
        double reference = n_picked > 1 ? 1 + 1 / (double)(n_picked - 1) : 2;
        double best = best_of_all_subsets(point, n, m, n_picked, reference);
        assert_true(volume_of(point, n, m, set, reference) >= least_share * best - 1e-12);
    }
}

static void of_two_objectives_no_subset_has_more_hypervolume(void **state)
{
    (void)state;
    check_picks(2, 1);
}

static void of_three_objectives_greed_keeps_its_bound(void **state)
{
    (void)state;
    check_picks(3, 1 - 1 / exp(1));
}

/* Distance from the chord, by its formula. */
static void the_knee_is_furthest_from_the_chord(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 72);
    for (int f = 0; f < FRONTS; f++) {
        double point[MOST * 2], furthest = -INFINITY, at_knee = 0;
        size_t knee, first = 0, last = 0, n = draw_front(&rng, 2, point);
        assert_int_equal(decide_knee(point, n, 2, &knee, NULL), STATUS_OK);
        to_unit(point, n, 2);
        for (size_t i = 0; i < n; i++) {
            first = point[2 * i] < point[2 * first] ? i : first;
            last = point[2 * i] > point[2 * last] ? i : last;
        }
        double dx = point[2 * last] - point[2 * first];
        double dy = point[2 * last + 1] - point[2 * first + 1];
        for (size_t i = 0; i < n; i++) {
            double distance = -(dx * (point[2 * i + 1] - point[2 * first + 1]) -
                                dy * (point[2 * i] - point[2 * first]));
            furthest = fmax(furthest, distance);
            at_knee = i == knee ? distance : at_knee;
        }
        assert_true(at_knee >= furthest - 1e-12);
    }
}

static void the_knee_of_three_objectives_is_their_least_sum(void **state)
{
    const double point[] = {0, 5, 30, 1, 0, 40, 2, 10, 0, 0.5, 2, 10};
    size_t knee;
    (void)state;
    assert_int_equal(decide_knee(point, 4, 3, &knee, NULL), STATUS_OK);
    assert_int_equal(knee, 3);
}

/* An energy that nobody knows, say: all alike in it. One point alone is its own knee. */
static void unknown_values_and_lone_points_do_no_harm(void **state)
{
    const double point[] = {0, INFINITY, 3, INFINITY};
    size_t knee = 9, picked[5], n;
    (void)state;
    assert_int_equal(decide_knee(point, 2, 2, &knee, NULL), STATUS_OK);
    assert_int_equal(knee, 0);
    assert_int_equal(decide_pick(point, 1, 2, 5, picked, &n, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(picked[0], 0);
}

static void a_gain_is_had_where_nothing_else_gets_worse(void **state)
{
    const double front[] = {1, 9, 2, 5, 4, 1}, from[] = {3, 6}, best[] = {1, 9};
    (void)state;
    assert_float_equal(decide_gain(front, 3, 2, from, 0), 1, 0);
    assert_float_equal(decide_gain(front, 3, 2, from, 1), 1, 0);
    assert_float_equal(decide_gain(front, 3, 2, best, 0), 0, 0);
    assert_float_equal(decide_gain(front, 3, 2, best, 1), 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_objectives_no_subset_has_more_hypervolume),
        cmocka_unit_test(of_three_objectives_greed_keeps_its_bound),
        cmocka_unit_test(the_knee_is_furthest_from_the_chord),
        cmocka_unit_test(the_knee_of_three_objectives_is_their_least_sum),
        cmocka_unit_test(unknown_values_and_lone_points_do_no_harm),
        cmocka_unit_test(a_gain_is_had_where_nothing_else_gets_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
