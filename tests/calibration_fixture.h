/* Made-up machines for the tests of calibrate/: one that is a finished calibration, and one that is
 * timed by a made-up timer. Nothing is run. */
#ifndef LATHE_TESTS_CALIBRATION_FIXTURE_H
#define LATHE_TESTS_CALIBRATION_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/stats.h"
#include "calibrate/calibrate_kernels.h"
#include "calibrate/calibration_profile.h"
#include "calibrate/networks_drawn.h"
#include "costmodel/price.h"
#include "device/device.h"

static inline void put(struct calibration *c, struct by_threads *numbers, double one, double two)
{
    calibration_put(c, numbers, 0,
                    (struct measured){one, {.kind = NUMBER_MEASURED, .mad = one / 50, .n = 15}});
    calibration_put(
        c, numbers, 1,
        (struct measured){two,
                          {.kind = NUMBER_MEASURED, .mad = two / 50, .n = 12, .n_disturbed = 3}});
}

/* A made-up machine whose noise turned the levels round at two threads. */
static inline void make_up(struct calibration *c)
{
    struct device *device = &c->sourced.device;
    calibration_init(c);
    strcpy(c->topology.cpu, "made up");
    strcpy(c->measured_at, "2026-11-22T05:04:33Z");
    c->n_points = 2;
    c->threads[0] = 1;
    c->threads[1] = 2;
    device->n_levels = 2;
    strcpy(device->levels[0].name, "l2");
    device->levels[0].capacity_bytes = 1 << 20;
    device->levels[0].per_thread = true;
    device->levels[0].usable_frac = 0.75;
    put(c, &device->levels[0].read_gbps, 101.23456, 40);
    strcpy(device->levels[1].name, "dram");
    device->levels[1].capacity_bytes = (int64_t)8 << 30;
    put(c, &device->levels[1].read_gbps, 20, 45);
    put(c, &device->peak_gflops[DTYPE_F32], 60, 110);
    put(c, &device->matvec_gbps[DTYPE_Q8_0][0], 50, 90);
    put(c, &device->matvec_gbps[DTYPE_Q8_0][1], 18, 30);
    put(c, &device->op_ns[OP_NORM], 100, 120);
    put(c, &device->attention_gbps, 10, 18);
    put(c, &device->pass_ns, 0, 900);
    put(c, &device->timing_ns[TIMING_START + DTYPE_Q8_0], 700, 900);
    device->matvec_step[DTYPE_Q8_0] = 128;
    put(c, &device->cache_gbps[1], 7, 12);
    c->flash_gbps = (struct measured){1.5, {.kind = NUMBER_MEASURED, .mad = 0.1, .n = 5}};
}

