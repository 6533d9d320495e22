/* Calibration is timing, and times are not asserted: what it writes must be a profile that lathe
 * reads back, with levels that slow down, whatever the noise. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/stats.h"
#include "calibrate/calibrate.h"
#include "calibrate/calibrate_kernels.h"
#include "calibrate/calibration_judge.h"
#include "calibrate/calibration_profile.h"
#include "calibrate/fit_networks.h"
#include "calibrate/networks_drawn.h"
#include "costmodel/price.h"
#include "device/device.h"
#include "kernels/cpu.h"

static void put(struct calibration *c, struct by_threads *numbers, double one, double two)
{
    calibration_put(c, numbers, 0,
                    (struct measured){one, {.kind = NUMBER_MEASURED, .mad = one / 50, .n = 15}});
    calibration_put(
        c, numbers, 1,
        (struct measured){two,
                          {.kind = NUMBER_MEASURED, .mad = two / 50, .n = 12, .n_disturbed = 3}});
}

/* A made-up machine whose noise turned the levels round at two threads. */
static void make_up(struct calibration *c)
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

static struct device read_back(const struct calibration *c)
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

static void a_profile_reads_back_as_it_was_measured(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    struct device device = read_back(&c);
    assert_int_equal(device.basis, BASIS_CALIBRATED);
    assert_int_equal(device.n_levels, 3);
    assert_int_equal(device.max_threads, 2);
    assert_true(device.levels[0].per_thread);
    assert_true(fabs(device.levels[0].usable_frac - 0.75) < 1e-9);
    assert_true(fabs(device.levels[0].read_gbps.value[0] - 101.2) < 1e-9);
    assert_true(fabs(device.matvec_gbps[DTYPE_Q8_0][1].value[1] - 30) < 1e-9);
    assert_true(fabs(device.op_ns[OP_NORM].value[1] - 120) < 1e-9);
    assert_true(fabs(device.levels[2].read_gbps.value[0] - 1.5) < 1e-9);
    assert_true(device.pass_ns.value[0] == 0);
}

static void what_networks_told_reads_back_too(void **state)
{
    (void)state;
    struct transformer net;
    struct calibration c;
    make_up(&c);
    transformer_init(&net, 64, 2, 2, 1, 32, 128, 256);
    struct trial trial = {.net = &net, .threads = 1, .n_rounds = 1, .decode_ns = {1e6}};
    c.trials = &trial;
    c.n_trials = 1;
    c.sourced.device.timed_d_in = c.sourced.device.timed_tokens = 128;
    struct device device = read_back(&c);
    struct machine machine;
    assert_int_equal(machine_resolve(&device, 2, &machine, NULL), STATUS_OK);
    assert_true(machine.has_timings);
    assert_true(fabs(machine.timing_ns[TIMING_START + DTYPE_Q8_0] - 900) < 1e-9);
    assert_true(machine.matvec_step[DTYPE_Q8_0] == 128 && machine.matvec_step[DTYPE_F16] == 0);
    assert_true(fabs(machine.kv_gbps[1] - 12) < 1e-9);
    assert_true(fabs(machine.kv_gbps[0] - machine.levels[0].read_gbps) < 1e-9);
}

/* A core that was never quiet shows: its best is slower than one core's alone. */
static void a_session_that_was_not_quiet_is_told(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    c.trial_report = (struct trial_report){
        .processor_frac = 1,
        .state = {2, {1, 2}, {{1e5, 30, 1}, {1.02e5, 50, 70}}},
    };
    calibration_judge(&c);
    assert_string_equal(c.note, "");
    c.trial_report.state.at[1].sum_ns = 1.2e5;
    calibration_judge(&c);
    assert_non_null(strstr(c.note, "20 % slower"));
    *c.note = '\0';
    c.trial_report.processor_frac = 0.8;
    calibration_judge(&c);
    assert_non_null(strstr(c.note, "80 % of the processor"));
}

