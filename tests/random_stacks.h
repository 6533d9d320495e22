/* Random small spaces of stacks, on machines whose caches end somewhere within what the stacks
 * touch. */
#ifndef LATHE_TESTS_RANDOM_STACKS_H
#define LATHE_TESTS_RANDOM_STACKS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "costmodel/price.h"
#include "device/device.h"
#include "exact/stack_costs.h"

struct random_state {
    uint64_t state;
};

/* SplitMix64. */
static inline uint64_t random_next(struct random_state *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline int64_t random_below(struct random_state *random, uint64_t n)
{
    return (int64_t)(random_next(random) % n);
}

enum { MAX_RANDOM_CLASSES = 6 };

struct random_stacks {
    struct transformer frame;
    int n_classes;
    struct block classes[MAX_RANDOM_CLASSES];
    struct machine machine;
    struct workload workload;
};

static inline struct block random_block(struct random_state *random, const struct transformer *net,
                                        int64_t d_ff)
{
    static const int64_t windows[] = {0, 16, 64};
    struct block block = {.mixer = MIXER_ATTENTION, .d_head = 16};
    block.n_heads = net->d_model / 16;
    block.n_kv_heads = 1 + random_below(random, (uint64_t)block.n_heads);
    while (block.n_heads % block.n_kv_heads != 0)
        block.n_kv_heads--;
    block.window = windows[random_below(random, 3)];
    if (random_below(random, 4) == 0)
        block = (struct block){.mixer = MIXER_NONE};
    block.d_ff = d_ff > 0 ? d_ff : 16 * (1 + random_below(random, 12));
    if (net->schedule.sharing == SHARING_BY_BLOCK)
        block.reruns = random_below(random, 3);
    return block;
}

/* Levels that end within the bytes of a pass; half of them fade out instead. */
static inline void random_caches(struct random_state *random, int64_t bytes,
                                 struct machine *machine)
{
    for (int level = 0; level < machine->dram; level++) {
        struct machine_level *at = &machine->levels[level];
        int64_t share = (level + 1) * 100 / (machine->dram + 1) + random_below(random, 60) - 10;
        at->capacity_bytes = bytes * (share > 5 ? share : 5) / 100;
        if (level > 0 && at->capacity_bytes <= machine->levels[level - 1].capacity_bytes)
            at->capacity_bytes = machine->levels[level - 1].capacity_bytes + 1;
        int64_t spill = at->capacity_bytes;
        if (random_below(random, 2) == 0)
            spill = at->capacity_bytes * (110 + random_below(random, 60)) / 100;
        machine_level_spill(at, spill);
        at->reread_lost_frac = random_below(random, 3) == 0 ? 0.4 : 0;
    }
    machine->overlap_frac = random_below(random, 2) == 0 ? 0 : 0.8;
    machine->init_block_sq_ns = (double)random_below(random, 3) * 1000;
    if (isnan(machine->energy_pj_per_flop))
        machine->energy_pj_per_flop = 0.5;
    for (int level = 0; level < machine->n_levels; level++)
        if (isnan(machine->levels[level].energy_pj_per_byte))
            machine->levels[level].energy_pj_per_byte = 3 * (1 << 2 * level);
}

static inline void random_stacks(struct random_state *random, int trial, struct random_stacks *out)
{
    static const char *const devices[] = {"iphone-13", "generic-phone", "rpi5", "mac-m1"};
    static const struct schedule schedules[] = {
        {SHARING_NONE, 1, 1, false},      {SHARING_IMMEDIATE, 1, 2, false},
        {SHARING_IMMEDIATE, 1, 3, false}, {SHARING_REPEAT_ALL, 1, 2, false},
        {SHARING_REVERSE, 1, 2, false},   {SHARING_REVERSE, 1, 3, false},
        {SHARING_NONE, 1, 1, true},       {SHARING_IMMEDIATE, 1, 2, true},
        {SHARING_REPEAT_ALL, 1, 3, true}, {SHARING_REVERSE, 1, 2, true},
        {SHARING_BY_BLOCK, 1, 1, false},  {SHARING_BY_BLOCK, 1, 1, true},
    };
    struct device device;
    struct err err;
    int64_t n = 3 + random_below(random, 3);
    if (device_open(devices[random_below(random, 4)], &device, &err) ||
        machine_resolve(&device, 1, &out->machine, &err))
        fail_msg("%s", err.message);
    struct transformer *net = &out->frame;
    transformer_init(net, 16 * (2 + random_below(random, 6)), n, 1, 1, 16, 64, 500);
    transformer_set_dtype(net, random_below(random, 2) == 0 ? DTYPE_F16 : DTYPE_F32);
    net->tie_embeddings = random_below(random, 2) == 0;
    net->schedule = schedules[trial % 12];
    net->schedule.n_layers = n;
    out->workload = (struct workload){1 + random_below(random, 40), random_below(random, 100)};
    out->n_classes = 2 + (int)random_below(random, MAX_RANDOM_CLASSES - 2);
    int64_t d_ff = net->schedule.share_ffn ? 64 : 0;
    for (int c = 0; c < out->n_classes; c++) {
        bool again = true;
        for (int tries = 0; again && tries < 100; tries++) {
            out->classes[c] = random_block(random, net, d_ff);
            again = false;
            for (int o = 0; o < c; o++)
                again |= block_equal(&out->classes[o], &out->classes[c]);
        }
        if (again)
            out->n_classes = c;
    }
    net->stack.first = out->classes[0];
    struct stack_costs costs;
    if (stack_costs_start(net, out->classes, out->n_classes, &out->machine, &out->workload, &costs,
                          &err))
        fail_msg("%s", err.message);
    struct pass_sums total = {0, 0, 0};
    for (int64_t i = 0; i < n; i++) {
        int class = (int)(i % out->n_classes);
        total.own += costs.counts[class].own;
        total.all_kv += costs.counts[class].runs * costs.counts[class].kv[PHASE_DECODE];
    }
    random_caches(random, stack_pass_bytes(&costs, PHASE_DECODE, &total), &out->machine);
    stack_costs_end(&costs);
}

#endif