static inline struct device read_back(const struct calibration *c)
{
    char *text = NULL;
    struct err err = {""};
    struct json_doc *doc = NULL;
    struct json root;
    struct device device;
    assert_int_equal(calibration_profile(c, &text, &err), STATUS_OK);
    assert_int_equal(json_parse("profile", text, (int64_t)strlen(text), &doc, &root, &err),
                     STATUS_OK);
    if (device_parse(&root, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    json_close(doc);
    memory_free(text);
    return device;
}

/* A machine with two caches, of which the system tells the last twice too large, as the timer sees
 * it. Times are worked out, nothing is run. */
struct made_up_machine {
    struct timed_space space;
    double noise_frac;
    double stolen_from_two; /* times that two threads take are multiplied by this; 1: nothing */
    int n_timings, n_open;
    bool has_no_memory;
    const struct calibration *calibration; /* whose networks run on it */
    struct rng rng;
};
enum { L2_BYTES = 1 << 20, L3_BYTES = 8 << 20, L3_TOLD_BYTES = 16 << 20 };
static const double l2_gbps = 60, l3_gbps = 24, dram_gbps = 8, row_constant_ns = 30;

static struct made_up_machine *made_up; /* that the timer times */

static inline double read_gbps_of(int64_t bytes, int threads)
{
    if (bytes <= (int64_t)L2_BYTES * threads)
        return l2_gbps * threads;
    return bytes <= L3_BYTES ? l3_gbps * threads : dram_gbps * (threads > 1 ? 1.5 : 1);
}

static inline void take(struct timed_space *space, struct kernel_time *out, int threads, double ns)
{
    struct made_up_machine *m = made_up;
    assert_ptr_equal(space->data, NULL); /* no byte of it is there */
    ns *= threads > 1 ? m->stolen_from_two : 1;
    ns *= 1 + m->noise_frac * (rng_uniform(&m->rng) - 0.5);
    out->threads = threads;
    out->timing = (struct timing){.min_ns = ns, .median_ns = ns, .n = TIMING_MIN_SAMPLES};
    for (int i = 0; i < TIMING_MIN_SAMPLES; i++)
        out->timing.samples_ns[i] = ns * (1 + 0.001 * i);
    m->n_timings++;
}

static inline void take_read(struct timed_space *space, int64_t bytes, int threads,
                             struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "read", .bytes = bytes};
    take(space, out, threads, (double)bytes / read_gbps_of(bytes, threads));
}

/* A row costs a constant and its bytes. */
static inline void take_matvec(struct timed_space *space, enum dtype dtype, int64_t k,
                               int64_t bytes, int threads, struct kernel_time *out)
{
    int64_t row_bytes = dtype_row_bytes(dtype, k), n = bytes / row_bytes;
    *out = (struct kernel_time){
        .what = "matvec", .shape = {.m = 1, .n = n, .k = k}, .bytes = n * row_bytes};
    double row_ns = row_constant_ns / threads + (double)row_bytes / read_gbps_of(bytes, threads);
    take(space, out, threads, (double)n * row_ns);
}

static inline void take_matmul(struct timed_space *space, enum dtype dtype, int threads,
                               struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "matmul", .flop = (int64_t)2 * 128 * 512 * 1024};
    take(space, out, threads, (double)out->flop / (threads * (dtype == DTYPE_F32 ? 40 : 80)));
}

static inline void take_attention(struct timed_space *space, int64_t context, int64_t bytes,
                                  int threads, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "attention", .bytes = bytes};
    double read_ns = bytes > 1 ? (double)bytes / (dram_gbps * threads) : 0;
    take(space, out, threads, 768 + 12.0 * 64 * (double)context / 100 + read_ns);
}

static inline void take_small(struct timed_space *space, enum small_op op, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "small"};
    take(space, out, 1, 1024 * 0.1 * (op + 1));
}

static inline void take_barrier(struct timed_space *space, int threads, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "barrier"};
    take(space, out, threads, 200);
}

static inline void take_region(struct timed_space *space, int threads, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "region"};
    take(space, out, threads, 1500);
}

static inline enum status take_storage(const char *directory, int64_t bytes, int rounds,
                                       double *gbps, struct err *err)
{
    (void)bytes;
    if (strcmp(directory, "full") == 0)
        return err_set(err, STATUS_IO, "no room");
    for (int i = 0; i < rounds; i++)
        gbps[i] = 1.25;
    return STATUS_OK;
}

static int n_waits;
static inline void count_waits(void)
{
    n_waits++;
}

/* What a network really costs on the made-up machine: kernels alone, but dearer starts and a last
 * cache that gives way little by little. */
