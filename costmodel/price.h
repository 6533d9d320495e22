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
#include "contract/price_fields.h"
#include "costmodel/breakdown.h"
#include "device/machine.h"
#include "model/count.h"
#include "model/transformer.h"

enum {
    DEFAULT_PROMPT = 128,
    DEFAULT_CONTEXT = 128,
};

struct workload {
    int64_t prompt;  /* tokens of the prefill, >= 1 */
    int64_t context; /* tokens in the cache when decode is timed, >= 0 */
};

/* `net` passed transformer_check. detail: NULL, or gets the decode pass. Errors: STATUS_RANGE
 * (context or prompt beyond the network's), STATUS_NOMEM. */
enum status price_network(const struct transformer *net, const struct machine *machine,
                          const struct workload *workload, struct price *out,
                          struct price_detail *detail, struct err *err);

#endif
