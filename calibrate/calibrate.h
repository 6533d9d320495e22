/* Calibration: this machine's device profile from timings taken on it.
 *
 * Read bandwidth by working set, bandwidth of every memory level by threads (a plain read, and
 * matvec in every type), the compute peak of every type (matmul), what small operators, barriers
 * and parallel regions cost, the rate at which attention reads its cache, and the rate at which a
 * file comes in from storage. Kernels are checked against their portable definitions first. A
 * level's usable share is the largest working set that is read faster than the (geometric) middle
 * between it and the next: a virtual machine may be told of a cache sixteen times the one it has,
 * and neighbours hold a part.
 *
 * Then drawn networks run whole (trial.h), and what their passes are made of is fitted to them
 * with the kernels' values as prior (timing_fit.h). A sentinel and the share of the processors this
 * process got say whether the machine was quiet.
 *
 * What it cannot show: other processes' traffic at another time, heat, huge NUMA machines. */
#ifndef LATHE_CALIBRATE_CALIBRATE_H
#define LATHE_CALIBRATE_CALIBRATE_H

#include <signal.h>
#include <stdbool.h>

#include "base/status.h"
#include "device/device.h"
#include "timing/timed_cases.h"
#include "timing/topology.h"
#include "timing/trial.h"

struct calibration_options {
    bool quick;                        /* about 20 s instead of a minute, wider spreads */
    bool thorough;                     /* up to 10 minutes; not with quick */
    int max_threads;                   /* 0: the machine's cores */
    unsigned isa;                      /* of cpu_isa */
    const char *flash_directory;       /* where the storage test may write; NULL: no such test */
    const volatile sig_atomic_t *stop; /* looked at between timings; NULL: never */
    void (*progress)(void *context, int done, int total); /* NULL: none */
    void *progress_context;
};

/* A number as it goes into the profile. n == 0: not measured. */
struct measured {
    double value, mad;
    int n, n_disturbed; /* samples it rests on; left out (timing_undisturbed) */
    bool fitted;        /* to n timings of networks; there is no MAD then */
};
struct measured_by_threads {
    struct measured at[MAX_THREAD_POINTS];
};

struct calibration {
    struct topology topology;
    char measured_at[32]; /* UTC */
    char isa_names[64];
    int n_points, threads[MAX_THREAD_POINTS]; /* thread counts measured, ascending */
    int n_levels;                             /* caches and DRAM; flash comes after */
    struct {
        char name[16];
        int64_t capacity_bytes;
        bool per_thread;
        double usable_frac, spill_frac; /* spill_frac NaN: none */
        double reread_lost_frac;
        struct measured_by_threads read_gbps;
    } levels[MAX_LEVELS];
    struct measured_by_threads matvec_gbps[N_DTYPES][MAX_LEVELS];
    struct measured_by_threads peak_gflops[N_DTYPES];
    struct measured_by_threads op_ns[N_OP_KINDS];
    struct measured_by_threads pass_ns, attention_gbps;
    double attention_ns; /* of a token over an empty cache: 12 heads of 64, one thread */
    struct measured flash_gbps;
    char flash_note[1100]; /* why flash_gbps is missing, "" if it is not */

    /* What passes are made of (device.h), and the networks that told. n_trials 0: none did. */
    struct measured_by_threads timing_ns[N_TIMING_TERMS];
    struct measured_by_threads cache_gbps[MAX_LEVELS];
    int64_t matvec_step[N_DTYPES];
    double timed_d_in, timed_context, timed_tokens;
    struct transformer *networks; /* [n_networks], owned */
    struct trial *trials;         /* [n_trials], owned */
    int n_networks, n_trials;
    struct trial_report trial_report;
    double error_median_frac, error_p90_frac; /* decode, networks left out of the fit; NaN */
    double prefill_error_median_frac;
    int default_threads; /* those that were fastest */
    char note[512];      /* why not to trust this, "" if nothing speaks against it */

    struct kernel_time *times; /* every timing taken, for the store; owned */
    size_t n_times, times_capacity;
};

/* Runs everything. Release with calibration_release, whatever the status. Errors: STATUS_NOMEM,
 * STATUS_INTERRUPTED, STATUS_INPUT (a kernel disagrees with its definition), STATUS_RANGE (more
 * threads than the machine has cores). Storage that cannot be tested is no error. */
enum status calibrate(const struct calibration_options *options, struct calibration *out,
                      struct err *err);
void calibration_release(struct calibration *calibration);

/* Step two of calibrate: draws networks, times them through the runtime for `budget_ns`, fits
 * timing_ns and the rates of the types that ran, from the kernels' values in *out. Errors: as
 * calibrate. */
enum status calibrate_networks(const struct calibration_options *options, int n_networks,
                               double budget_ns, struct calibration *out, struct err *err);

/* Writes into note, if it is empty, why the session of trial_report was not quiet. */
void calibration_judge(struct calibration *calibration);

/* The profile as JSON (docs/profiles.md), every number with kind, source and spread; free with
 * memory_free. It reads back with device_parse. Errors: STATUS_NOMEM. */
enum status calibration_profile(const struct calibration *calibration, char **text,
                                struct err *err);

#endif
