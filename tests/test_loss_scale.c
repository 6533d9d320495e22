/* What candidates are worth: against the law itself, and the best of a search against all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "quality/shape_of.h"
#include "search/loss_scale.h"
#include "tests/quality_fixture.h"
#include "tests/random_net.h"

static struct quality_law law;
static const struct workload workload = {128, 128};

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return 0;
}

struct list {
    struct candidate *row;
    size_t n, capacity;
};

static enum status keep(const struct candidate *candidates, int64_t n, void *user, struct err *err)
{
    struct list *list = user;
    void *array = list->row;
    enum status status =
        memory_grow(&array, &list->capacity, list->n + (size_t)n, sizeof *list->row, err);
    list->row = array;
    if (status != STATUS_OK)
        return status;
    memcpy(list->row + list->n, candidates, (size_t)n * sizeof *candidates);
    list->n += (size_t)n;
    return STATUS_OK;
}

static void axis_of(struct rng *rng, struct axis *axis, int64_t step, int64_t most)
{
    axis->n = 0;
    for (int64_t v = step; v <= most; v += step)
        if (rng_between(rng, 0, 2) == 0)
            axis->value[axis->n++] = v;
    if (axis->n == 0)
        axis->value[axis->n++] = step;
}

/* Every sharing mode, wide and 8-bit and 4-bit weights, two vocabularies. */
static void draw_space(struct rng *rng, struct space *space)
{
    static const struct schedule schedules[] = {{SHARING_NONE, 1, 1, false},
                                                {SHARING_IMMEDIATE, 1, 3, false},
                                                {SHARING_REPEAT_ALL, 1, 2, false},
                                                {SHARING_REVERSE, 1, 2, true},
                                                {SHARING_NONE, 1, 1, true}};
    static const struct axis vocabularies = {2, {1000, 3000}};
    space_default(space);
    axis_of(rng, &space->d_model, 64, 512);
    axis_of(rng, &space->d_head, 16, 64);
    memcpy(space->schedule, schedules, sizeof schedules);
    space->n_schedules = 5;
    space->vocab_size = vocabularies;
    space->n_dtypes = 3;
    space->dtype[0] = DTYPE_F16;
    space->dtype[1] = DTYPE_Q8_0;
    space->dtype[2] = DTYPE_Q4_0;
    space->ffn = rng_between(rng, 0, 1) ? FFN_SWIGLU : FFN_GELU;
    space->max_layers = rng_between(rng, 20, 700);
}

static void enumerate(const struct enumeration *e, const struct loss_scale *scale, int n_jobs,
                      struct list *out)
{
    struct rng rng;
    struct machine machine;
    struct enumerate_options options = {.n_jobs = n_jobs, .loss = scale};
    rng_init(&rng, 5);
    random_machine(&rng, &machine);
    assert_int_equal(enumerate_candidates(e, &machine, &workload, &options, keep, out, NULL),
                     STATUS_OK);
}

static void is_the_law(const struct loss_scale *scale, const struct candidate *c)
{
    struct transformer net;
    struct quality_shape shape, direct;
    struct quality_answer answer;
    struct loss told;
    char outside[QUALITY_OUTSIDE_TEXT];
    const struct loss_reference *reference = loss_scale_find(scale, (double)c->row.vocab_size);
    assert_int_equal(candidate_transformer(c, &net, NULL), STATUS_OK);
    assert_int_equal(quality_shape_of(&net, &shape, NULL), STATUS_OK);
    assert_true(candidate_shape(c, &direct));
    quality_delta(&reference->question, &shape, &answer);
    assert_true(fabs(c->row.loss.loss_delta_nats - answer.difference.nats) < 1e-9);
    assert_true(fabs(c->row.loss.accuracy_points - answer.difference.points) < 1e-6);
    assert_true(isnan(c->row.loss.loss_delta_low_nats) && c->row.loss.quality_outside == NULL);
    loss_scale_describe(scale, &direct, &told);
    assert_true(told.loss_delta_nats == c->row.loss.loss_delta_nats);
    assert_true(told.accuracy_points == c->row.loss.accuracy_points);
    assert_true(fabs(told.loss_delta_low_nats - answer.difference.low_nats) < 1e-9);
    assert_true(fabs(told.loss_delta_high_nats - answer.difference.high_nats) < 1e-9);
    assert_string_equal(told.quality_outside,
                        quality_outside_text(answer.outside, outside, sizeof outside));
    assert_int_equal(strstr(outside, "type") != NULL,
                     c->dtype == DTYPE_Q4_0 || reference->shape.weights == QUALITY_FEW_BIT_WEIGHTS);
    transformer_release(&net);
}

