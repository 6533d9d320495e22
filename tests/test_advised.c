/* Advice on devices of the shipped profiles, against the candidates one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "device/device.h"
#include "search/advised.h"
#include "tests/quality_fixture.h"

enum { DEVICES = 2 };

struct scene {
    struct space space;
    struct enumeration enumeration;
    struct quality_law law;
    struct loss_scale scale;
    struct machine machines[DEVICES];
    struct advise_question question;
    struct advised on[DEVICES];
    struct advised_all all;
};

static int begin(void **state)
{
    static struct scene scene;
    static const char *const names[DEVICES] = {"iphone-13", "rpi5"};
    struct advise_question *q = &scene.question;
    struct budget budget;
    struct device device;
    read_shipped_law(&scene.law);
    space_default(&scene.space);
    if (parse_budget("125M", &budget, NULL) != STATUS_OK ||
        enumeration_start(&scene.space, &budget, &scene.enumeration, NULL) != STATUS_OK ||
        loss_scale_init(&scene.scale, &scene.law, QUALITY_NO_RECIPE, 1e12, scene.space.max_layers,
                        NULL) != STATUS_OK ||
        loss_scale_add_best(&scene.scale, &scene.enumeration, 1, NULL) != STATUS_OK)
        return 1;
    *q = (struct advise_question){.enumeration = &scene.enumeration,
                                  .workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT},
                                  .loss = &scene.scale,
                                  .gpu = &training_gpus[0],
                                  .n_devices = DEVICES};
    for (int d = 0; d < DEVICES; d++) {
        if (device_open(names[d], &device, NULL) != STATUS_OK ||
            machine_resolve(&device, 0, &scene.machines[d], NULL) != STATUS_OK)
            return 1;
        q->device[d] = names[d];
        q->machine[d] = &scene.machines[d];
    }
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    struct scene *scene = *state;
    loss_scale_release(&scene->scale);
    enumeration_end(&scene->enumeration);
    return 0;
}

static void ask(struct scene *scene, const char *limit)
{
    struct err err = {""};
    scene->question.limits.n = 0;
    if (limit != NULL)
        assert_int_equal(advice_limit_add(limit, &scene->question.limits, &err), STATUS_OK);
    if (advise(&scene->question, scene->on, &scene->all, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

struct bests {
    double limit_ns, best_loss, fastest_ns;
};

static enum status note_best(const struct candidate *candidates, int64_t n, void *user,
                             struct err *err)
{
    struct bests *bests = user;
    (void)err;
    for (int64_t i = 0; i < n; i++)
        if (candidates[i].row.price.decode_ns <= bests->limit_ns)
            bests->best_loss = fmin(bests->best_loss, candidates[i].row.loss.loss_delta_nats);
    return STATUS_OK;
}

static enum status note_fastest(const struct candidate *candidates, int64_t n, void *user,
                                struct err *err)
{
    struct bests *bests = user;
    (void)err;
    for (int64_t i = 0; i < n; i++)
        if (candidates[i].row.loss.loss_delta_nats <= bests->best_loss + ADVICE_NEAR_NATS)
            bests->fastest_ns = fmin(bests->fastest_ns, candidates[i].row.price.decode_ns);
    return STATUS_OK;
}

static void below_a_limit_it_is_the_fastest_near_the_lowest_loss(void **state)
{
    struct scene *scene = *state;
    struct bests bests = {50e6, INFINITY, INFINITY};
    const struct enumerate_options options = {.n_jobs = 1, .loss = &scene->scale};
    ask(scene, "decode_ms=50");
    const struct candidate_row *row = &scene->on[1].answer.candidate.row;
    assert_true(scene->all.time_nats == 0);
    assert_int_equal(enumerate_candidates(&scene->enumeration, &scene->machines[1],
                                          &scene->question.workload, &options, note_best, &bests,
                                          NULL),
                     STATUS_OK);
    assert_int_equal(enumerate_candidates(&scene->enumeration, &scene->machines[1],
                                          &scene->question.workload, &options, note_fastest, &bests,
                                          NULL),
                     STATUS_OK);
    assert_true(row->price.decode_ns <= 50e6);
    assert_true(row->loss.loss_delta_nats <= bests.best_loss + ADVICE_NEAR_NATS);
    assert_true(row->price.decode_ns == bests.fastest_ns);
}

/* A phone whose buffer holds a block runs it again for little; a board pays in full. */
static void repeats_are_advised_where_they_cost_little(void **state)
{
    struct scene *scene = *state;
    ask(scene, NULL);
    assert_true(scene->all.time_nats > 0.085 && scene->all.time_nats < 0.105); /* 0.095 */
    assert_true(scene->on[0].answer.candidate.schedule.repeats > 1);
    assert_int_equal(scene->on[1].answer.candidate.schedule.repeats, 1);
    assert_in_range(scene->on[1].answer.candidate.schedule.n_layers, 12, 40);
}

