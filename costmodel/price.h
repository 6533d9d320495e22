/* The closed-form clock: what a network costs on a machine, from its operator list.
 *
 * One rule gives each weight its memory level: its reuse distance (distinct bytes touched since its
 * last use, in the steady state of one pass after another) against the usable capacities of the
 * levels, as an LRU cache would decide. Time of an operator = the slowest of its bytes at their
 * levels and its FLOPs at the peak of its type, plus a cost per operator; a cost per executed block
 * and per pass come on top. While a repeated block runs from SRAM the next block's DRAM stream runs
 * ahead as far as there is room. docs/method.md derives every formula.
 *
 * What it cannot show: partial hits of a managed buffer, contention, refresh, the shape of a
 * pipeline's fill and drain; the simulator shows those. */
#ifndef LATHE_COSTMODEL_PRICE_H
#define LATHE_COSTMODEL_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "device/device.h"
#include "model/ops.h"
#include "model/transformer.h"

enum {
    DEFAULT_PROMPT = 128,
    DEFAULT_CONTEXT = 128,
};

struct workload {
    int64_t prompt;  /* tokens of the prefill, >= 1 */
    int64_t context; /* tokens in the cache when decode is timed, >= 0 */
};

/* Names and meanings are the contract's (docs/contract.md). */
struct price {
    double load_ns, init_ns;
    double prefill_ns;   /* pass over `prompt` tokens: time to first token of a loaded model */
    double ttft_cold_ns; /* load + init + prefill */
    double decode_ns;    /* one token after `context` tokens */
    double energy_pj_per_token; /* NaN when the profile has no energies */
    double energy_rule_pj; /* the paper's 0.1 J a token per 10^9 parameters, as a cross-check */
    int64_t peak_bytes;    /* weights + KV cache + activations */
    bool fits_app_share;   /* peak_bytes within the share of DRAM an app should use */
    bool beyond_timings;   /* the profile has timings, but some operator's type was not timed or its
                              shape is more than four times what was: the roofline spoke */
};

/* Where the time and bytes of one decode pass go. */
struct price_detail {
    double role_ns[N_OP_ROLES];      /* by operator role, without fixed costs */
    double level_ns[MAX_LEVELS];     /* time bound by this level's bandwidth */
    double compute_ns;               /* time bound by FLOPs */
    double fixed_ns;                 /* per operator, layer and pass */
    double hidden_ns;                /* stream hidden under repeated blocks (subtracted)... */
    int hidden_level;                /* ...from this level */
    int64_t level_bytes[MAX_LEVELS]; /* weights and KV read from each level */
    int64_t role_bytes[N_OP_ROLES];
    int64_t flop;
};

/* For a clock that moves an operator's weights and cache itself: what the operator takes beside. */
struct op_work {
    double compute_ns;
    bool adds_up; /* timed on the device: after the transfers, its activations included; else
                     beside both */
};
struct op_work price_op_work(const struct machine *machine, const struct op *op);
/* Bandwidth at which the operator's weights come from a level. */
double price_weight_gbps(const struct machine *machine, const struct op *op, int level);
/* Time in which `bytes` of them come from there. Those from memory bring their part of the matrix's
 * start; memory_share of the matrix does so in a steady walk, 0 where only these bytes do. */
double price_weight_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes,
                       double memory_share);

/* Time in which `bytes` of the KV cache come from there. */
double price_cache_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes);

/* Share of a read at this reuse distance that no level above DRAM has. */
double price_memory_share(const struct machine *machine, double distance);
/* Share of a read at this reuse distance that a level does not have when the read before it came
 * from memory: reread_lost_frac of one that just fits, less by the root of the distance of a nearer
 * one. */
double price_lost_share(const struct machine *machine, int level, double distance);

/* `net` passed transformer_check. detail may be NULL. Errors: STATUS_RANGE (context or prompt
 * beyond the network's), STATUS_NOMEM. */
enum status price_network(const struct transformer *net, const struct machine *machine,
                          const struct workload *workload, struct price *out,
                          struct price_detail *detail, struct err *err);

/* What one execution of a block class costs, by the level its weights come from. */
struct block_cost {
    double attention_ns[MAX_LEVELS]; /* operators on a block's own weights, at [level] */
    double ffn_ns[MAX_LEVELS];
    double attention_start_ns, ffn_start_ns; /* of their matrices, all from memory */
    double kv_ns[MAX_LEVELS]; /* attention over the KV cache, at [level of the cache] */
    double other_ns;          /* operators without weights or cache */
    double fixed_ns;          /* per operator and per executed block */
    int64_t attention_bytes, ffn_bytes, kv_bytes, activation_bytes, flop;
    bool beyond_timings;
};

/* What a price needs to know of the stored weights. */
struct counted {
    struct param_count params;
    struct weight_bytes bytes;
    int64_t kv_row_bytes; /* of one execution and token */
};

/* The same in two steps for a search: what depends neither on depth, schedule nor tying once, then
 * any number of schedules over it. Uniform networks only. price_network gives the same to the bit.
 */
struct shape_price {
    const struct machine *machine;
    struct workload workload;
    struct transformer net; /* with the schedule of the last price_schedule */
    struct operator_list decode, prefill;
    struct block_cost decode_cost, prefill_cost;
    int64_t prefill_activation_bytes;
    struct counted counted; /* of the last price_schedule */
    struct {                /* what `counted` was worked out from */
        bool valid, share_ffn, tie_embeddings;
        struct counted one, two; /* at one and two layers: all counts are lines in the depth */
    } line;
};
/* `net` passed transformer_check and, like `machine`, is borrowed. shape_price points inside
 * itself: do not copy it. */
void price_shape(const struct transformer *net, const struct machine *machine,
                 const struct workload *workload, struct shape_price *out);
/* `schedule`, as part of the network, passed transformer_check. */
void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out);

#endif
