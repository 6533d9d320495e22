/* What the passes of a network did and cost, resource by resource and role by role. */
#ifndef LATHE_SIMULATOR_PASS_REPORT_H
#define LATHE_SIMULATOR_PASS_REPORT_H

#include <stdint.h>

#include "device/machine.h"
#include "model/ops.h"

enum resource {
    RESOURCE_FLASH,
    RESOURCE_DRAM,
    RESOURCE_VECTORS,
    RESOURCE_COMPUTE,
    RESOURCE_DISPATCH,
    RESOURCE_PORT, /* + level */
    N_RESOURCES = RESOURCE_PORT + MAX_LEVELS - 2,
};
/* "flash", "dram", "vectors", "compute", "dispatch" or the level's name; NULL: the machine has no
 * such resource. */
const char *resource_name(const struct machine *machine, int resource);

/* What an operator's time is bound by, along its critical path from first to last. The parts add up
 * to all of its time. */
enum bound {
    BOUND_DISPATCH,
    BOUND_FLASH, /* data on their way from flash */
    BOUND_DRAM,  /* data on their way from DRAM; activations that had to go there */
    BOUND_PORT,  /* data on their way from a level above */
    BOUND_COMPUTE,
    BOUND_VECTORS, /* activations, when all else is done */
    N_BOUNDS,
};
const char *bound_name(enum bound bound);

struct use {
    double ns; /* from the end of the operator before to its own */
    double bound_ns[N_BOUNDS];
    int64_t level_bytes[MAX_LEVELS]; /* weights and KV cache read, by the level they came from */
    int64_t activation_bytes[MAX_LEVELS];
    int64_t kv_write_bytes, flop;
};

/* One or several passes. */
struct pass_report {
    double start_ns, end_ns;
    double ns; /* of all passes */
    double busy_ns[N_RESOURCES];
    double exposed_ns;                   /* channels of DRAM and flash idle for a latency */
    int64_t moved_bytes[N_RESOURCES];    /* by the channels of flash and DRAM and the ports */
    int64_t required_bytes;              /* weights and KV cache that the operators read */
    int64_t held_peak_bytes;             /* most bytes that were fetched and not read yet */
    struct use total, roles[N_OP_ROLES]; /* total: the roles' sum */
    double energy_pj;                    /* NaN: a level that was used has no energy */
    double level_energy_pj[MAX_LEVELS];  /* weights, KV cache and activations */
    double compute_energy_pj;
};
/* Adds the roles up into `total` and works out the energy on this machine. */
void pass_report_finish(const struct machine *machine, struct pass_report *report);

#endif
