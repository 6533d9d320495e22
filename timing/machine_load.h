/* What else a machine was doing while something was timed. */
#ifndef LATHE_TIMING_MACHINE_LOAD_H
#define LATHE_TIMING_MACHINE_LOAD_H

#include <stdint.h>

struct machine_load {
    double all_s, busy_s, stolen_s; /* of all processors since it started; NaN: not known */
    double own_s;                   /* of this process */
    int64_t now_ns;
};

/* Reads `stat` (MACHINE_LOAD_STAT, or a file like it) and this process's own times. */
#define MACHINE_LOAD_STAT "/proc/stat"
void machine_load_read(const char *stat, struct machine_load *out);

/* Share of the processors' time between two readings that other guests of the host took, and
 * processors that other programs here kept busy on average. NaN: not known. */
double machine_load_steal_frac(const struct machine_load *from, const struct machine_load *to);
double machine_load_others_busy(const struct machine_load *from, const struct machine_load *to);

#endif
