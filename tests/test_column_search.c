/* What a search by columns keeps, against the front and the top of all rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "search/column_search.h"
#include "search/front.h"
#include "search/loss_scale.h"
#include "tests/column_fixture.h"
#include "tests/quality_fixture.h"

static struct quality_law law;
static const struct workload workload = {128, 128};

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

/* By rows. */
struct reference {
    const struct filter *filter;
    struct front front;
    struct top top;
    int64_t n_passed;
};

static enum status take_rows(const struct candidate *candidates, int64_t n, void *user,
                             struct err *err)
{
    struct reference *reference = user;
    for (int64_t i = 0; i < n; i++) {
        if (!filter_passes(reference->filter, &candidates[i]))
            continue;
        reference->n_passed++;
        if (front_add(&reference->front, &candidates[i], err) != STATUS_OK)
            return STATUS_NOMEM;
        top_add(&reference->top, &candidates[i]);
    }
    return STATUS_OK;
}

/* By columns: what the last call got. */
struct found {
    int64_t position, n_passed, calls, stop_after;
    size_t n;
    int64_t *ids;
    volatile sig_atomic_t stop;
};

static enum status take_best(const struct column_best *best, void *user, struct err *err)
{
    struct found *found = user;
    (void)err;
    free(found->ids);
    assert_true(best->position > found->position);
    found->position = best->position;
    found->n_passed = best->n_passed;
    found->n = best->n;
    found->ids = malloc((best->n + 1) * sizeof *found->ids); /* no failure that tests inject */
    memory_copy(found->ids, best->ids, best->n, sizeof *found->ids);
    found->stop = ++found->calls == found->stop_after;
    return STATUS_OK;
}

static int by_id(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

/* Front and top of the reference, by id and each once; its front and top are gone then. */
static size_t merge(struct reference *reference, struct candidate **out)
{
    size_t n = reference->front.n + reference->top.n, kept = 0;
    struct candidate *all = memory_new(n, sizeof *all);
    memory_copy(all, reference->front.member, reference->front.n, sizeof *all);
    memory_copy(all + reference->front.n, reference->top.member, reference->top.n, sizeof *all);
    qsort(all, n, sizeof *all, by_id);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || all[i].row.id != all[kept - 1].row.id)
            all[kept++] = all[i];
    front_release(&reference->front);
    top_release(&reference->top);
    *out = all;
    return kept;
}

