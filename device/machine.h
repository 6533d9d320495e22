/* What a phone, board or laptop can do, as numbers: all that pricing and simulating ask for.
 *
 * A `struct device` is a profile as read (device.h), with numbers by thread count. A `struct
 * machine` is a device at one thread count, flat and ready for pricing. Every number of either is a
 * row of device/profile_fields.c, which has its key, unit, limits and meaning. Plain data: no JSON,
 * nothing to release. CPU and GPU/NPU of one phone are separate devices ("iphone-13",
 * "iphone-13-cpu").
 *
 * What neither can show: thermal throttling, other apps' traffic, frequency steps. */
#ifndef LATHE_DEVICE_MACHINE_H
#define LATHE_DEVICE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/dtype.h"
#include "model/ops.h"

enum {
    MAX_LEVELS = 6,
    MAX_THREAD_POINTS = 8,
};

/* What the simulator takes where a profile is silent (docs/profiles.md). */
enum {
    DEFAULT_TURNAROUND_NS = 30,
    DEFAULT_PORTS = 2,
    DEFAULT_PAGE_BYTES = 4096,
    DEFAULT_QUEUE_DEPTH = 32,
};

/* A number at several thread counts, ascending; n == 0: unknown. */
struct by_threads {
    int n;
    int threads[MAX_THREAD_POINTS];
    double value[MAX_THREAD_POINTS];
};

/* Linear between the thread counts, constant beyond them; `absent` when n == 0. */
double by_threads_at(const struct by_threads *numbers, int threads, double absent);

/* What a level above DRAM keeps when it is full; only the simulator tells them apart. */
enum level_policy {
    POLICY_LRU,     /* a cache: the least recently used goes */
    POLICY_MANAGED, /* a buffer whose owner knows the schedule: what is needed last goes */
    POLICY_PINNED,  /* most of it keeps the weights read most often, the rest streams */
    N_LEVEL_POLICIES,
};
/* name: "lru" "managed" "pinned". Errors: STATUS_USAGE. */
enum status level_policy_parse(const char *name, enum level_policy *out, struct err *err);

/* One level of the memory hierarchy, fastest first; the last but one is DRAM, the last flash. */
struct level {
    char name[16];
    int64_t capacity_bytes;  /* what is there (per cluster or chip as seen by one pass); flash may
                                leave it out: 2^50 */
    double usable_frac;      /* share that weights and KV cache can really occupy, 0..1 */
    double spill_frac;       /* above usable_frac. Weights that are read again and again are all
                                found here while they fill no more than usable_frac, and none of
                                them once they fill spill_frac; in between, fewer and fewer (struct
                                machine_level). NaN: none beyond usable_frac, as in a perfect LRU */
    double reread_lost_frac; /* of a block that came from memory and runs again at once: the share
                                that has left this level by then and comes from memory once more.
                                Of a block as large as what is usable; of one a quarter as large,
                                half of it (the square root). 0: a perfect LRU loses nothing */
    bool per_thread;         /* capacity grows with the threads (private L2) */
    struct by_threads read_gbps;
    struct by_threads write_gbps; /* n == 0: as read */
    double latency_ns;            /* NaN: unknown */
    double energy_pj_per_byte;    /* moved from here to the compute units; NaN: unknown */
    double efficiency_frac; /* of read_gbps and write_gbps what refresh and contention leave; 1
                               where these are achieved figures already */
    double turnaround_ns;   /* bus idle between a read and a write */
    enum level_policy policy;
    int64_t ports;       /* 2: weights and activations do not wait for one another; 1: they do */
    int64_t page_bytes;  /* flash: the smallest read */
    int64_t queue_depth; /* flash: commands under way at once */
};

/* What passes of a runtime are made of, where they were timed on the device ("timings" of the
 * profile): wall times at a thread count. Operators with timings cost the sum of their terms, not
 * the slowest of them; bytes of weights and flop of a prompt keep their rates (matvec_gbps,
 * peak_gflops). docs/method.md, section Calibration. */
