/* Price of one uniform stack at many depths: what pass_walk gives at each, to the bit, without a walk.
 *
 * Every reuse distance is a line in the depth. Between two depths at which one of them crosses the
 * capacity of a level, all weights stay at their levels, and the time of a pass is a sum of products,
 * count of executions by time of one, whose counts are lines in the depth: a *segment*. They are
 * solved for, not looked for. Within one, additions come in the order of the walk.
 *
 * What it cannot do: levels whose hits fade out (spill, rereads that are lost) bend within a segment,
 * and reverse schedules of many repeats have too many runs; energies are sums of counts that must be
 * exact in a double. segment_covers says so; the walk prices those. */
#ifndef LATHE_COSTMODEL_SEGMENT_PRICE_H
#define LATHE_COSTMODEL_SEGMENT_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "costmodel/block_cost.h"
#include "device/machine.h"
#include "model/ops.h"

/* What stands before and after the blocks. */
struct edge_cost {
    int n;
    struct {
        double ns[MAX_LEVELS]; /* with all fixed costs, at [level] */
        int64_t weight_bytes;
        bool is_gathered; /* rows of the token table: further away where nothing else reads it */
    } ops[2 * MAX_EDGE_OPS];
    int64_t weight_bytes, gathered_bytes, flop, activation_bytes;
};
void edge_cost_of(const struct machine *machine, const struct operator_list *list,
                  struct edge_cost *out);

/* A phase of a shape, and what can be worked out of it before there is a schedule. */
struct segment_phase {
    const struct machine *machine;
    const struct block_cost *block;
    const struct edge_cost *edges;
    double weights_ns[MAX_LEVELS]; /* of an execution that has all its weights at [level] */
    int64_t shareable_bytes; /* of a block's weights, those that share_ffn makes one for all */
};
/* All are borrowed. */
void segment_phase_init(struct segment_phase *phase, const struct machine *machine,
                        const struct block_cost *block, const struct edge_cost *edges);

/* True: times of the schedule are priced by segments on this machine. Its n_layers is not read. */
bool segment_covers(const struct machine *machine, const struct schedule *schedule);
/* True: energies are, too, up to so many executions. */
bool segment_covers_energy(const struct segment_phase *phase, int64_t executions);

/* True: at depths low .. high prices are those without a table, as long as it has no more bytes. */
bool segment_ignores_table(const struct segment_phase *phase, const struct schedule *schedule,
                           int64_t table_bytes, int64_t low, int64_t high);

/* Loops go over so many depths at a time, and beyond the last of them. */
enum { DEPTH_STEP = 4 };

/* Depths low .. low + n - 1, low at least 1. All arrays have room for DEPTH_STEP more.
 *   depth        [n], and ascending beyond: these, as numbers
 *   table_bytes  as pass_walk takes it
 *   ns           [n], out: struct pass ns
 *   energy_pj    [n], out: price energy_pj_per_token; NULL: not wanted */
void segment_price(const struct segment_phase *phase, const struct schedule *schedule,
                   int64_t table_bytes, const double *depth, int64_t low, int64_t n, double *ns,
                   double *energy_pj);

#endif