/* Winners priced again are the rows to the bit. */
static void check_picked(const struct pricing *pricing, const struct found *found,
                         const struct candidate *rows, size_t n)
{
    struct candidate *picked = memory_new(n, sizeof *picked);
    assert_int_equal(found->n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(found->ids[i], rows[i].row.id);
    assert_int_equal(pick_candidates(pricing, found->ids, n, 2, picked, NULL), STATUS_OK);
    for (size_t i = 0; i < n; i++) {
        assert_memory_equal(&picked[i].row.price, &rows[i].row.price, sizeof rows[i].row.price);
        assert_memory_equal(&picked[i].row.loss, &rows[i].row.loss, sizeof rows[i].row.loss);
        assert_int_equal(picked[i].row.id, rows[i].row.id);
        assert_int_equal(picked[i].row.params, rows[i].row.params);
        assert_int_equal(picked[i].row.flop_per_token, rows[i].row.flop_per_token);
        assert_int_equal(picked[i].schedule.n_layers, rows[i].schedule.n_layers);
        assert_int_equal(picked[i].row.tie_embeddings, rows[i].row.tie_embeddings);
        assert_string_equal(picked[i].row.sharing, rows[i].row.sharing);
    }
    memory_free(picked);
}

static void check_search(const struct pricing *pricing, const struct filter *filter,
                         const struct objectives *objectives, struct rng *rng)
{
    size_t limit = (size_t)rng_between(rng, 1, 300);
    bool with_top = rng_between(rng, 0, 1) != 0;
    struct reference reference = {.filter = filter};
    struct enumerate_options options = {.n_jobs = 1, .loss = pricing->loss};
    struct candidate *rows;
    front_init(&reference.front, objectives);
    assert_int_equal(top_init(&reference.top, objectives, with_top ? limit : 0, NULL), STATUS_OK);
    assert_int_equal(enumerate_candidates(pricing->enumeration, pricing->machine, pricing->workload,
                                          &options, take_rows, &reference, NULL),
                     STATUS_OK);
    size_t n = merge(&reference, &rows);
    for (int jobs = 1; jobs <= 3; jobs++) {
        struct found found = {0};
        struct column_search search = {.pricing = *pricing,
                                       .filter = filter,
                                       .objectives = objectives,
                                       .n_top = with_top ? limit : 0,
                                       .n_jobs = jobs,
                                       .stretch = jobs == 1 ? 0 : rng_between(rng, 1, 20000),
                                       .stop = &found.stop};
        assert_int_equal(column_search(&search, take_best, &found, NULL), STATUS_OK);
        assert_int_equal(found.position, pricing->enumeration->count);
        assert_int_equal(found.n_passed, reference.n_passed);
        check_picked(pricing, &found, rows, n);
        free(found.ids);
    }
    memory_free(rows);
}

static const char *const objective_sets[][4] = {
    {"decode_ns", "loss_delta_nats"},
    {"decode_ms", "max:params_blocks"},
    {"loss_delta_nats"},
    {"max:decode_tok_s", "peak_mb", "ttft_cold_ms"},
    {"energy_pj_per_token", "max:accuracy_points", "params", "decode_ns"},
    {"d_model", "max:n_layers_effective"},
    {"n_heads", "d_ff"},
};
static const char *const filters[] = {
    NULL,
    "decode_ms<2",
    "sharing!=none and peak_mb<30",
    "tie_embeddings=true, d_model>=192, n_layers>=8",
    "loss_delta_nats<0.3 and prefill_ms<9",
    "fits_app_share=true",
    "dtype=q8_0",
};

/* References of all vocabularies, or of the last one alone. */
static enum status add_references(struct loss_scale *scale, const struct enumeration *e,
                                  bool of_one)
{
    struct space space = *e->space;
    struct enumeration of_last;
    if (!of_one)
        return loss_scale_add_best(scale, e, 1, NULL);
    space.vocab_size = (struct axis){1, {space.vocab_size.value[space.vocab_size.n - 1]}};
    enum status status = enumeration_start(&space, &e->budget, &of_last, NULL);
    if (status != STATUS_OK)
        return STATUS_OK; /* no candidate has it: no reference at all */
    status = loss_scale_add_best(scale, &of_last, 1, NULL);
    enumeration_end(&of_last);
    return status;
}

static void the_same_are_kept_as_of_rows(void **state)
{
    (void)state;
    struct rng rng;
    int n_sets = (int)(sizeof objective_sets / sizeof objective_sets[0]);
    int n_filters = (int)(sizeof filters / sizeof filters[0]), n_searched = 0;
    rng_init(&rng, 41);
    for (int i = 0; i < 70; i++) {
        struct machine machine;
        struct space space;
        struct enumeration e;
        struct loss_scale scale;
        struct objectives objectives = {0};
        struct filter filter;
        int64_t least = rng_between(&rng, 1, 20) * 500000;
        struct budget budget = {least, least + least / 5, least + least / 10};
        random_machine(&rng, &machine);
        draw_column_space(&rng, &space);
        if (enumeration_start(&space, &budget, &e, NULL) != STATUS_OK)
            continue;
        for (int o = 0; o < 4 && objective_sets[i % n_sets][o] != NULL; o++)
            assert_int_equal(objectives_add(&objectives, objective_sets[i % n_sets][o], NULL),
                             STATUS_OK);
        assert_int_equal(filter_parse(filters[rng_between(&rng, 0, n_filters - 1)], &filter, NULL),
                         STATUS_OK);
        assert_int_equal(
            loss_scale_init(&scale, &law, QUALITY_NO_RECIPE, 1e12, space.max_layers, NULL),
            STATUS_OK);
        assert_int_equal(add_references(&scale, &e, i % 3 == 0), STATUS_OK);
        struct pricing pricing = {&e, &machine, &workload,
                                  rng_between(&rng, 0, 5) > 0 ? &scale : NULL};
        if (e.count < 60000) {
            check_search(&pricing, &filter, &objectives, &rng);
            n_searched++;
        }
        loss_scale_release(&scale);
        enumeration_end(&e);
    }
    assert_true(n_searched > 30);
}

static void a_stopped_search_has_the_best_of_what_it_saw(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    struct space space;
    struct enumeration e;
    struct objectives objectives = {0};
    struct filter filter = {0};
    struct err err;
    const struct budget budget = {100000000, 150000000, 125000000};
    rng_init(&rng, 43);
    random_machine(&rng, &machine);
    machine_level_spill(&machine.levels[0], 0);
    space_default(&space);
    assert_int_equal(enumeration_start(&space, &budget, &e, NULL), STATUS_OK);
    assert_int_equal(objectives_add(&objectives, "decode_ns", NULL), STATUS_OK);
    assert_int_equal(objectives_add(&objectives, "max:params", NULL), STATUS_OK);
    struct pricing pricing = {&e, &machine, &workload, NULL};
    struct found found = {.stop_after = 3};
    struct column_search search = {.pricing = pricing,
                                   .filter = &filter,
                                   .objectives = &objectives,
                                   .n_jobs = 2,
                                   .stretch = 10000,
                                   .stop = &found.stop};
    assert_int_equal(column_search(&search, take_best, &found, &err), STATUS_INTERRUPTED);
    assert_true(found.position >= 30000 && found.position < e.count);
    assert_int_equal(found.n_passed, found.position);
    struct candidate *rows = memory_new((size_t)e.count, sizeof *rows);
    struct front front;
    int64_t *ids = memory_new((size_t)found.position, sizeof *ids);
    for (int64_t i = 0; i < found.position; i++)
        ids[i] = i;
    assert_int_equal(pick_candidates(&pricing, ids, (size_t)found.position, 0, rows, NULL),
                     STATUS_OK);
    front_init(&front, &objectives);
    for (int64_t i = 0; i < found.position; i++)
        assert_int_equal(front_add(&front, &rows[i], NULL), STATUS_OK);
    qsort(front.member, front.n, sizeof *front.member, by_id);
    assert_int_equal(front.n, found.n);
    for (size_t i = 0; i < found.n; i++)
        assert_int_equal(front.member[i].row.id, found.ids[i]);
    front_release(&front);
    memory_free(rows);
    memory_free(ids);
    free(found.ids);
    enumeration_end(&e);
}

static void failures_are_reported_and_leak_nothing(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    struct space space;
    struct enumeration e;
    struct objectives objectives;
    struct filter filter = {0};
    struct workload too_long = {1, 1 << 20};
    const struct budget budget = {100000000, 101000000, 100500000};
    rng_init(&rng, 44);
    random_machine(&rng, &machine);
    machine_level_spill(&machine.levels[0], 0);
    space_default(&space);
    objectives_default(&objectives);
    assert_int_equal(enumeration_start(&space, &budget, &e, NULL), STATUS_OK);
    struct found found = {0};
    struct column_search search = {.pricing = {&e, &machine, &workload, NULL},
                                   .filter = &filter,
                                   .objectives = &objectives,
                                   .n_top = 3,
                                   .n_jobs = 1};
    for (int64_t n = 1;; n++) {
        memory_fail_after(n);
        found.position = 0;
        enum status status = column_search(&search, take_best, &found, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_true(n < 100);
    }
    search.pricing.workload = &too_long;
    assert_int_equal(column_search(&search, take_best, &found, NULL), STATUS_RANGE);
    free(found.ids);
    enumeration_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_are_kept_as_of_rows),
        cmocka_unit_test(a_stopped_search_has_the_best_of_what_it_saw),
        cmocka_unit_test(failures_are_reported_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
