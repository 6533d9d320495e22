#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/version.h"
#include "calibrate/calibrate.h"
#include "calibrate/calibration_profile.h"
#include "cli/calibration_rows.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/run_record.h"
#include "kernels/cpu.h"

/* "out/server.json" is the device "server". */
static void name_of(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%s", strcmp(path, "-") == 0 ? "this-machine" : file_base_name(path));
    char *end = strrchr(out, '.');
    if (end != NULL && strcmp(end, ".json") == 0)
        *end = '\0';
}

static enum status store_timings(struct store *store, const struct calibration *c,
                                 const struct run_row *run, struct err *err)
{
    size_t n = 0;
    struct kernel_timing_row *rows = NULL;
    enum status status = calibration_rows_make(c, run, &rows, &n, err);
    if (status == STATUS_OK)
        status = store_put_kernel_timings(store, rows, n, err);
    memory_free(rows);
    return status;
}

static enum status store_run(struct store *store, const struct calibration *c,
                             const struct device_row *device, struct run_row *run, struct err *err)
{
    enum status status;
    if ((status = run_record_begin(store, device, run, err)) ||
        (status = store_timings(store, c, run, err)))
        return status;
    return run_record_end(store, run->id, true, err);
}

static enum status store(const struct args *args, const struct calibration *c, const char *profile,
                         const char *device, struct err *err)
{
    struct store *db = NULL;
    struct run_row run;
    struct device_row row;
    run_record_start(args, &run);
    row_clear(TABLE_DEVICE, &row);
    row.name = device;
    row.title = c->topology.cpu;
    row.kind = "generic";
    row.unit = "cpu";
    row.runtime = "lathe";
    row.basis = basis_name(BASIS_CALIBRATED);
    row.profile = profile;
    enum status status = store_open(args_text(args, "db"), STORE_WRITE, &db, err);
    if (status == STATUS_OK)
        status = store_run(db, c, &row, &run, err);
    store_close(db);
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

static void warn_of_noise(const struct args *args, const struct calibration *c)
{
    size_t noisy = kernel_times_disturbed(c->times, c->n_times);
    if (*c->note != '\0')
        warn(args, "%s", c->note);
    if (noisy > c->n_times / 10)
        warn(
            args,
            "in %zu of %zu timings most samples were disturbed: the machine was busy, do not trust "
            "this profile",
            noisy, c->n_times);
}

/* What was measured, as a profile and, with --db, as rows. */
static enum status write_out(const struct args *args, const struct calibration *c,
                             const char *device, struct err *err)
{
    char *profile = NULL;
    enum status status = calibration_profile(c, &profile, err);
    if (status != STATUS_OK)
        return status;
    status = file_write(args_text(args, "out"), profile, err);
    if (status == STATUS_OK && args_given(args, "db"))
        status = store(args, c, profile, device, err);
    memory_free(profile);
    return status;
}

static enum status run_with(const struct args *args, const struct calibration_options *options,
                            struct progress *progress, const char *device, struct err *err)
{
    struct calibration calibration = {0};
    progress_init(progress, "calibrating");
    enum status status = calibrate(options, &kernel_timer_here, &calibration, err);
    progress_end(progress);
    if (status != STATUS_OK)
        goto out;
    status = write_out(args, &calibration, device, err);
    if (status != STATUS_OK)
        goto out;
    if (*calibration.flash_note != '\0' && options->flash_directory != NULL)
        warn(args, "storage was not tested: %s", calibration.flash_note);
    warn_of_noise(args, &calibration);
out:
    calibration_release(&calibration);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct progress progress;
    char directory[4096], device[64];
    const char *out = args_text(args, "out");
    enum status status;
    /* That storage matters; for standard output, this one's. */
    file_directory(out, directory, sizeof directory);
    name_of(out, device, sizeof device);
    struct calibration_options options = {
        .quick = args_flag(args, "quick"),
        .thorough = args_flag(args, "thorough"),
        .max_threads = (int)args_int(args, "threads", 0),
        .flash_directory = args_flag(args, "no-storage") ? NULL : directory,
        .stop = interrupt_flag(),
        .progress = show_progress,
        .progress_context = &progress,
    };
    if (options.quick && options.thorough)
        return err_set(err, STATUS_USAGE, "--quick and --thorough exclude each other");
    if ((status = cpu_isa(args_text(args, "isa"), &options.isa, err)) ||
        (status = check_writable(out, err)))
        return status;
    return run_with(args, &options, &progress, device, err);
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "out", "FILE", "-", "@file", "profile to write; '-' is standard output"),
    ROW_FLAG("quick", "about 20 seconds, wider spreads"),
    ROW_FLAG("thorough", "up to ten minutes: more networks, in rounds"),
    ROW_RANGE(OPTION_INT, "threads", "N", NULL, 1, 1024,
              "time 1, 2, 4, ... up to N threads; default: as many as there are cores"),
    ROW(OPTION_CHOICE, "isa", "SET", NULL, "best portable avx2 avx512 neon",
        "use only kernels of this instruction set and those below it"),
    ROW_FLAG("no-storage", "do not write and read back a test file beside FILE"),
    ROW(OPTION_TEXT, "db", "FILE", NULL, "@file", "also store every timing in this SQLite file"),
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe calibrate --out here.json", "this machine's profile, in under a minute"},
    {"lathe predict mobilellm-125m --device ./here.json", "what it says about a model"},
    {"lathe calibrate --thorough --out here.json", "as sure as it can be, in under ten minutes"},
    {"lathe calibrate --quick --db lathe.db --out here.json",
     "every kernel timing as a row of SQL too"},
    {NULL, NULL},
};

const struct command cmd_calibrate = {
    .name = "calibrate",
    .summary = "time kernels and memories here, write a device profile",
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
