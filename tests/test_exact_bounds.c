/* What surrounds an exact front: a front within eps, threads, tables that are too large, an
 * interruption, and problems that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/device.h"
#include "exact/exact_front.h"
#include "random_stacks.h"

enum { N_PLACES = 12, N_CLASSES = 9 };

/* Full, windowed or no attention in three widths; the wider a block and the more it sees, the
 * better its score, by place. */
struct fixture {
    struct transformer frame;
    struct block classes[N_CLASSES];
    struct machine machine;
    int64_t score[N_PLACES * N_CLASSES];
    struct stack_problem problem;
};

static void set_up(struct fixture *f)
{
    struct random_state random = {5};
    struct device device;
    struct err err;
    if (device_open("iphone-13", &device, &err) || machine_resolve(&device, 1, &f->machine, &err))
        fail_msg("%s", err.message);
    transformer_init(&f->frame, 256, N_PLACES, 4, 2, 64, 512, 4000);
    for (int i = 0; i < N_CLASSES; i++) {
        f->classes[i] = (struct block){.mixer = MIXER_ATTENTION, .n_heads = 4, .n_kv_heads = 2};
        f->classes[i].d_head = 64;
        f->classes[i].window = i % 3 == 1 ? 64 : 0;
        if (i % 3 == 2)
            f->classes[i] = (struct block){.mixer = MIXER_NONE};
        f->classes[i].d_ff = 256 << i / 3;
    }
    for (int place = 0; place < N_PLACES; place++)
        for (int i = 0; i < N_CLASSES; i++)
            f->score[place * N_CLASSES + i] = (i / 3 + 1) * (200 + random_below(&random, 200)) +
                                              (2 - i % 3) * (100 + random_below(&random, 300));
    f->problem = (struct stack_problem){
        .frame = &f->frame,
        .classes = f->classes,
        .n_classes = N_CLASSES,
        .score = f->score,
        .min_params = 4000000,
        .max_params = 7000000,
        .n_objectives = 3,
        .objective = {STACK_DECODE, STACK_SCORE, STACK_KV},
        .machine = &f->machine,
        .workload = {64, 512},
        .n_jobs = 1,
    };
}

static void solve(const struct stack_problem *problem, struct stack_front *front)
{
    struct err err;
    if (exact_front(problem, front, &err))
        fail_msg("%s", err.message);
}

static void a_front_does_not_depend_on_the_threads(void **state)
{
    (void)state;
    static struct fixture f;
    struct stack_front one, four;
    set_up(&f);
    solve(&f.problem, &one);
    f.problem.n_jobs = 4;
    solve(&f.problem, &four);
    assert_true(one.n > 100);
    assert_int_equal(one.n, four.n);
    for (size_t i = 0; i < one.n; i++) {
        assert_memory_equal(one.stack[i].value, four.stack[i].value, sizeof one.stack[i].value);
        assert_memory_equal(one.stack[i].class_of_place, four.stack[i].class_of_place,
                            N_PLACES * sizeof(int));
    }
    stack_front_release(&one);
    stack_front_release(&four);
}

/* What a stack costs, its score as what it is short of the best. */
static double cost(const struct fixture *f, const struct found_stack *stack, int objective)
{
    int64_t best = 0;
    if (f->problem.objective[objective] != STACK_SCORE)
        return (double)stack->value[f->problem.objective[objective]];
    for (int place = 0; place < N_PLACES; place++) {
        int64_t most = 0;
        for (int i = 0; i < N_CLASSES; i++) {
            int64_t score = f->score[place * N_CLASSES + i];
            most = score > most ? score : most;
        }
        best += most;
    }
    return (double)(best - stack->value[STACK_SCORE]);
}