static inline struct machine true_machine(const struct calibration *c, int threads)
{
    struct machine machine;
    struct err err = {""};
    if (calibration_machine(c, threads, &machine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < N_RUN_TYPES; i++) {
        machine.timing_ns[TIMING_START + (int)run_types[i]] = 2500;
        machine.weight_gbps[run_types[i]][machine.dram] *= 0.8;
    }
    machine.levels[1].reread_lost_frac = 0.5;
    machine_level_spill(&machine.levels[1], 4 * machine.levels[1].capacity_bytes);
    machine.pass_ns += 30000;
    return machine;
}

static inline void run_trials(const struct calibration *c, double noise_frac, double slowed_by_two,
                              struct trial *trials, int n, struct trial_report *report)
{
    struct rng rng;
    rng_init(&rng, 7);
    struct machine machines[2];
    *report = (struct trial_report){.processor_frac = 1};
    for (int p = 0; p < c->n_points; p++) {
        machines[p] = true_machine(c, c->threads[p]);
        report->state.threads[p] = c->threads[p];
        report->state.at[p] = (struct machine_state){1e5, 10, 70};
    }
    report->state.n = c->n_points;
    for (int i = 0; i < n; i++) {
        struct trial *trial = &trials[i];
        struct workload workload = {trial->prompt > 0 ? trial->prompt : 1, trial->context};
        struct price price;
        assert_int_equal(
            price_network(trial->net, &machines[trial->threads - 1], &workload, &price, NULL, NULL),
            STATUS_OK);
        double slower = trial->threads > 1 ? slowed_by_two : 1;
        for (trial->n_rounds = 0; trial->n_rounds < 3; trial->n_rounds++) {
            double off = 1 + noise_frac * (rng_uniform(&rng) - 0.5);
            trial->decode_ns[trial->n_rounds] = price.decode_ns * slower * off;
            trial->prefill_ns[trial->n_rounds] =
                trial->prompt > 0 ? price.prefill_ns * slower * off : NAN;
        }
    }
}

/* The networks' times stand on what the kernels of the same calibration told. */
static inline enum status take_trials(struct trial *trials, int n,
                                      const struct trial_options *options,
                                      struct trial_report *report, struct err *err)
{
    if (options->stop != NULL && *options->stop)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    run_trials(made_up->calibration, 0.02, made_up->stolen_from_two, trials, n, report);
    if (options->progress != NULL)
        options->progress(options->progress_context, 1);
    return STATUS_OK;
}

static inline enum status open_made_up(struct timed_space *space, unsigned isa, int64_t data_bytes,
                                       struct err *err)
{
    if (made_up->has_no_memory)
        return err_set(err, STATUS_NOMEM, "out of memory");
    *space = (struct timed_space){.isa = isa, .data_bytes = data_bytes};
    made_up->n_open++;
    return STATUS_OK;
}

static inline void close_made_up(struct timed_space *space)
{
    (void)space;
    made_up->n_open--;
}

static const struct kernel_timer made_up_timer = {
    .open = open_made_up,
    .close = close_made_up,
    .read = take_read,
    .matvec = take_matvec,
    .matmul = take_matmul,
    .attention = take_attention,
    .small_op = take_small,
    .barrier = take_barrier,
    .region = take_region,
    .storage = take_storage,
    .trials = take_trials,
    .wait_a_second = count_waits,
};

static inline void start(struct made_up_machine *m, struct calibration *c)
{
    struct device *device = &c->sourced.device;
    *m =
        (struct made_up_machine){.space = {.data_bytes = (int64_t)256 << 20}, .stolen_from_two = 1};
    rng_init(&m->rng, 1);
    made_up = m;
    calibration_init(c);
    c->n_points = 2;
    c->threads[0] = 1;
    c->threads[1] = 2;
    strcpy(c->measured_at, "2026-11-22T05:04:33Z");
    device->n_levels = 3;
    strcpy(device->levels[0].name, "l2");
    device->levels[0].capacity_bytes = L2_BYTES;
    device->levels[0].per_thread = true;
    strcpy(device->levels[1].name, "l3");
    device->levels[1].capacity_bytes = L3_TOLD_BYTES;
    strcpy(device->levels[2].name, "dram");
    device->levels[2].capacity_bytes = (int64_t)8 << 30;
}

static inline bool is_about(double value, double expected, double frac)
{
    return fabs(value / expected - 1) <= frac;
}

static inline void take_kernels(struct made_up_machine *m, struct calibration *c,
                                const struct calibration_options *options)
{
    struct err err = {""};
    if (calibrate_kernels(options, &made_up_timer, &m->space, c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static int last_done, last_total;
static inline void note_progress(void *context, int done, int total)
{
    (void)context;
    assert_true(done >= last_done && done < total);
    last_done = done;
    last_total = total;
}

static volatile sig_atomic_t stop_now;
static inline void stop_after_ten(void *context, int done, int total)
{
    (void)context;
    (void)total;
    stop_now = done >= 10;
}

#endif
