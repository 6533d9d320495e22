/* The protocol of `measure`: what is reported, not how fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/cpu.h"
#include "model/gguf_write.h"
#include "timing/measure.h"

static const int64_t prompts[] = {3, 20}, contexts[] = {0, 40};

static struct measure_plan plan_of(const struct measure_model *models, size_t n)
{
    struct measure_plan plan = {.models = models,
                                .n_models = n,
                                .threads = {1, 2},
                                .n_threads = 2,
                                .prompts = prompts,
                                .n_prompts = 2,
                                .contexts = contexts,
                                .n_contexts = 2,
                                .per_phase = true,
                                .error_frac = 0.5,
                                .budget_ns = 3e8};
    assert_int_equal(cpu_isa(NULL, &plan.isa, NULL), STATUS_OK);
    return plan;
}

static void small_net(struct transformer *net)
{
    transformer_init(net, 64, 2, 4, 2, 16, 160, 300);
    net->max_context = 64;
}

static void every_condition_is_measured_at_least_once(void **state)
{
    (void)state;
    struct transformer nets[2];
    struct measurement m;
    struct err err;
    small_net(&nets[0]);
    small_net(&nets[1]);
    nets[1].schedule = (struct schedule){SHARING_IMMEDIATE, 2, 2, false};
    const struct measure_model models[] = {{&nets[0], NULL, 1}, {&nets[1], NULL, 2}};
    for (int cold = 0; cold < 2; cold++) {
        struct measure_plan plan = plan_of(models, 2);
        plan.is_cold = cold;
        if (measure_run(&plan, &m, &err))
            fail_msg("%s", err.message);
        for (size_t model = 0; model < 2; model++)
            for (int t = 0; t < 2; t++)
                for (int i = 0; i < 2; i++) {
                    double phases[N_RUNNER_PHASES], sum = 0;
                    struct measured_time prefill =
                        measure_time(&m, MEASURE_PREFILL, model, t, prompts[i]);
                    struct measured_time decode =
                        measure_time(&m, MEASURE_DECODE, model, t, contexts[i]);
                    assert_true(prefill.n >= 1 && prefill.median_ns > 0 && prefill.mad_ns >= 0);
                    assert_true(decode.n >= 1 && decode.median_ns > 0);
                    measure_phases(&m, MEASURE_DECODE, model, t, contexts[i], phases);
                    for (int p = 0; p < N_RUNNER_PHASES; p++)
                        sum += phases[p];
                    assert_true(fabs(sum / decode.median_ns - 1) < 1e-9);
                    assert_true(measure_decode_gbps(&m, models[model].net, model, t, contexts[i]) >
                                0);
                }
        assert_true(measure_time(&m, MEASURE_INIT, 1, 1, 0).n >= 3);
        assert_true(measure_read_gbps(&m, 0) > 0 && m.before_gbps[1] > 0 && m.after_gbps[1] > 0);
        assert_true(measure_peak_bytes(&m, 0, 0) > 0);
        /* random weights were never loaded, so that a cold start is unknown */
        assert_int_equal(measure_time(&m, MEASURE_LOAD, 0, 0, 0).n, 0);
        assert_true(isnan(measure_ttft_cold(&m, 0, 0, 3).median_ns));
        measurement_release(&m);
    }
}

static void a_file_is_loaded_and_gives_a_cold_start(void **state)
{
    (void)state;
    struct transformer net;
    struct measurement m;
    struct err err;
    char path[64];
    snprintf(path, sizeof path, "test_measure.%d.gguf", (int)getpid());
    small_net(&net);
    assert_int_equal(gguf_write(&net, path, &(struct gguf_write_options){.seed = 1}, NULL, &err),
                     STATUS_OK);
    struct measure_model model = {&net, path, 0};
    struct measure_plan plan = plan_of(&model, 1);
    enum status status = measure_run(&plan, &m, &err);
    remove(path);
    if (status)
        fail_msg("%s", err.message);
    struct measured_time load = measure_time(&m, MEASURE_LOAD, 0, 0, 0);
    struct measured_time first = measure_ttft_cold(&m, 0, 1, 20);
    assert_true(load.n >= 3 && load.median_ns > 0);
    double sum = load.median_ns + measure_time(&m, MEASURE_INIT, 0, 1, 0).median_ns +
                 measure_time(&m, MEASURE_PREFILL, 0, 1, 20).median_ns;
    assert_true(fabs(first.median_ns / sum - 1) < 1e-12);
    assert_true(first.n >= 1 && first.n <= load.n);
    measurement_release(&m);
}

struct stopper {
    int calls;
    volatile sig_atomic_t stop;
};

static void stop_after_three(void *context, int done, int total)
{
    struct stopper *stopper = context;
    assert_true(done >= 0 && done <= total);
    stopper->stop = ++stopper->calls >= 3;
}

static void a_stop_keeps_what_was_measured(void **state)
{
    (void)state;
    struct transformer net;
    struct measurement m;
    struct err err;
    struct stopper stopper = {0};
    small_net(&net);
    struct measure_model model = {&net, NULL, 1};
    struct measure_plan plan = plan_of(&model, 1);
    plan.stop = &stopper.stop;
    plan.progress = stop_after_three;
    plan.progress_context = &stopper;
    assert_int_equal(measure_run(&plan, &m, &err), STATUS_INTERRUPTED);
    assert_int_equal(stopper.calls, 3);
    assert_true(measure_time(&m, MEASURE_DECODE, 0, 0, 0).n >= 1);
    assert_int_equal(measure_time(&m, MEASURE_PREFILL, 0, 1, 20).n, 0);
    assert_false(m.is_complete);
    measurement_release(&m);
}

static void more_context_than_the_model_has_is_refused(void **state)
{
    (void)state;
    struct transformer net;
    struct measurement m;
    struct err err;
    int64_t deep = 64;
    small_net(&net);
    struct measure_model model = {&net, NULL, 1};
    struct measure_plan plan = plan_of(&model, 1);
    plan.contexts = &deep;
    plan.n_contexts = 1;
    assert_int_equal(measure_run(&plan, &m, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "64"));
    measurement_release(&m);
    deep = 63; /* the token itself still fits */
    assert_int_equal(measure_run(&plan, &m, &err), STATUS_OK);
    measurement_release(&m);
}

static void unknown_medians_are_doubted(void **state)
{
    (void)state;
    struct transformer net;
    struct measurement m;
    struct text doubts = {0};
    small_net(&net);
    struct measure_model model = {&net, NULL, 1};
    struct measure_plan plan = plan_of(&model, 1);
    plan.error_frac = 1e-9;
    plan.budget_ns = 1;
    assert_int_equal(measure_run(&plan, &m, NULL), STATUS_OK);
    measure_doubts(&m, &plan, &doubts);
    assert_non_null(strstr(doubts.data, "medians are not known"));
    text_release(&doubts);
    measurement_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition_is_measured_at_least_once),
        cmocka_unit_test(a_file_is_loaded_and_gives_a_cold_start),
        cmocka_unit_test(a_stop_keeps_what_was_measured),
        cmocka_unit_test(more_context_than_the_model_has_is_refused),
        cmocka_unit_test(unknown_medians_are_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
