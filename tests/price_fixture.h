/* Prices on plain machines, for the tests of costmodel/. */
#ifndef LATHE_TESTS_PRICE_FIXTURE_H
#define LATHE_TESTS_PRICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/price.h"
#include "tests/random_net.h"

#define assert_near(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

static inline struct price price(const struct transformer *net, const struct machine *machine,
                                 int64_t context)
{
    struct price out;
    struct err err;
    struct workload workload = {16, context};
    if (price_network(net, machine, &workload, &out, NULL, &err))
        fail_msg("%s", err.message);
    return out;
}

/* One bandwidth, endless compute, no fixed cost: the time is the bytes. */
static inline void plain_machine(struct machine *m, int64_t sram)
{
    struct rng rng;
    rng_init(&rng, 1);
    random_machine(&rng, m);
    m->has_timings = false;
    machine_level_spill(&m->levels[0], 0);
    for (int l = 0; l < 3; l++) {
        double gbps = l == 0 ? 1e9 : l == 1 ? 10 : 1;
        m->levels[l].read_gbps = 1e9;
        m->kv_gbps[l] = gbps;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][l] = gbps;
    }
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = 1e12;
    memset(m->op_ns, 0, sizeof m->op_ns);
    m->layer_ns = m->pass_ns = 0;
    m->levels[0].capacity_bytes = sram;
}

#endif