static void a_level_that_noise_made_faster_is_cut(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    struct device device = read_back(&c);
    assert_true(device.levels[1].read_gbps.value[1] <= device.levels[0].read_gbps.value[1]);
}

static void storage_that_outruns_memory_is_not_believed(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    c.flash_gbps.value = 200;
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] <= 20);
}

static void storage_that_was_not_tested_is_assumed(void **state)
{
    (void)state;
    struct calibration c;
    make_up(&c);
    c.flash_gbps.by.n = 0;
    strcpy(c.flash_note, "not tested");
    struct device device = read_back(&c);
    assert_true(device.levels[2].read_gbps.value[0] > 0);
}

static void a_stop_ends_calibration_at_the_next_timing(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 1;
    struct calibration_options options = {.quick = true, .stop = &stop};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &kernel_timer_here, &c, &err), STATUS_INTERRUPTED);
    assert_int_equal(c.n_times, 0);
    calibration_release(&c);
}

static void more_threads_than_cores_are_refused(void **state)
{
    (void)state;
    struct calibration_options options = {.quick = true, .max_threads = 100000};
    struct calibration c;
    struct err err;
    assert_int_equal(calibrate(&options, &kernel_timer_here, &c, &err), STATUS_RANGE);
    calibration_release(&c);
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

static double read_gbps_of(int64_t bytes, int threads)
{
    if (bytes <= (int64_t)L2_BYTES * threads)
        return l2_gbps * threads;
    return bytes <= L3_BYTES ? l3_gbps * threads : dram_gbps * (threads > 1 ? 1.5 : 1);
}

static void take(struct timed_space *space, struct kernel_time *out, int threads, double ns)
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

static void take_read(struct timed_space *space, int64_t bytes, int threads,
                      struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "read", .bytes = bytes};
    take(space, out, threads, (double)bytes / read_gbps_of(bytes, threads));
}

/* A row costs a constant and its bytes. */
static void take_matvec(struct timed_space *space, enum dtype dtype, int64_t k, int64_t bytes,
                        int threads, struct kernel_time *out)
{
    int64_t row_bytes = dtype_row_bytes(dtype, k), n = bytes / row_bytes;
    *out = (struct kernel_time){
        .what = "matvec", .shape = {.m = 1, .n = n, .k = k}, .bytes = n * row_bytes};
    double row_ns = row_constant_ns / threads + (double)row_bytes / read_gbps_of(bytes, threads);
    take(space, out, threads, (double)n * row_ns);
}

static void take_matmul(struct timed_space *space, enum dtype dtype, int threads,
                        struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "matmul", .flop = (int64_t)2 * 128 * 512 * 1024};
    take(space, out, threads, (double)out->flop / (threads * (dtype == DTYPE_F32 ? 40 : 80)));
}

static void take_attention(struct timed_space *space, int64_t context, int64_t bytes, int threads,
                           struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "attention", .bytes = bytes};
    double read_ns = bytes > 1 ? (double)bytes / (dram_gbps * threads) : 0;
    take(space, out, threads, 768 + 12.0 * 64 * (double)context / 100 + read_ns);
}

static void take_small(struct timed_space *space, enum small_op op, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "small"};
    take(space, out, 1, 1024 * 0.1 * (op + 1));
}

static void take_barrier(struct timed_space *space, int threads, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "barrier"};
    take(space, out, threads, 200);
}

static void take_region(struct timed_space *space, int threads, struct kernel_time *out)
{
    *out = (struct kernel_time){.what = "region"};
    take(space, out, threads, 1500);
}

static enum status take_storage(const char *directory, int64_t bytes, int rounds, double *gbps,
                                struct err *err)
{
    (void)bytes;
    if (strcmp(directory, "full") == 0)
        return err_set(err, STATUS_IO, "no room");
    for (int i = 0; i < rounds; i++)
        gbps[i] = 1.25;
    return STATUS_OK;
}