static void same_shape(const struct quality_shape *a, const struct quality_shape *b)
{
    assert_true(a->d_model == b->d_model && a->n_layers == b->n_layers &&
                a->repeats == b->repeats && a->n_heads == b->n_heads &&
                a->n_kv_heads == b->n_kv_heads && a->d_head == b->d_head && a->d_ff == b->d_ff &&
                a->vocab == b->vocab && a->gated == b->gated && a->tied == b->tied &&
                a->shared_ffn == b->shared_ffn && a->weights == b->weights);
}

/* The least loss of a vocabulary, its first candidate on ties, is its reference. */
static void the_reference_is_the_best(const struct loss_scale *scale, const struct list *list,
                                      int64_t vocab_size)
{
    const struct candidate *best = NULL;
    struct quality_shape shape;
    const struct loss_reference *reference = loss_scale_find(scale, (double)vocab_size);
    for (size_t i = 0; i < list->n; i++)
        if (list->row[i].row.vocab_size == vocab_size &&
            (best == NULL ||
             list->row[i].row.loss.loss_delta_nats < best->row.loss.loss_delta_nats))
            best = &list->row[i];
    if (best == NULL) {
        assert_null(reference);
        return;
    }
    assert_true(best->row.loss.loss_delta_nats == 0);
    assert_true(candidate_shape(best, &shape));
    same_shape(&shape, &reference->shape);
}

static void a_row_has_the_difference_that_the_law_says(void **state)
{
    struct rng rng;
    int64_t met = 0;
    (void)state;
    rng_init(&rng, 71);
    for (int round = 0; round < 12; round++) {
        static struct space space;
        static struct loss_scale scale, other;
        struct budget budget = {3000000, 3300000, 3000000};
        struct list one = {0}, many = {0};
        struct enumeration e;
        int recipe = (int)rng_between(&rng, QUALITY_NO_RECIPE, law.n_recipes - 1);
        double tokens = 1e9 * (double)rng_between(&rng, 1, 2000);
        draw_space(&rng, &space);
        if (enumeration_start(&space, &budget, &e, NULL) != STATUS_OK)
            continue;
        assert_int_equal(loss_scale_init(&scale, &law, recipe, tokens, space.max_layers, NULL),
                         STATUS_OK);
        assert_int_equal(loss_scale_init(&other, &law, recipe, tokens, space.max_layers, NULL),
                         STATUS_OK);
        assert_int_equal(loss_scale_add_best(&scale, &e, 1, NULL), STATUS_OK);
        assert_int_equal(loss_scale_add_best(&other, &e, 4, NULL), STATUS_OK);
        enumerate(&e, &scale, 1, &one);
        enumerate(&e, &other, 3, &many);
        assert_int_equal(one.n, many.n);
        assert_memory_equal(one.row, many.row, one.n * sizeof *one.row);
        for (size_t i = 0; i < one.n; i += 1 + one.n / 997, met++)
            is_the_law(&scale, &one.row[i]);
        for (int v = 0; v < 2; v++)
            the_reference_is_the_best(&scale, &one, space.vocab_size.value[v]);
        loss_scale_release(&scale);
        loss_scale_release(&other);
        enumeration_end(&e);
        memory_free(one.row);
        memory_free(many.row);
    }
    assert_true(met > 2000);
}

