/* What takes time in a calibration, so that a test can hand in a machine that it made up. */
#ifndef LATHE_CALIBRATE_KERNEL_TIMER_H
#define LATHE_CALIBRATE_KERNEL_TIMER_H

#include "timing/timed_cases.h"
#include "timing/trial.h"

/* As the functions of timed_cases.h, flash_read.h and trial.h that they are named after. */
struct kernel_timer {
    enum status (*open)(struct timed_space *space, unsigned isa, int64_t data_bytes,
                        struct err *err);
    void (*close)(struct timed_space *space);
    void (*read)(struct timed_space *space, int64_t bytes, int threads, struct kernel_time *out);
    void (*matvec)(struct timed_space *space, enum dtype dtype, int64_t k, int64_t bytes,
                   int threads, struct kernel_time *out);
    void (*matmul)(struct timed_space *space, enum dtype dtype, int threads,
                   struct kernel_time *out);
    void (*attention)(struct timed_space *space, int64_t context, int64_t bytes, int threads,
                      struct kernel_time *out);
    void (*small_op)(struct timed_space *space, enum small_op op, struct kernel_time *out);
    void (*barrier)(struct timed_space *space, int threads, struct kernel_time *out);
    void (*region)(struct timed_space *space, int threads, struct kernel_time *out);
    enum status (*storage)(const char *directory, int64_t bytes, int rounds, double *gbps,
                           struct err *err);
    enum status (*trials)(struct trial *trials, int n, const struct trial_options *options,
                          struct trial_report *report, struct err *err);
    void (*wait_a_second)(void);
};

extern const struct kernel_timer kernel_timer_here; /* this machine */

#endif
