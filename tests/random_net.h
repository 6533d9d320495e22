/* Random networks and machines for property tests. */
#ifndef LATHE_TESTS_RANDOM_NET_H
#define LATHE_TESTS_RANDOM_NET_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/stats.h"
#include "device/machine.h"
#include "model/transformer.h"

static inline struct schedule random_schedule(struct rng *rng, int64_t max_layers)
{
    struct schedule s = {.sharing = (enum sharing)rng_between(rng, 0, SHARING_REVERSE),
                         .n_layers = rng_between(rng, 1, max_layers),
                         .share_ffn = rng_between(rng, 0, 3) == 0};
    s.repeats = s.sharing == SHARING_NONE ? 1 : rng_between(rng, 2, 5);
    return s;
}

/* A uniform decoder with attention; every other property is drawn. */
static inline void random_net(struct rng *rng, struct transformer *net)
{
    int64_t kv = rng_between(rng, 1, 6), groups = rng_between(rng, 1, 4);
    transformer_init(net, rng_between(rng, 1, 40) * 32, 1, kv * groups, kv,
                     2 * rng_between(rng, 1, 64), rng_between(rng, 1, 60) * 32,
                     rng_between(rng, 1, 50000));
    net->schedule = random_schedule(rng, 40);
    net->ffn = (enum ffn_kind)rng_between(rng, FFN_RELU, FFN_GEGLU);
    net->norm = rng_between(rng, 0, 1) ? NORM_RMS : NORM_LAYER;
    net->norm_placement = (enum norm_placement)rng_between(rng, NORM_PRE, NORM_BRANCH);
    net->norm_bias = net->norm == NORM_LAYER && rng_between(rng, 0, 1);
    net->norm_weight = rng_between(rng, 0, 4) > 0;
    net->qk_norm = (enum qk_norm)rng_between(rng, QK_NORM_NONE, QK_NORM_HEADS);
    net->qk_norm_after_rope = rng_between(rng, 0, 3) == 0;
    net->biases = (unsigned)rng_between(rng, 0, 15);
    net->position = (enum position_kind)rng_between(rng, 0, POSITION_ALIBI);
    net->position_rows = net->position == POSITION_LEARNED ? rng_between(rng, 1, 3000) : 0;
    net->embed_norm = rng_between(rng, 0, 3) == 0;
    net->final_norm = rng_between(rng, 0, 3) > 0;
    net->tie_embeddings = rng_between(rng, 0, 1);
    net->stack.first.window = rng_between(rng, 0, 2) == 0 ? rng_between(rng, 1, 300) : 0;
    if (net->norm_placement == NORM_PRE && rng_between(rng, 0, 2) == 0) {
        net->parallel_block = true;
        net->parallel_shared_norm = rng_between(rng, 0, 1);
    }
    if (rng_between(rng, 0, 4) == 0)
        net->d_embed = rng_between(rng, 1, 20) * 32;
    transformer_set_dtype(net, (enum dtype)rng_between(rng, 0, N_DTYPES - 1));
    net->kv_dtype = rng_between(rng, 0, 1) ? DTYPE_F16 : DTYPE_Q8_0;
    snprintf(net->name, sizeof net->name, "random");
}

/* Three levels (SRAM, DRAM, flash), each slower and larger than the one before; costs drawn. */
static inline void random_machine(struct rng *rng, struct machine *m)
{
    memset(m, 0, sizeof *m);
    snprintf(m->device, sizeof m->device, "random");
    m->threads = 1;
    m->n_levels = 3;
    m->dram = 1;
    m->flash = 2;
    double gbps = 100 + 400 * rng_uniform(rng);
    static const char *const names[] = {"sram", "dram", "flash"};
    for (int l = 0; l < 3; l++) {
        snprintf(m->levels[l].name, sizeof m->levels[l].name, "%s", names[l]);
        m->levels[l].capacity_bytes = l == 0   ? rng_between(rng, 1, 64) << 20
                                      : l == 1 ? (int64_t)8 << 30
                                               : (int64_t)1 << 40;
        m->levels[l].read_gbps = gbps;
        m->levels[l].write_gbps = gbps;
        m->levels[l].latency_ns = l < 2 ? 100 : 100000;
        m->levels[l].turnaround_ns = DEFAULT_TURNAROUND_NS;
        m->levels[l].ports = DEFAULT_PORTS;
        m->levels[l].page_bytes = DEFAULT_PAGE_BYTES;
        m->levels[l].queue_depth = DEFAULT_QUEUE_DEPTH;
        m->levels[l].energy_pj_per_byte = l == 0 ? 10 : l == 1 ? 160 : 500;
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][l] = gbps * (0.5 + 0.5 * rng_uniform(rng));
        m->kv_gbps[l] = gbps;
        gbps /= 3 + 10 * rng_uniform(rng);
    }
    /* Half of them know timings, and of most types. */
    m->has_timings = rng_between(rng, 0, 1) == 0;
    for (int term = 0; term < N_TIMING_TERMS; term++)
        m->timing_ns[term] = rng_uniform(rng);
    for (int t = 0; t < N_DTYPES; t++)
        m->is_timed[t] = m->has_timings && rng_between(rng, 0, 3) > 0;
    m->timed_d_in = 512;
    m->timed_context = 100;
    m->timed_tokens = 32;
    if (rng_between(rng, 0, 1) == 0)
        machine_level_spill(&m->levels[0], 3 * m->levels[0].capacity_bytes);
    /* A slower level is slower for every type. */
    for (int l = 1; l < 3; l++)
        for (int t = 0; t < N_DTYPES; t++)
            m->weight_gbps[t][l] = fmin(m->weight_gbps[t][l], m->weight_gbps[t][l - 1] / 1.5);
    for (int t = 0; t < N_DTYPES; t++)
        m->peak_gflops[t] = 200 + 2000 * rng_uniform(rng);
    for (int k = 0; k < N_OP_KINDS; k++)
        m->op_ns[k] = 500 * rng_uniform(rng);
    m->layer_ns = 20000 * rng_uniform(rng);
    m->pass_ns = 50000 * rng_uniform(rng);
    m->overlap_frac = rng_uniform(rng);
    m->load_gbps = 1;
    m->init_gbps = 2;
    m->energy_pj_per_flop = 1;
    m->battery_j = 50000;
    m->app_share_bytes = (int64_t)400 << 20;
    m->error_median_frac = m->error_p90_frac = NAN;
}

#endif