static int n_waits;
static void count_waits(void)
{
    n_waits++;
}

/* What a network really costs on the made-up machine: kernels alone, but dearer starts and a last
 * cache that gives way little by little. */
static struct machine true_machine(const struct calibration *c, int threads)
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

static void run_trials(const struct calibration *c, double noise_frac, double slowed_by_two,
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
static enum status take_trials(struct trial *trials, int n, const struct trial_options *options,
                               struct trial_report *report, struct err *err)
{
    if (options->stop != NULL && *options->stop)
        return err_set(err, STATUS_INTERRUPTED, "interrupted");
    run_trials(made_up->calibration, 0.02, made_up->stolen_from_two, trials, n, report);
    if (options->progress != NULL)
        options->progress(options->progress_context, 1);
    return STATUS_OK;
}

static enum status open_made_up(struct timed_space *space, unsigned isa, int64_t data_bytes,
                                struct err *err)
{
    if (made_up->has_no_memory)
        return err_set(err, STATUS_NOMEM, "out of memory");
    *space = (struct timed_space){.isa = isa, .data_bytes = data_bytes};
    made_up->n_open++;
    return STATUS_OK;
}

static void close_made_up(struct timed_space *space)
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

static void start(struct made_up_machine *m, struct calibration *c)
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

static bool is_about(double value, double expected, double frac)
{
    return fabs(value / expected - 1) <= frac;
}

static void take_kernels(struct made_up_machine *m, struct calibration *c,
                         const struct calibration_options *options)
{
    struct err err = {""};
    if (calibrate_kernels(options, &made_up_timer, &m->space, c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void kernels_tell_levels_rates_and_constants(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    take_kernels(&m, &c, &options);
    const struct device *device = &c.sourced.device;
    assert_true(device->levels[0].usable_frac == 1);
    assert_true(is_about(device->levels[1].usable_frac, 0.5, 0.01));
    assert_true(is_about(device->levels[0].read_gbps.value[1], 2 * l2_gbps, 0.02));
    assert_true(is_about(device->levels[1].read_gbps.value[0], l3_gbps, 0.02));
    assert_true(is_about(device->levels[2].read_gbps.value[0], dram_gbps, 0.02));
    assert_true(is_about(device->peak_gflops[DTYPE_F32].value[1], 80, 0.02));
    assert_true(
        is_about(device->timing_ns[TIMING_ROW + DTYPE_Q8_0].value[0], row_constant_ns, 0.05));
    assert_true(is_about(device->timing_ns[TIMING_QUERY].value[0], 1, 0.02));
    assert_true(is_about(device->pass_ns.value[1], 1500, 0.02) && device->pass_ns.value[0] == 0);
    assert_true(is_about(device->op_ns[OP_ATTENTION].value[1], 768 + 200, 0.02));
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");
    calibration_release(&c);
}

static int last_done, last_total;
static void note_progress(void *context, int done, int total)
{
    (void)context;
    assert_true(done >= last_done && done < total);
    last_done = done;
    last_total = total;
}

/* Kernels, then networks: each counts up to a total of its own. */
static int n_stages;
static void note_stage(void *context, int done, int total)
{
    (void)context;
    n_stages += total != last_total;
    assert_true(done <= total && (done >= last_done || total != last_total));
    last_done = done;
    last_total = total;
}

static void the_number_of_timings_is_known_before_the_first(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true, .progress = note_progress};
    start(&m, &c);
    last_done = 0;
    int expected = count_kernel_timings(&c, m.space.data_bytes);
    take_kernels(&m, &c, &options);
    assert_int_equal(m.n_timings, expected);
    assert_int_equal(c.n_times, expected);
    assert_int_equal(last_total, expected);
    assert_int_equal(last_done, expected - 1);
    calibration_release(&c);
}

static void a_thorough_grid_of_rows_is_refined_where_it_bends(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.thorough = true};
    start(&m, &c);
    m.noise_frac = 0.3;
    int straight = count_kernel_timings(&c, m.space.data_bytes);
    take_kernels(&m, &c, &options);
    assert_true(m.n_timings > straight);
    calibration_release(&c);
}

static void threads_that_lost_their_processors_are_tried_again_and_not_believed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    m.stolen_from_two = 4;
    n_waits = 0;
    take_kernels(&m, &c, &options);
    const struct device *device = &c.sourced.device;
    assert_true(n_waits == 2 * device->n_levels);
    assert_non_null(strstr(c.note, "other programs had the processors"));
    assert_int_equal(device->default_threads, 1);
    for (int level = 0; level < device->n_levels; level++)
        assert_true(device->levels[level].read_gbps.value[1] ==
                    device->levels[level].read_gbps.value[0]);
    assert_true(device->peak_gflops[DTYPE_F16].value[1] == device->peak_gflops[DTYPE_F16].value[0]);
    calibration_release(&c);
}

static void a_level_between_whose_edges_no_set_lies_keeps_what_it_was_told(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    c.sourced.device.levels[1].capacity_bytes = L2_BYTES + 4096;
    take_kernels(&m, &c, &options);
    assert_true(c.sourced.device.levels[0].usable_frac == 1);
    assert_true(c.sourced.device.levels[1].usable_frac > 0.99);
    calibration_release(&c);
}

static volatile sig_atomic_t stop_now;
static void stop_after_ten(void *context, int done, int total)
{
    (void)context;
    (void)total;
    stop_now = done >= 10;
}

static void a_stop_between_kernels_keeps_what_was_timed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct err err;
    const struct calibration_options options = {
        .quick = true, .stop = &stop_now, .progress = stop_after_ten};
    start(&m, &c);
    stop_now = 0;
    assert_int_equal(calibrate_kernels(&options, &made_up_timer, &m.space, &c, &err),
                     STATUS_INTERRUPTED);
    assert_int_equal(c.n_times, 11);
    calibration_release(&c);
}

