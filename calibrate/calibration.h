/* A calibration: a device with the evidence of each of its numbers, and the timings it rests on.
 *
 * While it runs, the device holds what was measured so far, at full precision; its levels are the
 * caches and DRAM. calibration_settle gives what the profile says and what machines are resolved
 * from: rounded, with levels that slow down, and flash. */
#ifndef LATHE_CALIBRATE_CALIBRATION_H
#define LATHE_CALIBRATE_CALIBRATION_H

#include <signal.h>
#include <stdbool.h>

#include "base/status.h"
#include "device/machine.h"
#include "device/profile_fields.h"
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

/* What a number rests on. */
struct evidence {
    bool is_given; /* false: nobody measured it */
    enum number_kind kind;
    double mad;
    int n, n_disturbed; /* samples; those left out (timing_undisturbed) */
    double cut_from;    /* what was measured, where a faster level bounds it; 0: not cut */
    const char *note;   /* says it all in place of the above; NULL: none. Borrowed */
};

struct measured {
    double value;
    struct evidence by;
};

/* Every double of the device has the evidence at its own place. */
enum { N_EVIDENCE = sizeof(struct device) / sizeof(double) };
struct sourced_device {
    struct device device;
    struct evidence evidence[N_EVIDENCE];
};
/* number: points into sourced->device. */
struct evidence *evidence_of(struct sourced_device *sourced, const double *number);

struct calibration {
    struct topology topology;
    char measured_at[32]; /* UTC */
    char isa_names[64];
    int n_points, threads[MAX_THREAD_POINTS]; /* thread counts measured, ascending */
    struct sourced_device sourced;
    struct measured flash_gbps;
    char flash_note[1100]; /* why flash_gbps is missing, "" if it is not */

    /* The networks that told what passes are made of. n_trials 0: none did. */
    struct transformer *networks; /* [n_networks], owned */
    struct trial *trials;         /* [n_trials], owned */
    int n_networks, n_trials;
    struct trial_report trial_report;
    double prefill_error_median_frac; /* networks left out of the fit; decode's are the device's */
    char note[512];                   /* why not to trust this, "" if nothing speaks against it */

    struct kernel_time *times; /* every timing taken, for the store; owned */
    size_t n_times, times_capacity;
};

/* Nothing measured, all of a profile's defaults. Release with calibration_release. */
void calibration_init(struct calibration *calibration);
void calibration_release(struct calibration *calibration);

/* A number of the device at the p-th thread count. */
void calibration_put(struct calibration *calibration, struct by_threads *numbers, int p,
                     struct measured measured);
struct measured calibration_get(struct calibration *calibration, const struct by_threads *numbers,
                                int p);

/* The device that the profile describes. *out borrows notes of the calibration. */
void calibration_settle(const struct calibration *calibration, struct sourced_device *out);
/* Settled, at a thread count. Errors: STATUS_NOMEM, those of machine_resolve. */
enum status calibration_machine(const struct calibration *calibration, int threads,
                                struct machine *out, struct err *err);

#endif
