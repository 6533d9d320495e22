/* Where a read finds its bytes: from its reuse distance to a memory level.
 *
 * The fastest level that holds the distance has the bytes. A level whose hits fade out instead of
 * ending at its capacity (spill) still has a share of what the next level holds: a line between two
 * edges of the spill. A level read right after a read from memory may have lost a part again.
 * docs/method.md derives the formulas; costmodel/reuse.h gives the distances. */
#ifndef LATHE_COSTMODEL_FOUND_H
#define LATHE_COSTMODEL_FOUND_H

#include <stdint.h>

#include "device/machine.h"

/* The fastest level that holds `distance` bytes; the last one always does. */
static inline int found_level(const struct machine *machine, int64_t distance)
{
    int level = 0;
    while (level < machine->n_levels - 1 && machine->levels[level].capacity_bytes < distance)
        level++;
    return level;
}

/* Distances at which the time of a read bends, in bytes, ascending: the levels' capacities and the
 * edges of their spill. Between two of them the time is a line in the distance. Returns how many.
 */
enum { MAX_FOUND_EDGES = N_SPILL * MAX_LEVELS };
int found_edges(const struct machine *machine, int64_t edges[MAX_FOUND_EDGES]);

/* Of a read whose reuse distance `level` holds: the share that the level before still has, 0 to 1,
 * and by how much it falls with a byte of distance. */
struct found {
    double share, slope;
};
struct found found_before(const struct machine *machine, int level, double distance);

/* Time of a read of which the level before has the share `found`, where ns_by_level[l] is its time
 * from level l alone. */
static inline double found_share_ns(const double *ns_by_level, int level, double found)
{
    return found > 0 ? found * ns_by_level[level - 1] + (1 - found) * ns_by_level[level]
                     : ns_by_level[level];
}

/* Share of a read at this reuse distance that no level above DRAM has. */
double price_memory_share(const struct machine *machine, double distance);

/* Share of a read at this reuse distance that a level does not have when the read before it came
 * from memory: reread_lost_frac of one that just fits, less by the root of the distance of a nearer
 * one. */
double price_lost_share(const struct machine *machine, int level, double distance);

#endif