static void stop_at_the_last(void *context, int done, int total)
{
    (void)context;
    stop_now = done == total - 1;
}

static void storage_is_timed_or_says_why_not(void **state)
{
    (void)state;
    struct calibration c;
    struct calibration_options options = {.flash_directory = "here"};
    calibration_init(&c);
    calibrate_storage(&options, &made_up_timer, &c);
    assert_true(c.flash_gbps.value == 1.25 && c.flash_gbps.by.n > 1);
    assert_string_equal(c.flash_note, "");
    calibration_init(&c);
    options.flash_directory = "full";
    calibrate_storage(&options, &made_up_timer, &c);
    assert_int_equal(c.flash_gbps.by.n, 0);
    assert_string_equal(c.flash_note, "no room");
    options.flash_directory = NULL;
    calibrate_storage(&options, &made_up_timer, &c);
    assert_string_equal(c.flash_note, "not tested");
}

static void networks_are_drawn_with_twins_and_the_same_each_time(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c, again;
    start(&m, &c);
    start(&m, &again);
    assert_int_equal(draw_networks(15, 80e6, &c, NULL), STATUS_OK);
    assert_int_equal(draw_networks(15, 80e6, &again, NULL), STATUS_OK);
    assert_int_equal(c.n_trials, 15 * trials_of_network(&c));
    assert_memory_equal(c.networks, again.networks, 15 * sizeof *c.networks);
    int n_pairs = 0, n_of_type[N_DTYPES] = {0};
    for (int i = 0; i < c.n_networks; i++) {
        struct param_count count;
        transformer_count(&c.networks[i], &count);
        assert_true(count.total > 3000000 && count.total < 120000000);
        n_of_type[c.networks[i].block_dtype]++;
    }
    for (int i = 0; i < N_RUN_TYPES; i++)
        assert_true(n_of_type[run_types[i]] >= 3);
    for (int i = 0; i < c.n_trials; i++) {
        const struct trial *trial = &c.trials[i];
        assert_true(trial->context <= (int64_t)c.sourced.device.timed_context);
        assert_true(trial->prompt <= (int64_t)c.sourced.device.timed_tokens);
        if (!is_half_of_pair(&c, i))
            continue;
        const struct trial *twin = trial + trials_of_network(&c);
        assert_int_equal(trial->net->schedule.sharing, SHARING_IMMEDIATE);
        assert_int_equal(twin->net->schedule.sharing, SHARING_NONE);
        assert_true(twin->context == trial->context && twin->threads == trial->threads);
        n_pairs++;
    }
    assert_true(n_pairs >= 2 * trials_of_network(&c));
    calibration_release(&c);
    calibration_release(&again);
}