enum timing_term {
    TIMING_ROW = 0,                      /* + dtype. decode: a row of a matrix */
    TIMING_COLUMN = N_DTYPES,            /* + dtype. decode: an element of an input made ready */
    TIMING_PROMPT_BYTE = 2 * N_DTYPES,   /* + dtype. prompt: a byte of weights unpacked, once in
                                            TIMING_BATCH tokens */
    TIMING_PROMPT_COLUMN = 3 * N_DTYPES, /* + dtype. prompt: an element of an input made ready */
    TIMING_START = 4 * N_DTYPES,         /* + dtype. decode: until a matrix comes from memory */
    TIMING_ELEMENT = 5 * N_DTYPES,       /* + operator kind: an element of other operators */
    TIMING_PROMPT_ROW = 5 * N_DTYPES + N_OP_KINDS, /* prompt: an element of an output */
    TIMING_QUERY,                                  /* decode's attention: an element of a query */
    TIMING_POSITION,        /* ... a flop / d_head: what a score costs besides its products */
    TIMING_SCORE,           /* ... a flop */
    TIMING_PROMPT_POSITION, /* prompt's attention, alike */
    TIMING_PROMPT_SCORE,
    N_TIMING_TERMS,
};
enum { TIMING_BATCH = 512 }; /* tokens of a prompt that a matrix is read once for */

/* Where the numbers come from: the `basis` of every prediction. */
enum basis {
    BASIS_DATASHEET,
    BASIS_CALIBRATED, /* lathe calibrate on the device itself */
    BASIS_FITTED,     /* to a runtime's own timings */
};
const char *basis_name(enum basis basis);

struct device {
    char id[48]; /* file name without .json; what --device takes; "" after device_parse */
    char name[96];
    char kind[16];    /* phone, board, laptop, desktop, generic */
    char unit[16];    /* cpu, gpu, npu */
    char runtime[64]; /* the software the fixed costs belong to ("ExecuTorch MPS"), "" = none in
                         particular */
    enum basis basis;
    double error_median_frac, error_p90_frac; /* of decode_ns on held-out rows; NaN: unknown */

    int n_levels; /* >= 2 */
    struct level levels[MAX_LEVELS];
    double app_share_frac; /* of DRAM that an app should not exceed (MobileLLM, section 1: 0.1) */

    int default_threads; /* >= 1; 1 for GPU and NPU */
    int max_threads;
    struct by_threads peak_gflops
        [N_DTYPES]; /* by weight type; a missing type takes its relative's, f16's or f32's */
    /* Achieved share of a level's read bandwidth when streaming weights of a type (unpacking is
     * compute); NaN: unknown, as that of the type's relative (dtype_relative) or else 1. */
    double stream_frac[N_DTYPES];
    /* Achieved matvec bandwidth by type and level where measured, replacing read_gbps *
     * stream_frac. */
    struct by_threads matvec_gbps[N_DTYPES][MAX_LEVELS];

    /* Fixed costs. */
    struct by_threads op_ns[N_OP_KINDS]; /* per operator: dispatch, barrier */
    struct by_threads layer_ns;          /* per executed block */
    struct by_threads pass_ns;           /* per token or prompt: enter, leave, head dispatch */
    struct by_threads attention_gbps;    /* KV-cache read bandwidth; n == 0: DRAM's */
    struct by_threads attention_gflops;  /* attention of one query over the cache (decode); n == 0:
                                            the peak of the cache's type */
    struct by_threads head_gbps; /* the head's matrix from DRAM; n == 0: as its type elsewhere */
    double overlap_frac; /* share of a repeated block's compute under which the next block's DRAM
                            stream can hide; 0 = no prefetch */

    bool has_timings;
    struct by_threads timing_ns[N_TIMING_TERMS]; /* a type without TIMING_ROW has no timings */
    int64_t matvec_step[N_DTYPES]; /* decode: weights of a row that are taken at a time, a shorter
                                      rest in as long as a whole; 0: any number */
    struct by_threads cache_gbps[MAX_LEVELS];       /* attention's reads; n == 0: the level's */
    double timed_d_in, timed_context, timed_tokens; /* the largest that were timed */
    struct by_threads sentinel_sum_ns, sentinel_read_gbps, sentinel_meet_ns; /* machine_state.h */

