#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/model_source.h"
#include "cli/timing_files.h"
#include "cli/validation_figures.h"
#include "cli/validation_listing.h"
#include "cli/validation_store.h"
#include "device/device.h"
#include "kernels/cpu.h"
#include "simulator/simulate.h"
#include "validate/update_profile.h"

static void show_progress(void *context, double done_frac)
{
    progress_update(context, (int64_t)(1000 * done_frac), 1000);
}

static enum status read_options(const struct args *args, struct validation_run *run,
                                struct validation_options *options, struct trial_options *trials,
                                struct err *err)
{
    enum status status = args_one_device(args, &run->device_name, err);
    if (status != STATUS_OK)
        return status;
    if (args_flag(args, "update-profile") && strchr(run->device_name, '/') == NULL &&
        strstr(run->device_name, ".json") == NULL)
        return err_set(err, STATUS_USAGE,
                       "--update-profile needs a profile of your own as --device");
    run->seed = (uint64_t)args_int(args, "seed", 1);
    status = device_open(run->device_name, &run->device, err);
    if (status != STATUS_OK)
        return status;
    *options = (struct validation_options){.n_networks = (int)args_int(args, "networks", 63),
                                           .prompt = args_int(args, "prompt", 64),
                                           .context = args_int(args, "context", 128),
                                           .seed = run->seed};
    int most = run->device.max_threads;
    if (args_given(args, "threads")) {
        options->threads[options->n_threads++] = (int)args_int(args, "threads", 1);
    } else {
        options->threads[options->n_threads++] = 1;
        if (most > 1)
            options->threads[options->n_threads++] = most;
    }
    validation_state(&run->device, options, &run->state);
    *trials = (struct trial_options){.min_rounds = 2,
                                     .max_rounds = MAX_TRIAL_ROUNDS,
                                     .budget_ns = 60e9 * (double)args_int(args, "minutes", 10),
                                     .decode_ns = 15e6,
                                     .seed = run->seed + 1,
                                     .reference = &run->state,
                                     .stop = interrupt_flag(),
                                     .progress = show_progress,
                                     .progress_context = &run->progress};
    return cpu_isa(args_text(args, "isa"), &trials->isa, err);
}

static enum status open_models(const struct args *args, struct validation_run *run, struct err *err)
{
    if (args_given(args, "networks") || args_given(args, "timings"))
        return err_set(err, STATUS_USAGE, "MODEL excludes --networks and --timings");
    for (int i = 0; i < args_n_operands(args); i++) {
        enum status status =
            open_model(args, args_operand(args, i), &run->models[run->n_models], err);
        if (status != STATUS_OK)
            return status;
        run->n_models++;
    }
    return STATUS_OK;
}

/* What the simulator says of each decode. */
static enum status simulate_all(struct validation_run *run, struct err *err)
{
    struct validation *v = &run->validation;
    struct machine machine;
    struct simulation simulation;
    struct simulated simulated;
    simulation_init(&simulation);
    simulation.prefill = false;
    for (int i = 0; i < v->n_trials; i++) {
        enum status status;
        const struct trial *trial = &v->trials[i];
        simulation.workload = (struct workload){1, trial->context};
        if ((status = machine_resolve(&run->device, trial->threads, &machine, err)) ||
            (status = simulate(trial->net, &machine, &simulation, &simulated, err)))
            return status;
        v->decode_ns[CLOCK_SIMULATOR][i] = simulated.price.decode_ns;
    }
    return STATUS_OK;
}

static enum status read_timings(const struct args *args, struct validation_run *run,
                                struct err *err)
{
    struct text notes = {0};
    enum status status = STATUS_OK;
    for (int i = 0; i < args_count(args, "timings") && status == STATUS_OK; i++)
        status = timing_file_read(args, args_nth(args, "timings", i), &run->rows, &notes, err);
    if (status == STATUS_OK) /* repeats that contradict each other are the noise */
        fit_rows_refuse_too_large(&run->rows, &run->device, &notes);
    warn_lines(args, notes.data);
    text_release(&notes);
    return status == STATUS_OK ? validation_of_rows(&run->rows, &run->validation, err) : status;
}

/* Named models, drawn networks, or what another runtime timed. */
static enum status get_trials(const struct args *args, struct validation_run *run,
                              struct validation_options *options, struct err *err)
{
    if (args_n_operands(args) == 0)
        return args_given(args, "timings") ? read_timings(args, run, err)
                                           : validation_draw(options, &run->validation, err);
    enum status status = open_models(args, run, err);
    options->n_networks = run->n_models;
    return status ? status : validation_of_networks(run->models, options, &run->validation, err);
}

static enum status time_trials(struct validation_run *run, const struct trial_options *options,
                               struct err *err)
{
    struct validation *v = &run->validation;
    enum status status = simulate_all(run, err);
    if (status != STATUS_OK)
        return status;
    progress_init(&run->progress, "validating");
    status = trials_run(v->trials, v->n_trials, options, &run->report, err);
    progress_end(&run->progress);
    return status;
}

