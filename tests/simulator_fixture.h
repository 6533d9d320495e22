/* Networks, machines and a run for the tests of the simulator. */
#ifndef LATHE_TESTS_SIMULATOR_FIXTURE_H
#define LATHE_TESTS_SIMULATOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "model/preset.h"
#include "simulator/simulate.h"
#include "tests/random_net.h"
#include "tests/shipped_device.h"

static inline struct simulation usual(void)
{
    struct simulation simulation;
    simulation_init(&simulation);
    simulation.workload = (struct workload){16, 100};
    simulation.tile_bytes = 16 << 10;
    return simulation;
}

static inline struct simulated run(const struct transformer *net, const struct machine *machine,
                                   const struct simulation *simulation)
{
    struct simulated out;
    struct err err;
    if (simulate(net, machine, simulation, &out, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

/* Small enough to run hundreds. */
static inline void small_net(struct rng *rng, struct transformer *net)
{
    random_net(rng, net);
    net->schedule = random_schedule(rng, 5);
    if (net->d_model > 640)
        net->d_model /= 2;
    if (net->d_embed > net->d_model)
        net->d_embed = net->d_model;
    if (net->vocab_size > 8000)
        net->vocab_size = 8000;
}

/* All of its costs are bandwidths, peaks and dispatches. */
static inline void plain_machine(struct rng *rng, struct machine *m)
{
    random_machine(rng, m);
    m->has_timings = false;
    memset(m->is_timed, 0, sizeof m->is_timed);
    machine_level_spill(&m->levels[0], 0);
}

static inline void tuned_machine(struct rng *rng, struct machine *m)
{
    plain_machine(rng, m);
    m->levels[0].policy = (enum level_policy)rng_between(rng, 0, N_LEVEL_POLICIES - 1);
    m->levels[0].ports = rng_between(rng, 1, 2);
    m->levels[0].capacity_bytes = rng_between(rng, 64 << 10, 8 << 20);
    if (rng_between(rng, 0, 2) == 0)
        m->overlap_frac = (double)rng_between(rng, 0, 1);
}

static struct preset_case {
    const char *name;
    double execute_ms;
} const table_7[] = {
    {"mobilellm-125m", 15.6},
    {"mobilellm-ls-125m", 16.0},
    {"mobilellm-60-layer", 29.0},
};

static inline void open_preset(const char *name, struct transformer *net)
{
    struct err err;
    if (preset_open(name, net, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    transformer_set_dtype(net, DTYPE_F16);
    net->kv_dtype = DTYPE_F16;
}

#endif
