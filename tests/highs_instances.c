/* Prints larger problems of exact/ with their fronts as JSON, for highs.py to solve again. What a
 * block costs is priced here once; the passes of these stacks come from memory whatever they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/totals.h"
#include "exact/exact_front.h"
#include "exact/pass_regions.h"
#include "random_stacks.h"

enum { MAX_CLASSES = 64, MAX_PLACES = 32 };

struct instance {
    const char *name;
    int64_t d_model, n_places, min_params, max_params;
    struct schedule schedule;
    bool may_be_empty;
    enum stack_quantity objective;
    struct stack_rules rules;
    int64_t most_kv; /* 0: any */
};

static const struct instance instances[] = {
    {"57 choices in 32 places",
     576,
     32,
     122500000,
     127500000,
     {SHARING_NONE, 32, 1, false},
     true,
     STACK_DECODE,
     {0},
     0},
    {"rules",
     576,
     24,
     90000000,
     95000000,
     {SHARING_NONE, 24, 1, false},
     false,
     STACK_DECODE,
     {.first_full = true, .min_full = 6, .max_windowed_run = 2},
     0},
    {"prompts within a cache",
     640,
     20,
     100000000,
     102000000,
     {SHARING_NONE, 20, 1, false},
     false,
     STACK_PREFILL,
     {0},
     20000000},
    {"blocks that run twice",
     768,
     16,
     110000000,
     112000000,
     {SHARING_IMMEDIATE, 16, 2, false},
     true,
     STACK_DECODE,
     {0},
     0},
    {"energy",
     512,
     28,
     70000000,
     74000000,
     {SHARING_NONE, 28, 1, false},
     true,
     STACK_ENERGY,
     {.pattern = "F..."},
     0},
};

static int list_classes(const struct instance *of, struct block *classes)
{
    int n = 0;
    for (int kind = 0; kind < 3; kind++) {
        for (int kv = 0; kv < (kind == 2 ? 1 : 3); kv++) {
            for (int f = 0; f < 8; f++) {
                int64_t heads = of->d_model / 64, kvs[] = {1, heads % 3 == 0 ? 3 : 2, heads};
                struct block block = {.mixer = MIXER_NONE};
                if (kind < 2)
                    block = (struct block){.mixer = MIXER_ATTENTION,
                                           .n_heads = heads,
                                           .n_kv_heads = kvs[kv],
                                           .d_head = 64,
                                           .window = kind == 1 ? 256 : 0};
                block.d_ff = 512 + 256 * f;
                classes[n++] = block;
            }
        }
    }
    return n;
}

static void print_list(const char *name, const int64_t *value, int n)
{
    printf(" \"%s\": [", name);
    for (int i = 0; i < n; i++)
        printf("%s%lld", i > 0 ? ", " : "", (long long)value[i]);
    printf("],\n");
}

static void print_costs(const struct stack_problem *problem, enum stack_quantity objective)
{
    struct stack_costs costs;
    struct err err;
    int64_t cost[MAX_CLASSES], params[MAX_CLASSES], kv[MAX_CLASSES], kind[MAX_CLASSES];
    enum phase phase = objective == STACK_PREFILL ? PHASE_PREFILL : PHASE_DECODE;
    const struct stack_place far = {.pass_bytes = 200000000, .whole_bytes = 200000000};
    struct pass pass;
    if (stack_costs_start(problem->frame, problem->classes, problem->n_classes, problem->machine,
                          &problem->workload, &costs, &err))
        fail_msg("%s", err.message);
    for (int c = 0; c < problem->n_classes; c++) {
        stack_block_pass(&costs, phase, c, &far, &pass);
        cost[c] = objective == STACK_ENERGY ? exact_fj(pass_energy_pj(problem->machine, &pass))
                                            : exact_ps(pass.ns);
        params[c] = costs.counts[c].params;
        kv[c] = costs.counts[c].kv_bytes;
        kind[c] = layer_kind_of(&problem->classes[c]);
    }
    stack_edge_pass(&costs, phase, far.pass_bytes, &pass);
    printf(" \"fixed\": %lld, \"fixed_params\": %lld,\n",
           (long long)(objective == STACK_ENERGY ? exact_fj(pass_energy_pj(problem->machine, &pass))
                                                 : exact_ps(pass.ns)),
           (long long)costs.params);
    print_list("cost", cost, problem->n_classes);
    print_list("params", params, problem->n_classes);
    print_list("kv", kv, problem->n_classes);
    print_list("kind", kind, problem->n_classes);
    stack_costs_end(&costs);
}

