/* What one operator takes on a machine.
 *
 * Of a type that was timed on the device: the sum of its weights, its cache, its activations and
 * its products, as the timings say. Otherwise the roofline: the slowest of the four. A timed type
 * in a shape far beyond the timings takes at least its roofline. docs/method.md derives every
 * formula. */
#ifndef LATHE_COSTMODEL_OPERATOR_TIME_H
#define LATHE_COSTMODEL_OPERATOR_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "device/machine.h"
#include "model/ops.h"

/* Without the cost per operator and the starts of its matrix. */
struct op_time {
    double weight_ns, kv_ns, activation_ns, compute_ns;
    double busy_ns; /* the slowest of the four, or their sum... */
    bool adds_up;   /* ...when the operator was timed */
};
/* Its weights and its cache come from `level`. */
struct op_time operator_time(const struct machine *machine, const struct op *op, int level);

/* The profile has timings, but the operator's type was not timed or its shape is more than four
 * times what was. */
bool operator_beyond_timings(const struct machine *machine, const struct op *op);

/* Until the first bytes of its matrix come from memory; 0 when that was not timed. */
double operator_start_ns(const struct machine *machine, const struct op *op);

/* Of matrices a share of whose bytes come from memory, those that wait for it at their start: they
 * are read in four streams (kernels/matvec_body.h), and any first line makes them wait. */
static inline double share_of_starts(double memory_share)
{
    double none = 1 - memory_share;
    return 1 - none * none * none * none;
}

/* For a clock that moves an operator's weights and cache itself: what the operator takes beside. */
struct op_work {
    double compute_ns;
    bool adds_up; /* timed on the device: after the transfers, its activations included; else
                     beside both */
};
struct op_work price_op_work(const struct machine *machine, const struct op *op);

/* Bandwidth at which the operator's weights come from a level. */
double price_weight_gbps(const struct machine *machine, const struct op *op, int level);

/* Time to bring `bytes` of them from that level. Bytes from memory also bring their part of the
 * matrix's start. memory_share: the share of the matrix that comes from memory in a steady walk; 0
 * where only these bytes do. */
double price_weight_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes,
                       double memory_share);

/* Time in which `bytes` of the KV cache come from there. */
double price_cache_ns(const struct machine *machine, const struct op *op, int level, int64_t bytes);

#endif
