#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "costmodel/calibrate.h"
#include "db/store.h"
#include "kernels/cpu.h"

/* The directory the profile goes to is on the storage that matters; for standard output, this
 * one. */
static void directory_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(out, size, ".");
    else
        snprintf(out, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* "out/server.json" is the device "server". */
static void name_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%s", strcmp(path, "-") == 0 ? "this-machine" : slash ? slash + 1 : path);
    char *end = strrchr(out, '.');
    if (end != NULL && strcmp(end, ".json") == 0)
        *end = '\0';
}

static void timing_row(const struct calibration *c, const struct kernel_time *time,
                       const char *device, int64_t device_id, struct kernel_timing_row *row)
{
    bool streams = time->shape.k > 0;
    *row = (struct kernel_timing_row){
        .id = ROW_UNKNOWN,
        .run_id = ROW_UNKNOWN,
        .device_id = device_id,
        .device = device,
        .kernel = time->kernel != NULL ? time->kernel->name : NULL,
        .operation = time->what,
        .dtype = time->kernel != NULL ? dtype_name(time->kernel->dtype) : NULL,
        .isa = c->isa_names,
        .threads = time->threads,
        .d_out = time->shape.n > 0 ? time->shape.n : ROW_UNKNOWN,
        .d_in = streams ? time->shape.k : ROW_UNKNOWN,
        .n_tokens = time->shape.m > 0 ? time->shape.m : ROW_UNKNOWN,
        .context = time->shape.context,
        .working_set_bytes = time->working_set_bytes > 0 ? time->working_set_bytes : ROW_UNKNOWN,
        .cache_state = time->cache_state,
        .min_ns = time->timing.min_ns,
        .median_ns = time->timing.median_ns,
        .mad_ns = time->timing.mad_ns,
        .n_samples = time->timing.n,
        .ended_by = time->timing.steady ? "spread" : "budget",
        .flop = time->flop,
        .bytes = time->bytes,
        .compiler = version_compiler(),
        .flags = version_flags(),
        .source_commit = version_commit(),
        .measured_at = c->measured_at,
    };
}

static enum status store(const struct args *args, const struct calibration *c, const char *profile,
                         const char *device, struct err *err)
{
    struct store *db = NULL;
    struct run_row run = {.verb = "calibrate",
                          .command = args_line(args),
                          .version = version_number(),
                          .device = device};
    struct device_row row = {.id = ROW_UNKNOWN,
                             .name = device,
                             .title = c->topology.cpu,
                             .kind = "generic",
                             .unit = "cpu",
                             .runtime = "lathe",
                             .basis = basis_name(BASIS_CALIBRATED),
                             .profile = profile};
    struct kernel_timing_row *rows = memory_new(c->n_times, sizeof *rows);
    enum status status = rows != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_WRITE, &db, err);
    if (status == STATUS_OK)
        status = store_put_device(db, &row, &run.device_id, err);
    if (status == STATUS_OK)
        status = store_begin_run(db, &run, err);
    for (size_t i = 0; i < c->n_times && status == STATUS_OK; i++) {
        timing_row(c, &c->times[i], device, run.device_id, &rows[i]);
        rows[i].run_id = run.id;
    }
    if (status == STATUS_OK)
        status = store_put_kernel_timings(db, rows, c->n_times, err);
    if (status == STATUS_OK)
        status = store_finish_run(db, run.id, err);
    store_close(db);
    memory_free(rows);
    return status;
}

/* Finds out before the minute is spent, not after. */
static enum status check_writable(const char *path, struct err *err)
{
    struct file_out probe;
    if (strcmp(path, "-") == 0)
        return STATUS_OK;
    enum status status = file_create(&probe, path, err);
    if (status == STATUS_OK)
        file_abandon(&probe);
    return status;
}

static void show_progress(void *context, int done, int total)
{
    progress_update(context, done, total);
}

/* A timing whose MAD is a tenth of it was taken on a machine that did something else too. */
static void warn_of_noise(const struct calibration *c)
{
    size_t noisy = 0;
    for (size_t i = 0; i < c->n_times; i++)
        noisy += c->times[i].timing.mad_ns > 0.1 * c->times[i].timing.median_ns;
    if (noisy > c->n_times / 10)
        fprintf(stderr,
                "lathe: %zu of %zu timings varied by more than 10 %%: the machine was busy, do not "
                "trust this profile\n",
                noisy, c->n_times);
}

static enum status run(const struct args *args, struct err *err)
{
    struct calibration calibration = {0};
    struct progress progress;
    char directory[4096], device[64];
    char *profile = NULL;
    const char *out = args_text(args, "out");
    directory_of(out, directory, sizeof directory);
    name_of(out, device, sizeof device);
    struct calibration_options options = {
        .quick = args_flag(args, "quick"),
        .max_threads = (int)args_int(args, "threads", 0),
        .flash_directory = args_flag(args, "no-storage") ? NULL : directory,
        .stop = interrupt_flag(),
        .progress = show_progress,
        .progress_context = &progress,
    };
    enum status status = cpu_isa(args_text(args, "isa"), &options.isa, err);
    if (status == STATUS_OK)
        status = check_writable(out, err);
    if (status != STATUS_OK)
        return status;
    progress_init(&progress, "calibrating");
    status = calibrate(&options, &calibration, err);
    progress_end(&progress);
    if (status == STATUS_OK)
        status = calibration_profile(&calibration, &profile, err);
    if (status == STATUS_OK)
        status = file_write(out, profile, err);
    if (status == STATUS_OK && args_given(args, "db"))
        status = store(args, &calibration, profile, device, err);
    if (status == STATUS_OK && *calibration.flash_note != '\0' && options.flash_directory != NULL)
        fprintf(stderr, "lathe: storage was not tested: %s\n", calibration.flash_note);
    if (status == STATUS_OK)
        warn_of_noise(&calibration);
    memory_free(profile);
    calibration_release(&calibration);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "out", "FILE", "-", "@file", "profile to write; '-' is standard output"),
    ROW_FLAG("quick", "about ten seconds, wider spreads"),
    ROW_RANGE(OPTION_INT, "threads", "N", NULL, 1, 1024,
              "time 1, 2, 4, ... up to N threads; default: as many as there are cores"),
    ROW(OPTION_CHOICE, "isa", "SET", NULL, "best portable avx2 avx512 neon",
        "use only kernels of this instruction set and those below it"),
    ROW_FLAG("no-storage", "do not write and read back a test file beside FILE"),
    ROW(OPTION_TEXT, "db", "FILE", NULL, "@file", "also store every timing in this SQLite file"),
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe calibrate --out here.json",                       "this machine's profile, in under a minute"},
    {"lathe predict mobilellm-125m --device ./here.json",     "what it says about a model"               },
    {"lathe calibrate --quick --db lathe.db --out here.json",
     "every kernel timing as a row of SQL too"                                                           },
    {NULL,                                                    NULL                                       },
};

const struct command cmd_calibrate = {
    .name = "calibrate",
    .summary = "time the kernels and the memory hierarchy here, write a device profile",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "Measures, on this machine and by thread count: read bandwidth of every cache level and of "
        "memory, the rate at which matrix-vector products stream weights of each type from each "
        "level, the compute peak of each type, what small operators, barriers and parallel "
        "regions cost, how fast attention reads the KV cache and a file comes in from storage. "
        "Keep the machine quiet meanwhile. Ctrl-C leaves nothing behind.",
    .run = run,
};
