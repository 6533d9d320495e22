/* Step one of a calibration: kernels and memory levels, timed alone.
 *
 * Read bandwidth by working set, bandwidth of every memory level by threads (a plain read, and
 * matvec in every type), the compute peak of every type (matmul), what small operators, barriers
 * and parallel regions cost, and the rate at which attention reads its cache; apart from these, the
 * rate at which a file comes in from storage.
 *
 * What it cannot show: what stands between kernels in a network (fit_networks.h). */
#ifndef LATHE_CALIBRATE_CALIBRATE_KERNELS_H
#define LATHE_CALIBRATE_CALIBRATE_KERNELS_H

#include "calibrate/calibration.h"
#include "calibrate/kernel_timer.h"

/* Weight types that are timed. */
enum { N_TIMED_TYPES = 6 };
extern const enum dtype timed_types[N_TIMED_TYPES];

/* Timings that calibrate_kernels will take at least, over a buffer of data_bytes. */
int count_kernel_timings(const struct calibration *calibration, int64_t data_bytes);

/* *out: with topology, threads and the device's levels (caches, DRAM); out: the device's numbers
 * but for what only networks tell. space->data_bytes: well beyond the last cache. Errors:
 * STATUS_NOMEM, STATUS_INTERRUPTED. */
enum status calibrate_kernels(const struct calibration_options *options,
                              const struct kernel_timer *timer, struct timed_space *space,
                              struct calibration *out, struct err *err);

/* How fast a file comes in, into flash_gbps, or why that is not known into flash_note. */
void calibrate_storage(const struct calibration_options *options, const struct kernel_timer *timer,
                       struct calibration *out);

#endif
