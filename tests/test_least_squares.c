/* Small least squares: against closed forms, a grid and the conditions of an optimum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/least_squares.h"
#include "base/memory.h"
#include "base/stats.h"

enum { MAX_ROWS = 30, MAX_TERMS = 6 };

struct storage {
    double x[MAX_ROWS * MAX_TERMS], y[MAX_ROWS], sigma[MAX_ROWS];
    double mean[MAX_TERMS], scale[MAX_TERMS];
};

static struct least_squares problem_in(struct storage *s, size_t n_rows, int n_terms)
{
    for (int j = 0; j < n_terms; j++) {
        s->mean[j] = 0;
        s->scale[j] = INFINITY;
    }
    for (size_t i = 0; i < n_rows; i++)
        s->sigma[i] = 1;
    return (struct least_squares){.n_terms = n_terms,
                                  .n_rows = n_rows,
                                  .x = s->x,
                                  .y = s->y,
                                  .sigma = s->sigma,
                                  .prior_mean = s->mean,
                                  .prior_scale = s->scale,
                                  .huber = INFINITY};
}

static void solve(const struct least_squares *p, double *theta)
{
    struct err err;
    if (least_squares_solve(p, theta, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static double cost(const struct least_squares *p, const double *theta)
{
    double sum = 0;
    for (size_t i = 0; i < p->n_rows; i++) {
        double r = -p->y[i];
        for (int j = 0; j < p->n_terms; j++)
            r += p->x[i * (size_t)p->n_terms + (size_t)j] * theta[j];
        r = fabs(r) / p->sigma[i];
        sum += r <= p->huber ? r * r / 2 : p->huber * (r - p->huber / 2);
    }
    for (int j = 0; j < p->n_terms; j++)
        if (isfinite(p->prior_scale[j])) {
            double r = (theta[j] - p->prior_mean[j]) / p->prior_scale[j];
            sum += r * r / 2;
        }
    return sum;
}

static void random_problem(struct rng *rng, struct storage *s, struct least_squares *p)
{
    int n_terms = (int)rng_between(rng, 1, MAX_TERMS);
    size_t n_rows = (size_t)rng_between(rng, 1, MAX_ROWS);
    *p = problem_in(s, n_rows, n_terms);
    for (size_t i = 0; i < n_rows; i++) {
        s->y[i] = 3 * rng_normal(rng);
        s->sigma[i] = 0.1 + rng_uniform(rng);
        for (int j = 0; j < n_terms; j++)
            s->x[i * (size_t)n_terms + (size_t)j] = rng_normal(rng);
    }
    for (int j = 0; j < n_terms; j++) {
        s->mean[j] = rng_uniform(rng);
        s->scale[j] = 0.2 + 2 * rng_uniform(rng);
    }
    if (rng_uniform(rng) < 0.5)
        p->huber = 0.5 + rng_uniform(rng);
}

static void a_line_through_two_points_is_found_exactly(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 2, 1, 5}, .y = {7, 16}};
    struct least_squares p = problem_in(&s, 2, 2);
    double theta[2];
    solve(&p, theta);
    assert_true(fabs(theta[0] - 1) < 1e-8 && fabs(theta[1] - 3) < 1e-8);
}

static void one_coefficient_is_the_precision_weighted_mean_of_rows_and_prior(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 1, 1}, .y = {2, 4, 9}};
    struct least_squares p = problem_in(&s, 3, 1);
    s.sigma[0] = 1;
    s.sigma[1] = 2;
    s.sigma[2] = 3;
    s.mean[0] = 10;
    s.scale[0] = 0.5;
    double theta, expected = (2 + 4.0 / 4 + 9.0 / 9 + 10 * 4) / (1 + 1.0 / 4 + 1.0 / 9 + 4);
    solve(&p, &theta);
    assert_true(fabs(theta - expected) < 1e-9);
}

static void
a_coefficient_that_would_be_negative_is_zero_and_the_others_are_solved_without_it(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 1, 1, 2, 1, 3}, .y = {3, 2, 1}};
    struct least_squares p = problem_in(&s, 3, 2);
    double theta[2];
    solve(&p, theta);
    assert_true(fabs(theta[0] - 2) < 1e-8);
    assert_true(theta[1] == 0);
}

static void what_nothing_speaks_of_is_zero(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 0, 2, 0}, .y = {3, 6}};
    struct least_squares p = problem_in(&s, 2, 2);
    double theta[2];
    solve(&p, theta);
    assert_true(fabs(theta[0] - 3) < 1e-8 && theta[1] == 0);
}

static void of_columns_alike_only_the_sum_is_told_and_it_is_right(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 1, 2, 2, 3, 3}, .y = {4, 8, 12}};
    struct least_squares p = problem_in(&s, 3, 2);
    double theta[2];
    solve(&p, theta);
    assert_true(fabs(theta[0] + theta[1] - 4) < 1e-4);
}

/* Convex: no step to a neighbour, inside the bounds, may win. */
static void no_step_from_the_solution_wins(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int round = 0; round < 2000; round++) {
        struct storage s;
        struct least_squares p;
        double theta[MAX_TERMS];
        random_problem(&rng, &s, &p);
        solve(&p, theta);
        double least = cost(&p, theta);
        for (int j = 0; j < p.n_terms; j++) {
            assert_true(theta[j] >= 0);
            for (int sign = -1; sign <= 1; sign += 2) {
                double kept = theta[j];
                theta[j] = fmax(0, theta[j] + sign * 1e-4);
                assert_true(cost(&p, theta) >= least - 1e-7 * (1 + least));
                theta[j] = kept;
            }
        }
        for (int direction = 0; direction < 10; direction++) {
            double moved[MAX_TERMS];
            for (int j = 0; j < p.n_terms; j++)
                moved[j] = fmax(0, theta[j] + 1e-3 * rng_normal(&rng));
            assert_true(cost(&p, moved) >= least - 1e-7 * (1 + least));
        }
    }
}