/* Into the database, figures and the profile, as asked for. */
static enum status keep(const struct args *args, struct validation_run *run, struct err *err)
{
    struct validation *v = &run->validation;
    enum status status = STATUS_OK;
    if (args_given(args, "db") && (status = validation_store(args, run, err)) != STATUS_OK)
        return status;
    if (args_given(args, "figures") &&
        (status = validation_figures(v, args_text(args, "figures"), err)) != STATUS_OK)
        return status;
    if (args_flag(args, "update-profile"))
        return validation_update_profile(v, run->device_name, err);
    return STATUS_OK;
}

static void warn_of_the_machine(const struct args *args, const struct trial_report *report)
{
    char busy[TRIAL_NOTE_SIZE];
    if (report->n_rounds < LEAST_STATE_ROUNDS)
        warn(args,
             "%d rounds do not tell what the machine's state costs: errors are of the timings as "
             "they were; give more --minutes",
             report->n_rounds);
    if (trial_report_busy(report, busy, sizeof busy))
        warn(args, "%s", busy);
}

static enum status validate(const struct args *args, struct validation_run *run, struct err *err)
{
    struct validation_options options;
    struct trial_options trials;
    bool is_here = !args_given(args, "timings");
    enum status status;
    if ((status = read_options(args, run, &options, &trials, err)) ||
        (status = get_trials(args, run, &options, err)) ||
        (status = validation_predict(&run->device, &run->validation, err)))
        return status;
    if (is_here && (status = time_trials(run, &trials, err)))
        return status;
    if ((status = validation_fit_baselines(&run->validation, err)) ||
        (status = validation_print(run, args_flag(args, "json"), err)) ||
        (status = keep(args, run, err)))
        return status;
    if (is_here)
        warn_of_the_machine(args, &run->report);
    return STATUS_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct validation_run *run = memory_new(1, sizeof *run);
    if (run == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = validate(args, run, err);
    validation_release(&run->validation);
    fit_rows_release(&run->rows);
    for (int i = 0; i < run->n_models; i++)
        transformer_release(&run->models[i]);
    memory_free(run);
    return status;
}

static const struct option options[] = {
    ROW_DEVICE,
    ROW(OPTION_TEXTS, "timings", "FILE", NULL, "@file",
        "what another runtime printed (as for 'lathe fit') in the place of running networks here"),
    ROW_TIMED_MODEL,
    ROW_RANGE(OPTION_INT, "minutes", "N", "10", 0, 600,
              "spread the rounds over this long; two at least"),
    ROW_RANGE(OPTION_INT, "networks", "N", "63", 9, 450, "how many to draw, rounded up to nines"),
    ROW_RANGE(OPTION_INT, "threads", "N", NULL, 1, 1024,
              "only this thread count; default: one, and all that the profile has"),
    ROW_RANGE(OPTION_INT, "prompt", "N", "64", 1, 4096, "tokens of the prompt that is timed"),
    ROW_RANGE(OPTION_INT, "context", "N", "128", 0, 1 << 20,
              "tokens in the KV cache when MODELs are timed; drawn networks have 0 to 1024"),
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW_RANGE(OPTION_INT, "seed", "N", "1", 0, 1000000000, "of the drawing"),
    ROW(OPTION_TEXT, "db", "FILE", NULL, "@file",
        "also store measurements and predictions in this SQLite file"),
    ROW(OPTION_TEXT, "figures", "PREFIX", NULL, "@file",
        "also draw PREFIX-decode.svg, -prefill.svg, -error.svg and -deep-to-wide.svg"),
    ROW_FLAG("update-profile", "write the errors found here into the profile"),
    ROW(OPTION_CHOICE, "isa", "SET", NULL, "best portable avx2 avx512 neon",
        "use only kernels of this instruction set and those below it"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe validate --device ./here.json",
     "are the predictions of this profile true? ten minutes"},
    {"lathe validate --device ./here.json --minutes 2 --networks 27 --figures out/here",
     "a shorter look, with figures"},
    {"lathe validate mobilellm-125m mobilellm-ls-125m --dtype q8_0 --device ./here.json --minutes "
     "3",
     "of networks of your choice, the simulator beside"},
    {"lathe validate --device ./here.json --update-profile",
     "let later predictions tell how far off they may be"},
    {"lathe validate --device ./my-phone.json --timings others.json",
     "a fitted profile against llama-bench timings of networks it has not seen"},
    {NULL, NULL},
};

const struct command cmd_validate = {
    .name = "validate",
    .summary = "hold a profile's predictions against networks that run here",
    .operands = "[MODEL...]",
    .operand_values = "@model",
    .max_operands = MAX_VALIDATED_MODELS,
    .options = options,
    .examples = examples,
    .about =
        "Draws networks that no calibration has seen, from shallow and wide to deep and thin at "
        "equal parameters, in q8_0, q4_0 and f16, some with shared weights, predicts them and runs "
        "each in rounds spread over the time given. Errors are against the mean over rounds; "
        "beside them stands how far single rounds lie from that mean, and what two baselines "
        "reach that are fitted to these very timings: bytes over bandwidth, and bytes over "
        "bandwidth plus a cost per layer. With MODELs these run in the place of drawn networks, "
        "with "
        "random weights.",
    .run = run,
};
