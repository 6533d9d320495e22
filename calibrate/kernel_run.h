/* Timings of kernels, one after another: what the files that take them share. */
#ifndef LATHE_CALIBRATE_KERNEL_RUN_H
#define LATHE_CALIBRATE_KERNEL_RUN_H

#include "calibrate/calibration.h"
#include "calibrate/kernel_timer.h"

struct kernel_run {
    const struct calibration_options *options;
    const struct kernel_timer *timer;
    struct timed_space *space;
    struct calibration *out;
    int done, total;
    struct err *err;
    enum status status; /* the first that is not OK; later steps do nothing */
};

/* One timing to be taken: its place in the list, or NULL when the run is over. */
struct kernel_time *kernel_run_next(struct kernel_run *run);
/* Says which level the timing's bytes came from. */
void kernel_time_from(struct kernel_time *time, const char *level);

/* The undisturbed samples: ns of a call. */
struct measured measured_ns(const struct timing *timing);
/* As a rate of `units` (bytes or flop) a call; its MAD alike. */
struct measured measured_rate(const struct timing *timing, double units);

/* Bytes that a timing of a level walks: half of what is usable, inside the level and in practice
 * beyond the faster one. DRAM: all of the buffer. */
int64_t level_working_set(const struct kernel_run *run, int level, int threads);

/* A result this far below that of fewer threads is somebody else's doing: threads that stream or
 * compute together spread by some per cent on a quiet machine, and by tens on a busy one. */
#define BELOW_FEWER_THREADS 0.9

#endif