static void of_another_vocabulary_and_without_a_scale_the_loss_is_unknown(void **state)
{
    static struct space space;
    static struct loss_scale scale;
    struct rng rng;
    struct budget budget = {3000000, 3300000, 3000000};
    struct enumeration e;
    struct list with = {0}, without = {0};
    struct quality_shape shape = {.d_model = 256,
                                  .n_layers = 8000,
                                  .repeats = 1,
                                  .n_heads = 4,
                                  .n_kv_heads = 4,
                                  .d_head = 64,
                                  .d_ff = 768,
                                  .vocab = 3000,
                                  .gated = true};
    (void)state;
    rng_init(&rng, 72);
    draw_space(&rng, &space);
    assert_int_equal(enumeration_start(&space, &budget, &e, NULL), STATUS_OK);
    assert_int_equal(loss_scale_init(&scale, &law, QUALITY_NO_RECIPE, 1e12, space.max_layers, NULL),
                     STATUS_OK);
    assert_int_equal(loss_scale_add(&scale, "deeper than the space", &shape, NULL), STATUS_OK);
    enumerate(&e, &scale, 1, &with);
    enumerate(&e, NULL, 1, &without);
    size_t known = 0;
    for (size_t i = 0; i < with.n; i++) {
        const struct candidate_row *row = &with.row[i].row;
        assert_int_equal(isnan(row->loss.loss_delta_nats), row->vocab_size != 3000);
        known += row->vocab_size == 3000;
        assert_true(isnan(without.row[i].row.loss.loss_delta_nats) &&
                    isnan(without.row[i].row.loss.accuracy_points));
        assert_true(with.row[i].row.price.decode_ns == without.row[i].row.price.decode_ns);
    }
    assert_true(known > 0 && known < with.n);
    is_the_law(&scale, &with.row[with.n - 1]);
    loss_scale_release(&scale);
    enumeration_end(&e);
    memory_free(with.row);
    memory_free(without.row);
}

static void references_are_read_back_as_they_were(void **state)
{
    static struct loss_scale scale, again;
    struct quality_shape shapes[2] = {{.d_model = 576,
                                       .n_layers = 30,
                                       .repeats = 2,
                                       .n_heads = 9,
                                       .n_kv_heads = 3,
                                       .d_head = 64,
                                       .d_ff = 1536,
                                       .vocab = 32000,
                                       .gated = true,
                                       .tied = true,
                                       .shared_ffn = true,
                                       .weights = QUALITY_8_BIT_WEIGHTS}};
    struct err err = {""};
    (void)state;
    shapes[1] = shapes[0];
    shapes[1].vocab = 50257;
    shapes[1].gated = shapes[1].tied = shapes[1].shared_ffn = false;
    shapes[1].weights = QUALITY_FEW_BIT_WEIGHTS;
    assert_int_equal(loss_scale_init(&scale, &law, 2, 3e11, 100, NULL), STATUS_OK);
    assert_int_equal(loss_scale_init(&again, &law, 2, 3e11, 100, NULL), STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(loss_scale_add(&scale, "a name", &shapes[i], NULL), STATUS_OK);
    char *text = loss_scale_print(&scale);
    assert_int_equal(loss_scale_parse(&again, "text", text, &err), STATUS_OK);
    assert_int_equal(again.n, 2);
    for (int i = 0; i < 2; i++) {
        same_shape(&again.reference[i].shape, &shapes[i]);
        assert_true(again.reference[i].loss_nats == scale.reference[i].loss_nats);
        assert_string_equal(again.reference[i].name, "a name");
    }
    /* twice the same vocabulary, and texts that are none */
    assert_int_equal(loss_scale_parse(&again, "text", text, &err), STATUS_INPUT);
    assert_int_equal(loss_scale_parse(&again, "text", "{}", &err), STATUS_INPUT);
    assert_int_equal(loss_scale_parse(&again, "text", "[{\"name\": \"x\"}]", &err), STATUS_INPUT);
    memory_free(text);
    loss_scale_release(&scale);
    loss_scale_release(&again);
}

/* Layers that differ are no shape of the law's. */
static void a_stack_whose_layers_differ_is_no_shape(void **state)
{
    const struct stack stack = {0};
    const struct candidate candidate = {.stack = &stack};
    struct quality_shape shape;
    (void)state;
    assert_false(candidate_shape(&candidate, &shape));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_the_difference_that_the_law_says),
        cmocka_unit_test(of_another_vocabulary_and_without_a_scale_the_loss_is_unknown),
        cmocka_unit_test(references_are_read_back_as_they_were),
        cmocka_unit_test(a_stack_whose_layers_differ_is_no_shape),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