static void numbers_are_those_of_the_law(void **state)
{
    struct scene *scene = *state;
    struct quality_question question;
    ask(scene, NULL);
    for (int d = 0; d < DEVICES; d++) {
        const struct advised *a = &scene->on[d];
        assert_true(advised_has(&a->runner_up) && advised_has(&a->wide));
        quality_ask(&scene->law, QUALITY_NO_RECIPE, 1e12, &a->answer.shape, &question);
        assert_true(a->over_runner_up.loss.probability ==
                    quality_better(&question, &a->answer.shape, &a->runner_up.shape));
        assert_true(a->over_wide.loss.probability ==
                    quality_better(&question, &a->answer.shape, &a->wide.shape));
        assert_true(a->over_wide.decode_frac == a->answer.candidate.row.price.decode_ns /
                                                        a->wide.candidate.row.price.decode_ns -
                                                    1);
        assert_int_equal(a->outside, a->answer.prediction.outside |
                                         a->runner_up.prediction.outside |
                                         a->wide.prediction.outside);
        assert_int_equal(a->plan.tied, a->answer.shape.tied);
        double delta = a->answer.candidate.row.loss.loss_delta_nats -
                       a->wide.candidate.row.loss.loss_delta_nats;
        assert_true(fabs(a->over_wide.loss.nats - delta) < 1e-9);
        assert_true(2 * a->wide.shape.n_layers <= a->answer.shape.n_layers);
        struct training_cost cost;
        training_cost_of(&a->answer.shape, 1e12, &training_gpus[0], &cost);
        assert_true(a->answer.cost.gpu_hours == cost.gpu_hours);
    }
}

static void what_settles_it_is_cheap_and_says_what_it_brings(void **state)
{
    struct scene *scene = *state;
    ask(scene, NULL);
    for (int d = 0; d < DEVICES; d++) {
        const struct advised *a = &scene->on[d];
        double half = a->over_runner_up.loss.high_nats - a->over_runner_up.loss.nats;
        assert_int_equal(a->n_runs, ADVISED_RUNS);
        assert_int_equal(a->plan.n_contenders, 2);
        assert_true(fabs(a->plan.half_nats - half) < 1e-9);
        assert_true(a->runs[2].half_nats < a->plan.half_nats);
        assert_int_equal(a->settled, fabs(a->over_runner_up.loss.nats) > half);
        assert_true(fabs(a->plan.contenders_gpu_hours - a->answer.cost.gpu_hours -
                         a->runner_up.cost.gpu_hours) < 1e-6);
        double hours = 0;
        for (int i = 0; i < a->n_runs; i++) {
            assert_true(a->runs[i].cost.gpu_hours <= 0.1 * a->answer.cost.gpu_hours);
            hours += a->runs[i].cost.gpu_hours;
        }
        assert_true(a->runs_gpu_hours == hours);
        assert_int_equal(a->settles, fabs(a->over_runner_up.loss.nats) > a->runs[2].half_nats);
    }
}

static void a_limit_that_nothing_meets_is_an_error(void **state)
{
    struct scene *scene = *state;
    struct err err = {""};
    scene->question.limits.n = 0;
    assert_int_equal(advice_limit_add("decode_ms=12", &scene->question.limits, &err), STATUS_OK);
    assert_int_equal(advise(&scene->question, scene->on, &scene->all, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "on rpi5: the nearest has decode_ms "));
}

static void no_memory_is_an_error(void **state)
{
    struct scene *scene = *state;
    enum status status = STATUS_NOMEM;
    scene->question.limits.n = 0;
    scene->question.n_devices = 1;
    for (int n = 1; status == STATUS_NOMEM; n += n < 16 ? 1 : n / 2) { /* fits need many */
        memory_fail_after(n);
        status = advise(&scene->question, scene->on, &scene->all, NULL);
        memory_fail_after(-1);
        assert_true(n < 1000000);
    }
    scene->question.n_devices = DEVICES;
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_a_limit_it_is_the_fastest_near_the_lowest_loss),
        cmocka_unit_test(repeats_are_advised_where_they_cost_little),
        cmocka_unit_test(numbers_are_those_of_the_law),
        cmocka_unit_test(what_settles_it_is_cheap_and_says_what_it_brings),
        cmocka_unit_test(a_limit_that_nothing_meets_is_an_error),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