static void calibrate_made_up(struct calibration *c, int n_networks, double slowed_by_two)
{
    struct made_up_machine m;
    struct err err = {""};
    const struct calibration_options options = {.quick = true};
    start(&m, c);
    take_kernels(&m, c, &options);
    assert_int_equal(draw_networks(n_networks, 80e6, c, &err), STATUS_OK);
    run_trials(c, 0.02, slowed_by_two, c->trials, c->n_trials, &c->trial_report);
    if (fit_networks(c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    calibration_compare_threads(c);
    calibration_judge(c);
}

/* As the system tells a machine; the made-up timer measures it. */
static void set_up_flow(struct made_up_machine *m, struct calibration *c,
                        struct calibration_options *options)
{
    start(m, c);
    m->calibration = c;
    *options = (struct calibration_options){.quick = true, .flash_directory = "here"};
    assert_int_equal(
        setenv("HWLOC_SYNTHETIC", "l3:1(size=8388608) l2:2(size=1048576) core:1 pu:1", 1), 0);
    assert_int_equal(cpu_isa("best", &options->isa, NULL), STATUS_OK);
    last_done = last_total = 0;
}

static void a_calibration_tells_of_levels_kernels_storage_and_networks(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    options.progress = note_stage;
    n_stages = 0;
    if (calibrate(&options, &made_up_timer, &c, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    const struct device *device = &c.sourced.device;
    assert_int_equal(c.n_points, 2);
    assert_int_equal(c.threads[1], 2);
    assert_int_equal(device->n_levels, 3);
    assert_string_equal(device->levels[0].name, "l2");
    assert_true(device->levels[0].per_thread && !device->levels[1].per_thread);
    assert_int_equal(device->levels[1].capacity_bytes, L3_BYTES);
    assert_string_equal(device->levels[2].name, "dram");
    assert_true(is_about(device->levels[1].read_gbps.value[0], l3_gbps, 0.02));
    assert_int_equal(c.n_times, m.n_timings);
    assert_true(c.flash_gbps.value == 1.25);
    assert_int_equal(c.n_networks, 15);
    assert_true(device->timing_ns[TIMING_START + DTYPE_Q8_0].value[0] > 1000);
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");
    assert_int_equal(n_stages, 2);
    assert_int_equal(m.n_open, 0);
    assert_int_equal(read_back(&c).n_levels, 4);
    calibration_release(&c);
}

static void fewer_threads_than_cores_are_all_that_is_timed(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    options.max_threads = 1;
    options.flash_directory = NULL;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_OK);
    assert_int_equal(c.n_points, 1);
    for (size_t i = 0; i < c.n_times; i++)
        assert_int_equal(c.times[i].threads, 1);
    for (int i = 0; i < c.n_trials; i++)
        assert_int_equal(c.trials[i].threads, 1);
    assert_string_equal(c.flash_note, "not tested");
    calibration_release(&c);
    options.max_threads = 3;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_RANGE);
    assert_string_equal(err.message, "3 threads asked for, but there are 2 cores");
    calibration_release(&c);
}

static void a_calibration_that_fails_midway_says_why_and_gives_back_its_buffers(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct calibration_options options;
    struct err err = {""};
    set_up_flow(&m, &c, &options);
    m.has_no_memory = true;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_NOMEM);
    assert_int_equal(m.n_timings, 0);
    calibration_release(&c);
    m.has_no_memory = false;
    options.stop = &stop_now;
    stop_now = 0;
    options.progress = stop_after_ten;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_INTERRUPTED);
    assert_int_equal(m.n_open, 0);
    assert_int_equal(c.n_trials, 0);
    calibration_release(&c);
    stop_now = 0;
    options.progress = stop_at_the_last;
    assert_int_equal(calibrate(&options, &made_up_timer, &c, &err), STATUS_INTERRUPTED);
    assert_true(c.n_trials > 0 && c.trials[0].n_rounds == 0);
    calibration_release(&c);
}

