/* How fast each memory level reads, and how much of it there really is.
 *
 * A level's usable share is the largest working set that is read faster than the (geometric) middle
 * between it and the next: a virtual machine may be told of a cache sixteen times the one it has,
 * and neighbours hold a part. */
#ifndef LATHE_CALIBRATE_MEMORY_LEVELS_H
#define LATHE_CALIBRATE_MEMORY_LEVELS_H

#include "calibrate/kernel_run.h"

/* Working sets that are read: two an octave from 64 KiB up to `most` bytes, 40 at most. */
int count_working_sets(int64_t most);
/* Into usable_frac and read_gbps of the device's levels; a note where threads were taken away. */
void time_levels(struct kernel_run *run);

#endif
