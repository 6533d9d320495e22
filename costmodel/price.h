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
#include "costmodel/breakdown.h"
#include "device/machine.h"
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

/* `net` passed transformer_check. detail: NULL, or gets the decode pass. Errors: STATUS_RANGE
 * (context or prompt beyond the network's), STATUS_NOMEM. */
enum status price_network(const struct transformer *net, const struct machine *machine,
                          const struct workload *workload, struct price *out,
                          struct price_detail *detail, struct err *err);

#endif