static void networks_tell_what_kernels_alone_do_not(void **state)
{
    (void)state;
    struct calibration c;
    calibrate_made_up(&c, 30, 1);
    const struct device *device = &c.sourced.device;
    assert_true(device->error_median_frac > 0 && device->error_median_frac < 0.03);
    assert_true(device->error_p90_frac < 0.1 && c.prefill_error_median_frac < 0.05);
    assert_true(is_about(device->matvec_gbps[DTYPE_Q8_0][2].value[0],
                         0.8 * dram_gbps / (1 + row_constant_ns * dram_gbps / 1088), 0.2));
    for (int i = 0; i < N_RUN_TYPES; i++) /* 2500, from a first guess of 500 */
        assert_true(device->timing_ns[TIMING_START + (int)run_types[i]].value[0] > 1000);
    assert_true(is_about(device->levels[1].spill_frac / device->levels[1].usable_frac, 4, 0.01));
    assert_true(is_about(device->levels[1].reread_lost_frac, 0.5, 0.2));
    assert_int_equal(device->timing_ns[TIMING_START + DTYPE_B1].n, 0);
    assert_int_equal(device->default_threads, 2);
    assert_string_equal(c.note, "");

    struct device again = read_back(&c);
    struct machine machine, settled;
    assert_int_equal(machine_resolve(&again, 2, &machine, NULL), STATUS_OK);
    assert_int_equal(calibration_machine(&c, 2, &settled, NULL), STATUS_OK);
    assert_memory_equal(&machine, &settled, sizeof machine);
    calibration_release(&c);
}

static void a_few_networks_are_fitted_without_a_claim_of_their_error(void **state)
{
    (void)state;
    struct calibration c;
    calibrate_made_up(&c, 6, 3);
    assert_true(isnan(c.sourced.device.error_median_frac));
    assert_int_equal(c.sourced.device.default_threads, 1);
    assert_non_null(strstr(c.note, "as fast with 2 threads as with 1"));
    calibration_release(&c);
}

static void a_thread_count_without_a_trial_cannot_be_fitted(void **state)
{
    (void)state;
    struct made_up_machine m;
    struct calibration c;
    struct err err = {""};
    const struct calibration_options options = {.quick = true};
    start(&m, &c);
    take_kernels(&m, &c, &options);
    assert_int_equal(draw_networks(3, 80e6, &c, &err), STATUS_OK);
    assert_int_equal(fit_networks(&c, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "no network was timed"));
    calibration_release(&c);
}