static void print_front(const struct stack_problem *problem, const struct stack_front *front)
{
    printf(" \"front\": [");
    for (size_t i = 0; i < front->n; i++)
        printf("%s[%lld, %lld]", i > 0 ? ", " : "",
               (long long)front->stack[i].value[problem->objective[0]],
               (long long)front->stack[i].value[STACK_SCORE]);
    printf("]}");
}

static void print_instance(const struct instance *of, const struct machine *machine)
{
    static int64_t score[MAX_PLACES * (MAX_CLASSES + 1)];
    struct block classes[MAX_CLASSES];
    struct transformer frame;
    struct stack_front front;
    struct err err;
    struct random_state random = {(uint64_t)of->n_places};
    transformer_init(&frame, of->d_model, of->n_places, of->d_model / 64, 1, 64, 512, 32000);
    frame.schedule = of->schedule;
    struct stack_problem problem = {
        .frame = &frame,
        .classes = classes,
        .n_classes = list_classes(of, classes),
        .may_be_empty = of->may_be_empty,
        .rules = of->rules,
        .score = score,
        .min_params = of->min_params,
        .max_params = of->max_params,
        .n_objectives = 2,
        .objective = {of->objective, STACK_SCORE},
        .n_limits = of->most_kv > 0 ? 1 : 0,
        .limit = {{STACK_KV, of->most_kv}},
        .machine = machine,
        .workload = {512, 1024},
    };
    int choices = problem.n_classes + problem.may_be_empty;
    for (int64_t i = 0; i < of->n_places; i++) {
        double sees = 0.4 + (double)random_below(&random, 120) / 100;
        double wide = 0.5 + (double)random_below(&random, 100) / 100;
        for (int c = 0; c < problem.n_classes; c++) {
            const struct block *b = &classes[c];
            double value = wide * 22 * log2(1 + (double)b->d_ff / (double)of->d_model) + 4;
            if (b->mixer == MIXER_ATTENTION)
                value += sees * (15 + 2.5 * log2((double)b->n_kv_heads)) * (b->window ? 0.75 : 1);
            score[i * choices + c] = llround(value);
        }
        if (problem.may_be_empty)
            score[i * choices + problem.n_classes] = 0;
    }
    if (exact_front(&problem, &front, &err))
        fail_msg("%s: %s", of->name, err.message);
    assert_int_equal(front.n_cases, 1);
    printf("{\"name\": \"%s\", \"places\": %d, \"choices\": %d, \"may_be_empty\": %s,\n", of->name,
           (int)of->n_places, choices, of->may_be_empty ? "true" : "false");
    printf(" \"min_params\": %lld, \"max_params\": %lld, \"most_kv\": %lld,\n",
           (long long)of->min_params, (long long)of->max_params, (long long)of->most_kv);
    printf(
        " \"first_full\": %s, \"min_full\": %d, \"max_windowed_run\": %d, \"pattern\": \"%s\",\n",
        of->rules.first_full ? "true" : "false", (int)of->rules.min_full,
        (int)of->rules.max_windowed_run, of->rules.pattern);
    print_list("score", score, (int)of->n_places * choices);
    print_costs(&problem, of->objective);
    print_front(&problem, &front);
    stack_front_release(&front);
}

int main(void)
{
    struct device device;
    struct machine machine;
    struct err err;
    if (device_open("iphone-13", &device, &err) || machine_resolve(&device, 1, &machine, &err))
        fail_msg("%s", err.message);
    printf("[");
    for (size_t i = 0; i < sizeof instances / sizeof instances[0]; i++) {
        printf("%s", i > 0 ? ",\n" : "");
        print_instance(&instances[i], &machine);
    }
    printf("]\n");
    return 0;
}