static void a_front_within_eps_undercuts_every_stack_by_no_less(void **state)
{
    (void)state;
    static struct fixture f;
    struct stack_front all, few;
    set_up(&f);
    solve(&f.problem, &all);
    f.problem.eps = 0.1;
    solve(&f.problem, &few);
    assert_true(few.n < all.n);
    for (size_t i = 0; i < all.n; i++) {
        bool is_near = false;
        for (size_t k = 0; k < few.n && !is_near; k++) {
            is_near = true;
            for (int o = 0; o < 3; o++)
                is_near &= cost(&f, &few.stack[k], o) <= 1.1 * cost(&f, &all.stack[i], o);
        }
        assert_true(is_near);
    }
    print_message("%zu of %zu within 10 %%\n", few.n, all.n);
    stack_front_release(&all);
    stack_front_release(&few);
}

static void a_table_that_is_too_large_is_refused_with_its_size(void **state)
{
    (void)state;
    static struct fixture f;
    struct stack_front front;
    struct err err = {""};
    set_up(&f);
    f.problem.memory_bytes = 10000;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "the exact table takes more than"));
    assert_non_null(strstr(err.message, "kB allowed"));
    assert_non_null(strstr(err.message, "narrow the budget"));
    assert_int_equal(front.n, 0);
}

static void an_interruption_ends_the_work(void **state)
{
    (void)state;
    static struct fixture f;
    static volatile sig_atomic_t stop = 1;
    struct stack_front front;
    struct err err = {""};
    set_up(&f);
    f.problem.stop = &stop;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_INTERRUPTED);
    stack_front_release(&front);
}

static void problems_without_sense_are_refused(void **state)
{
    (void)state;
    static struct fixture f;
    struct stack_front front;
    struct err err = {""};
    set_up(&f);
    f.problem.score = NULL;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "no score of layers"));

    set_up(&f);
    f.problem.min_params = 60000000;
    f.problem.max_params = 70000000;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "no stack is inside the budget"));

    set_up(&f);
    f.problem.objective[2] = STACK_ENERGY;
    f.machine.energy_pj_per_flop = NAN;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "has no energies"));

    set_up(&f);
    f.problem.rules.first_full = true;
    snprintf(f.problem.rules.pattern, sizeof f.problem.rules.pattern, "N");
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "'first_full' and 'pattern'"));

    set_up(&f);
    f.classes[4].n_kv_heads = 3;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "layer 4 of the choices"));

    set_up(&f);
    f.problem.workload.context = 5000;
    assert_int_equal(exact_front(&f.problem, &front, &err), STATUS_RANGE);
}

/* One schedule and device a case of stacks: no failed allocation leaks or is taken for a result. */
static void a_failed_allocation_is_an_error(void **state)
{
    (void)state;
    for (int trial = 0; trial < 10; trial++) {
        static struct random_stacks r;
        struct random_state random = {(uint64_t)trial + 3};
        enum status status = STATUS_NOMEM;
        random_stacks(&random, trial, &r);
        r.frame.schedule.n_layers = 3;
        r.n_classes = 2;
        struct stack_problem problem = {
            .frame = &r.frame,
            .classes = r.classes,
            .n_classes = r.n_classes,
            .max_params = INT64_MAX,
            .n_objectives = 3,
            .objective = {STACK_DECODE, STACK_PEAK, STACK_PARAMS},
            .machine = &r.machine,
            .workload = r.workload,
            .n_jobs = 1,
        };
        for (int n = 1; status == STATUS_NOMEM; n++) {
            struct stack_front front;
            struct err err;
            memory_fail_after(n);
            status = exact_front(&problem, &front, &err);
            memory_fail_after(-1);
            if (status != STATUS_OK)
                assert_int_equal(status, STATUS_NOMEM);
            stack_front_release(&front);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_front_does_not_depend_on_the_threads),
        cmocka_unit_test(a_front_within_eps_undercuts_every_stack_by_no_less),
        cmocka_unit_test(a_table_that_is_too_large_is_refused_with_its_size),
        cmocka_unit_test(an_interruption_ends_the_work),
        cmocka_unit_test(problems_without_sense_are_refused),
        cmocka_unit_test(a_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
