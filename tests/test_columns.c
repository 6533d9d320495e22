/* Columns against the rows of the walk: equal to the bit, on every device that comes along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "search/columns.h"
#include "search/loss_scale.h"
#include "tests/column_fixture.h"
#include "tests/device_fixture.h"
#include "tests/quality_fixture.h"

static struct quality_law law;
static int64_t n_compared; /* candidates */

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

/* The metric of every field that a search knows. */
struct metrics {
    size_t n;
    struct metric metric[64];
};

static void all_metrics(struct metrics *out)
{
    out->n = 0;
    for (int i = 0; i < candidate_fields.n; i++) {
        const struct field *field = &candidate_fields.field[i];
        if (!(field->places & IN_SEARCH))
            continue;
        assert_int_equal(metric_parse(field->name, &out->metric[out->n++], NULL), STATUS_OK);
    }
    assert_true(out->n > N_COLUMNS);
}

static double value_at(struct column_source *source, const struct metric *metric, int64_t i)
{
    enum column column = column_of(metric);
    return column == N_COLUMNS ? column_constant(source, metric) : column_fill(source, column)[i];
}

/* In any order, since columns are made from each other. */
static void check_variant(struct column_source *source, const struct columns *columns,
                          const struct metrics *metrics, const struct candidate *rows,
                          struct rng *rng)
{
    double least = column_least(source, COLUMN_LOSS_DELTA);
    size_t first = (size_t)rng_between(rng, 0, (int64_t)metrics->n - 1);
    for (size_t m = 0; m < metrics->n; m++) {
        const struct metric *metric = &metrics->metric[(m + first) % metrics->n];
        for (int64_t i = 0; i < columns->n; i++) {
            double row = metric_value(metric, &rows[i]);
            double column = value_at(source, metric, i);
            if (memcmp(&row, &column, sizeof row) != 0)
                fail_msg("%s of candidate %lld: %a in the row, %a in the column",
                         metric->field->name, (long long)rows[i].row.id, row, column);
        }
    }
    for (int64_t i = 0; i < columns->n; i++) {
        assert_int_equal(rows[i].row.n_layers, columns->low + i);
        assert_true(isnan(rows[i].row.loss.loss_delta_nats) ||
                    rows[i].row.loss.loss_delta_nats >= least);
    }
}

/* Returns how many variants the walk priced. */
static int64_t check_space(const struct space *space, const struct budget *budget,
                           const struct machine *machine, struct rng *rng)
{
    struct metrics metrics;
    struct enumeration e;
    struct loss_scale scale;
    struct column_source *source = NULL;
    struct workload workload = {rng_between(rng, 1, 300), rng_between(rng, 0, 500)};
    struct err err;
    if (enumeration_start(space, budget, &e, &err) != STATUS_OK)
        return 0;
    all_metrics(&metrics);
    assert_int_equal(
        loss_scale_init(&scale, &law, QUALITY_NO_RECIPE, 1e12, space->max_layers, NULL), STATUS_OK);
    assert_int_equal(loss_scale_add_best(&scale, &e, 1, NULL), STATUS_OK);
    struct pricing pricing = {&e, machine, &workload, rng_between(rng, 0, 4) ? &scale : NULL};
    assert_int_equal(column_source_create(&pricing, &source, NULL), STATUS_OK);
    int64_t skip = e.n_shapes > 60 ? (int64_t)e.n_shapes / 30 : 1, walked;
    for (size_t s = 0; s < e.n_shapes; s += (size_t)rng_between(rng, 1, skip)) {
        const struct shape *shape = &e.shapes[s];
        struct candidate *rows = memory_new((size_t)shape->count, sizeof *rows);
        const struct columns *columns;
        int64_t seen = 0;
        shape_price_candidates(&pricing, shape, 0, shape->count, rows);
        column_source_shape(source, shape);
        while ((columns = column_source_next(source)) != NULL) {
            assert_int_equal(columns->first_id, rows[seen].row.id);
            check_variant(source, columns, &metrics, &rows[seen], rng);
            seen += columns->n;
        }
        assert_int_equal(seen, shape->count);
        n_compared += seen;
        memory_free(rows);
    }
    walked = column_source_walked(source);
    column_source_free(source);
    loss_scale_release(&scale);
    enumeration_end(&e);
    return walked;
}

/* Some spread of parameter counts that a space has. */
static struct budget draw_budget(struct rng *rng)
{
    int64_t least = rng_between(rng, 1, 40) * 500000;
    return (struct budget){least, least + least / 2, least + least / 4};
}

static void check_shipped(const char *name)
{
    struct device device;
    struct machine machine;
    struct rng rng;
    struct space space;
    struct budget budget = {100000000, 150000000, 125000000};
    assert_int_equal(device_open(name, &device, NULL), STATUS_OK);
    assert_int_equal(machine_resolve(&device, 0, &machine, NULL), STATUS_OK);
    rng_init(&rng, 31);
    space_default(&space);
    assert_int_equal(check_space(&space, &budget, &machine, &rng), 0);
    for (int i = 0; i < 3; i++) {
        draw_column_space(&rng, &space);
        budget = draw_budget(&rng);
        check_space(&space, &budget, &machine, &rng);
    }
}

static void columns_are_the_rows_on_every_shipped_device(void **state)
{
    (void)state;
    n_compared = 0;
    for_each_shipped(check_shipped);
    assert_true(n_compared > 100000);
}

static void columns_are_the_rows_on_machines_of_every_kind(void **state)
{
    (void)state;
    struct rng rng;
    int64_t walked = 0;
    n_compared = 0;
    rng_init(&rng, 37);
    for (int i = 0; i < 60; i++) {
        struct machine machine;
        struct space space;
        random_machine(&rng, &machine);
        machine.levels[1].capacity_bytes = machine.levels[0].capacity_bytes * 10;
        draw_column_space(&rng, &space);
        struct budget budget = draw_budget(&rng);
        walked += check_space(&space, &budget, &machine, &rng);
    }
    assert_true(walked > 0 && n_compared > 20000);
}

static void a_source_without_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct space space;
    struct enumeration e;
    struct machine machine;
    struct rng rng;
    struct column_source *source;
    const struct workload workload = {16, 16};
    const struct budget budget = {100000000, 150000000, 125000000};
    rng_init(&rng, 2);
    random_machine(&rng, &machine);
    space_default(&space);
    assert_int_equal(enumeration_start(&space, &budget, &e, NULL), STATUS_OK);
    struct pricing pricing = {&e, &machine, &workload, NULL};
    for (int64_t n = 1;; n++) {
        memory_fail_after(n);
        enum status status = column_source_create(&pricing, &source, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_null(source);
    }
    column_source_free(source);
    enumeration_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_the_rows_on_every_shipped_device),
        cmocka_unit_test(columns_are_the_rows_on_machines_of_every_kind),
        cmocka_unit_test(a_source_without_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
