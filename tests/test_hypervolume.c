/* Hypervolumes against counting the cells of a grid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "base/memory.h"
#include "base/stats.h"
#include "search/hypervolume.h"

enum { GRID = 6, MAX_POINTS = 12 };

/* Cells of a grid whose lower corner some point reaches: exact where coordinates are whole. */
static double count_cells(const double *point, size_t n, int n_objectives)
{
    int64_t cells = 1, n_dominated = 0;
    for (int k = 0; k < n_objectives; k++)
        cells *= GRID;
    for (int64_t cell = 0; cell < cells; cell++) {
        bool is_dominated = false;
        for (size_t i = 0; i < n; i++) {
            bool reaches = true;
            int64_t rest = cell;
            for (int k = 0; k < n_objectives; k++, rest /= GRID)
                reaches &= point[i * (size_t)n_objectives + (size_t)k] <= (double)(rest % GRID);
            is_dominated |= reaches;
        }
        n_dominated += is_dominated;
    }
    return (double)n_dominated;
}

static double volume_of(const double *point, size_t n, int n_objectives, const double *reference)
{
    double out;
    struct err err;
    if (hypervolume(point, n, n_objectives, reference, &out, &err))
        fail_msg("%s", err.message);
    return out;
}

static void it_is_the_cells_that_are_dominated(void **state)
{
    (void)state;
    static const double reference[] = {GRID, GRID, GRID, GRID};
    struct rng rng;
    rng_init(&rng, 1);
    for (int trial = 0; trial < 2000; trial++) {
        double point[4 * MAX_POINTS];
        int n_objectives = 1 + trial % 4;
        size_t n = (size_t)rng_between(&rng, 0, MAX_POINTS);
        for (size_t i = 0; i < n * (size_t)n_objectives; i++)
            point[i] = (double)rng_between(&rng, 0, GRID + 1);
        assert_true(volume_of(point, n, n_objectives, reference) ==
                    count_cells(point, n, n_objectives));
    }
}

static void points_at_or_beyond_the_reference_add_nothing(void **state)
{
    (void)state;
    static const double point[] = {1, 1, 5, 0, 0, 4, NAN, 0}, reference[] = {3, 4};
    assert_true(volume_of(point, 4, 2, reference) == 6);
    assert_true(volume_of(point, 0, 2, reference) == 0);
}

static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    static const double point[] = {1, 1, 1}, reference[] = {3, 4, 5};
    struct err err;
    double out;
    for (int n = 1; n <= 3; n++) {
        memory_fail_after(n);
        assert_int_equal(hypervolume(point, 1, 3, reference, &out, &err), STATUS_NOMEM);
        memory_fail_after(-1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_cells_that_are_dominated),
        cmocka_unit_test(points_at_or_beyond_the_reference_add_nothing),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
