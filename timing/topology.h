/* The machine as the operating system tells it: cores, caches, memory. */
#ifndef LATHE_TIMING_TOPOLOGY_H
#define LATHE_TIMING_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { MAX_CACHES = 4 };

struct cache {
    char name[16];   /* "l2" */
    int64_t bytes;   /* of one */
    int n_sharing;   /* cores that share one */
    bool per_thread; /* private to a core */
};

struct topology {
    char cpu[96];
    int n_cores;        /* that this process may use */
    int64_t dram_bytes; /* of the machine */
    int n_caches;       /* data and unified caches from l2 on, smallest first; 0: none told */
    struct cache caches[MAX_CACHES];
};

/* Asks hwloc (which HWLOC_SYNTHETIC and HWLOC_XMLFILE redirect) and sysconf. The level 1 cache is
 * left out: between two uses of a weight a pass always reads more than that. Errors: STATUS_IO. */
enum status topology_read(struct topology *out, struct err *err);

#endif
