/* NSGA-II: the same stacks whatever the threads, constraints kept, and the whole front of what is small
 * enough to look at all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "search/counter_random.h"
#include "search/hypervolume.h"
#include "search/nsga2.h"

enum { PLACES = 6, CHOICES = 4, ALL = 4096, MOST_OBJECTIVES = 3, GENERATIONS = 60 };

/* Every objective is a sum over places and an interaction of neighbours; a weight must stay low. */
struct toy {
    uint64_t seed;
    int n_objectives, generations;
    uint64_t trace; /* of all that was evaluated, in order */
    size_t n_within;
    double within[ALL * GENERATIONS][MOST_OBJECTIVES];
};

static double cell(const struct toy *toy, int objective, int place, int choice, int next)
{
    struct counter_random random = counter_random_start(
        toy->seed, (uint64_t)objective, (uint64_t)(place * 100 + choice * 10 + next));
    return counter_random_uniform(&random);
}

static void judge(const struct toy *toy, const int *choice, double *objective, double *violation)
{
    double weight = 0;
    for (int i = 0; i < PLACES; i++)
        weight += choice[i];
    *violation = weight > 8 ? weight - 8 : 0;
    for (int k = 0; k < toy->n_objectives; k++) {
        objective[k] = 0;
        for (int i = 0; i < PLACES; i++)
            objective[k] += cell(toy, k, i, choice[i], 9) +
                            0.3 * cell(toy, k, i, choice[i], choice[(i + 1) % PLACES]);
    }
}

static enum status evaluate(void *user, const int *choice, size_t n, double *objective,
                            double *violation, struct err *err)
{
    struct toy *toy = user;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        double *of = objective + i * (size_t)toy->n_objectives;
        judge(toy, choice + i * PLACES, of, &violation[i]);
        for (int k = 0; k < PLACES; k++)
            toy->trace = counter_random_mix(toy->trace ^ (uint64_t)choice[i * PLACES + (size_t)k]);
        if (violation[i] == 0 && toy->n_within < ALL * GENERATIONS)
            memcpy(toy->within[toy->n_within++], of, (size_t)toy->n_objectives * sizeof *of);
    }
    return STATUS_OK;
}

static bool go_on(void *user)
{
    return ((struct toy *)user)->generations-- > 0;
}

static struct toy *run(uint64_t seed, int n_objectives, int threads, uint64_t run_seed)
{
    struct toy *toy = memory_new(1, sizeof *toy);
    struct err err;
    toy->seed = seed;
    toy->n_objectives = n_objectives;
    toy->generations = GENERATIONS;
    const struct nsga2_problem problem = {PLACES, CHOICES, n_objectives, evaluate, go_on, toy};
    const struct nsga2_options options = {.population = 99, .seed = run_seed};
    omp_set_num_threads(threads);
    if (nsga2_run(&problem, &options, &err))
        fail_msg("%s", err.message);
    return toy;
}

static double volume(const struct toy *toy)
{
    static const double reference[] = {8, 8, 8};
    double *flat = memory_new(toy->n_within * MOST_OBJECTIVES + 1, sizeof *flat), out;
    size_t width = (size_t)toy->n_objectives, n = toy->n_within < 3000 ? toy->n_within : 3000;
    struct err err;
    /* The last ones are the best ones. */
    for (size_t i = 0; i < n; i++)
        memcpy(flat + i * width, toy->within[toy->n_within - n + i], width * sizeof *flat);
    if (hypervolume(flat, n, toy->n_objectives, reference, &out, &err))
        fail_msg("%s", err.message);
    memory_free(flat);
    return out;
}

static double volume_of_all(const struct toy *like)
{
    struct toy *all = memory_new(1, sizeof *all);
    all->seed = like->seed;
    all->n_objectives = like->n_objectives;
    for (int code = 0; code < ALL; code++) {
        int choice[PLACES];
        double violation;
        for (int i = 0, rest = code; i < PLACES; i++, rest /= CHOICES)
            choice[i] = rest % CHOICES;
        judge(all, choice, all->within[all->n_within], &violation);
        all->n_within += violation == 0;
    }
    double out = volume(all);
    memory_free(all);
    return out;
}

static void the_same_seed_gives_the_same_stacks_whatever_the_threads(void **state)
{
    (void)state;
    struct toy *one = run(1, 2, 1, 7), *other = run(1, 2, 1, 8);
    assert_true(one->trace != other->trace);
    for (int threads = 2; threads <= 3; threads++) {
        struct toy *more = run(1, 2, threads, 7);
        assert_true(one->trace == more->trace);
        memory_free(more);
    }
    memory_free(one);
    memory_free(other);
}

static void it_finds_nearly_all_of_a_small_front(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct toy *toy = run(seed, 1 + (int)seed % 3, 1, seed);
        assert_true(volume(toy) >= 0.98 * volume_of_all(toy));
        assert_true(volume(toy) <= volume_of_all(toy) * (1 + 1e-9));
        memory_free(toy);
    }
}

static enum status fail_always(void *user, const int *choice, size_t n, double *objective,
                               double *violation, struct err *err)
{
    (void)user;
    (void)choice;
    (void)n;
    (void)objective;
    (void)violation;
    return err_set(err, STATUS_IO, "no answer");
}

static void errors_of_the_evaluation_end_it(void **state)
{
    (void)state;
    const struct nsga2_problem problem = {PLACES, CHOICES, 2, fail_always, go_on, NULL};
    const struct nsga2_options options = {.population = 10, .seed = 1};
    struct err err;
    assert_int_equal(nsga2_run(&problem, &options, &err), STATUS_IO);
    for (int n = 1; n <= 8; n++) {
        memory_fail_after(n);
        assert_int_equal(nsga2_run(&problem, &options, &err), STATUS_NOMEM);
        memory_fail_after(-1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_stacks_whatever_the_threads),
        cmocka_unit_test(it_finds_nearly_all_of_a_small_front),
        cmocka_unit_test(errors_of_the_evaluation_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