    /* Load (file to DRAM) and init (repack, compile, allocate):
     *   load_ns = load_fixed_ns + bytes / load_gbps + load_layer_ns * executions
     *   init_ns = init_fixed_ns + bytes / init_gbps + init_layer_ns * executions
     *             + init_block_sq_ns * (distinct blocks)^2
     * The square is Table 7's: 60 distinct blocks take 2.46 times the init of 30. NaN load_gbps:
     * the flash level's bandwidth; NaN init_gbps: nothing per byte. */
    double load_fixed_ns, load_gbps, load_layer_ns;
    double init_fixed_ns, init_gbps, init_layer_ns, init_block_sq_ns;

    double energy_pj_per_flop; /* NaN: unknown */
    double battery_j;          /* of a full charge; NaN: unknown */
};

/* Where a level's hits fade out. A perfect LRU that is one byte too small for weights read in turn
 * finds none of them; real caches still find some (spill). The share that is found falls from 1 at
 * the usable capacity to 0 at spill_frac, as a logistic curve of the logarithm of the distance. Here
 * it is drawn as straight lines between five distances, each the same factor beyond the one before:
 * SPILL_FOUND is the share at each. */
enum { N_SPILL = 5 };
#define SPILL_FOUND \
    { \
        1, 0.89, 0.5, 0.11, 0 \
    }
struct machine_level {
    char name[16];
    int64_t capacity_bytes;       /* usable */
    int64_t spill_bytes[N_SPILL]; /* the five distances, from capacity_bytes on; zeros: no spill */
    double reread_lost_frac;
    double read_gbps, write_gbps, latency_ns, energy_pj_per_byte; /* the last two: NaN unknown */
    double turnaround_ns;
    enum level_policy policy;
    int64_t ports, page_bytes, queue_depth;
};

/* A device at a thread count. All numbers resolved; nothing to look up while pricing: bandwidths
 * and peaks are positive, load_gbps is the flash level's where the profile has none, init_gbps is
 * infinite where bytes cost nothing. Energies and errors stay NaN where unknown. */
struct machine {
    char device[48];
    int threads;
    enum basis basis;
    double error_median_frac, error_p90_frac;
    int n_levels, dram, flash; /* indices of levels */
    struct machine_level levels[MAX_LEVELS];
    int64_t app_share_bytes;
    double peak_gflops[N_DTYPES];
    double weight_gbps[N_DTYPES][MAX_LEVELS]; /* streaming weights of a type from a level */
    enum dtype rated_as[N_DTYPES]; /* whose rates these are: the type itself, or a relative */
    double kv_gbps[MAX_LEVELS];
    double attention_gflops; /* of a decode; 0: the peak of the cache's type */
    double head_gbps;        /* from DRAM; 0: as other weights of its type */
    double op_ns[N_OP_KINDS], layer_ns, pass_ns;
    double overlap_frac;
    bool has_timings, is_timed[N_DTYPES];
    double timing_ns[N_TIMING_TERMS];
    int64_t matvec_step[N_DTYPES];
    double timed_d_in, timed_context, timed_tokens;
    double load_fixed_ns, load_gbps, load_layer_ns;
    double init_fixed_ns, init_gbps, init_layer_ns, init_block_sq_ns;
    double energy_pj_per_flop, battery_j;
};

/* Sets where hits end: nothing is found beyond `bytes`. At most capacity_bytes: no spill. */
void machine_level_spill(struct machine_level *level, int64_t bytes);

/* threads 0: the device's default. Errors: STATUS_RANGE above max_threads, STATUS_INPUT when a
 * number that pricing cannot do without is missing (named). */
enum status machine_resolve(const struct device *device, int threads, struct machine *out,
                            struct err *err);

#endif