/* Of a machine without caches nothing gives way. */
static void a_machine_that_tells_no_caches_is_fitted_too(void **state)
{
    (void)state;
    struct calibration c;
    struct err err = {""};
    make_up(&c);
    c.sourced.device.n_levels = 1;
    c.sourced.device.levels[0] = c.sourced.device.levels[1];
    for (int i = 0; i < N_RUN_TYPES; i++) {
        put(&c, &c.sourced.device.matvec_gbps[run_types[i]][0], 18, 30);
        put(&c, &c.sourced.device.timing_ns[TIMING_ROW + (int)run_types[i]], 10, 6);
    }
    assert_int_equal(draw_networks(3, 20e6, &c, &err), STATUS_OK);
    for (int i = 0; i < c.n_trials; i++) {
        c.trials[i].n_rounds = 1;
        c.trials[i].decode_ns[0] = c.trials[i].prefill_ns[0] = 5e6;
    }
    assert_int_equal(fit_networks(&c, &err), STATUS_OK);
    assert_true(isnan(c.sourced.device.levels[0].spill_frac));
    calibration_release(&c);
}

static enum status fit_and_write(struct err *err)
{
    struct calibration c;
    char *text = NULL;
    make_up(&c);
    for (int i = 0; i < N_RUN_TYPES; i++) {
        put(&c, &c.sourced.device.matvec_gbps[run_types[i]][1], 18, 30);
        put(&c, &c.sourced.device.timing_ns[TIMING_ROW + (int)run_types[i]], 10, 6);
    }
    enum status status = draw_networks(3, 20e6, &c, err);
    for (int i = 0; i < c.n_trials && status == STATUS_OK; i++) {
        c.trials[i].n_rounds = 1;
        c.trials[i].decode_ns[0] = c.trials[i].prefill_ns[0] = 5e6;
    }
    if (status == STATUS_OK)
        status = fit_networks(&c, err);
    if (status == STATUS_OK)
        status = calibration_profile(&c, &text, err);
    memory_free(text);
    calibration_release(&c);
    return status;
}

/* At every allocation of the first few, then at ever wider steps. */
static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n = n < 24 ? n + 1 : 2 * n) {
        struct err err = {""};
        memory_fail_after(n);
        status = fit_and_write(&err);
        memory_fail_after(-1);
        if (status != STATUS_OK && status != STATUS_NOMEM)
            fail_msg("allocation %d: %s", (int)n, err.message);
        assert_true(n < 1 << 24);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_reads_back_as_it_was_measured),
        cmocka_unit_test(what_networks_told_reads_back_too),
        cmocka_unit_test(a_session_that_was_not_quiet_is_told),
        cmocka_unit_test(a_level_that_noise_made_faster_is_cut),
        cmocka_unit_test(storage_that_outruns_memory_is_not_believed),
        cmocka_unit_test(storage_that_was_not_tested_is_assumed),
        cmocka_unit_test(a_stop_ends_calibration_at_the_next_timing),
        cmocka_unit_test(more_threads_than_cores_are_refused),
        cmocka_unit_test(kernels_tell_levels_rates_and_constants),
        cmocka_unit_test(the_number_of_timings_is_known_before_the_first),
        cmocka_unit_test(a_thorough_grid_of_rows_is_refined_where_it_bends),
        cmocka_unit_test(threads_that_lost_their_processors_are_tried_again_and_not_believed),
        cmocka_unit_test(a_level_between_whose_edges_no_set_lies_keeps_what_it_was_told),
        cmocka_unit_test(a_stop_between_kernels_keeps_what_was_timed),
        cmocka_unit_test(storage_is_timed_or_says_why_not),
        cmocka_unit_test(networks_are_drawn_with_twins_and_the_same_each_time),
        cmocka_unit_test(a_calibration_tells_of_levels_kernels_storage_and_networks),
        cmocka_unit_test(fewer_threads_than_cores_are_all_that_is_timed),
        cmocka_unit_test(a_calibration_that_fails_midway_says_why_and_gives_back_its_buffers),
        cmocka_unit_test(networks_tell_what_kernels_alone_do_not),
        cmocka_unit_test(a_few_networks_are_fitted_without_a_claim_of_their_error),
        cmocka_unit_test(a_thread_count_without_a_trial_cannot_be_fitted),
        cmocka_unit_test(a_machine_that_tells_no_caches_is_fitted_too),
        cmocka_unit_test(running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