static void the_solution_is_the_best_point_of_a_grid(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (int round = 0; round < 30; round++) {
        struct storage s;
        struct least_squares p;
        double theta[MAX_TERMS], best = INFINITY;
        do
            random_problem(&rng, &s, &p);
        while (p.n_terms != 2);
        solve(&p, theta);
        for (int a = 0; a <= 300; a++)
            for (int b = 0; b <= 300; b++) {
                const double point[] = {a * 0.02, b * 0.02};
                best = fmin(best, cost(&p, point));
            }
        assert_true(cost(&p, theta) <= best + 1e-9);
    }
}

static void an_outlier_moves_hubers_estimate_less_than_that_of_squares(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    struct storage s;
    struct least_squares p = problem_in(&s, 20, 1);
    for (int i = 0; i < 20; i++) {
        s.x[i] = 1 + i;
        s.y[i] = 2 * (1 + i) * (1 + 0.01 * rng_normal(&rng));
        s.sigma[i] = 0.01 * s.y[i];
    }
    s.y[7] *= 5;
    double squares, huber;
    solve(&p, &squares);
    p.huber = STATS_HUBER;
    solve(&p, &huber);
    assert_true(fabs(squares - 2) > 0.1);
    assert_true(fabs(huber - 2) < 0.02);
}

static void scaling_a_column_scales_its_coefficient_only(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int round = 0; round < 200; round++) {
        struct storage s;
        struct least_squares p;
        double before[MAX_TERMS], after[MAX_TERMS];
        random_problem(&rng, &s, &p);
        p.huber = INFINITY;
        solve(&p, before);
        for (size_t i = 0; i < p.n_rows; i++)
            s.x[i * (size_t)p.n_terms] *= 1e9;
        s.mean[0] /= 1e9;
        s.scale[0] /= 1e9;
        solve(&p, after);
        assert_true(fabs(after[0] * 1e9 - before[0]) < 1e-7 * (1 + before[0]));
        for (int j = 1; j < p.n_terms; j++)
            assert_true(fabs(after[j] - before[j]) < 1e-7 * (1 + before[j]));
    }
}

static void a_row_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    struct storage s = {.x = {1, 1}, .y = {1, NAN}};
    struct least_squares p = problem_in(&s, 2, 1);
    double theta;
    struct err err;
    assert_int_equal(least_squares_solve(&p, &theta, &err), STATUS_RANGE);
    s.y[1] = 1;
    s.sigma[1] = 0;
    assert_int_equal(least_squares_solve(&p, &theta, &err), STATUS_RANGE);
    s.sigma[1] = 1;
    memory_fail_after(1);
    assert_int_equal(least_squares_solve(&p, &theta, &err), STATUS_NOMEM);
    memory_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_through_two_points_is_found_exactly),
        cmocka_unit_test(one_coefficient_is_the_precision_weighted_mean_of_rows_and_prior),
        cmocka_unit_test(
            a_coefficient_that_would_be_negative_is_zero_and_the_others_are_solved_without_it),
        cmocka_unit_test(what_nothing_speaks_of_is_zero),
        cmocka_unit_test(of_columns_alike_only_the_sum_is_told_and_it_is_right),
        cmocka_unit_test(no_step_from_the_solution_wins),
        cmocka_unit_test(the_solution_is_the_best_point_of_a_grid),
        cmocka_unit_test(an_outlier_moves_hubers_estimate_less_than_that_of_squares),
        cmocka_unit_test(scaling_a_column_scales_its_coefficient_only),
        cmocka_unit_test(a_row_that_is_not_finite_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
