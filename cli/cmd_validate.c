#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/measured_rows.h"
#include "cli/model_source.h"
#include "cli/progress.h"
#include "cli/run_record.h"
#include "cli/timing_files.h"
#include "cli/validation_figures.h"
#include "costmodel/price.h"
#include "kernels/cpu.h"
#include "simulator/simulate.h"
#include "validate/score.h"

enum { N_WORST = 5, MAX_MODELS = 64 };

struct validate_run {
    const char *device_name;
    struct device device;
    struct transformer models[MAX_MODELS]; /* named; none: drawn ones */
    int n_models;
    struct validation validation;
    struct fit_rows rows;         /* of another runtime; none: the networks run here */
    struct state_reference state; /* of the machine, that the profile speaks of */
    struct trial_report report;
    struct progress progress;
    uint64_t seed;
};

static void show_progress(void *context, double done_frac)
{
    progress_update(context, (int64_t)(1000 * done_frac), 1000);
}

static void summary_columns(struct listing *l)
{
    listing_column(l, "phase", "phase", LISTING_TEXT, NULL);
    listing_column(l, "clock", "clock", LISTING_TEXT, NULL);
    listing_column(l, "state", "state", LISTING_TEXT, NULL);
    listing_column(l, "n", "n", LISTING_INTEGER, NULL);
    listing_column(l, "median", "error_median_frac", LISTING_FRAC, NULL);
    listing_column(l, "mean", "error_mean_frac", LISTING_FRAC, NULL);
    listing_column(l, "95 %", "error_p95_frac", LISTING_FRAC, NULL);
    listing_column(l, "bias", "bias_frac", LISTING_FRAC, NULL);
    listing_column(l, "noise", "noise_frac", LISTING_FRAC, NULL);
    listing_column(l, "of means", "noise_of_means_frac", LISTING_FRAC, NULL);
    listing_column(l, "in 5 %", "within_5_frac", LISTING_FRAC, NULL);
    listing_column(l, "in 10 %", "within_10_frac", LISTING_FRAC, NULL);
    listing_column(l, "noise+10", "within_noise_and_10_frac", LISTING_FRAC, NULL);
    listing_column(l, "Spearman", "spearman", LISTING_NUMBER, NULL);
    listing_column(l, "Kendall", "kendall", LISTING_NUMBER, NULL);
    listing_column(l, "groups", "groups", LISTING_INTEGER, NULL);
    listing_column(l, "median", "group_spearman_median", LISTING_NUMBER, NULL);
    listing_column(l, "least", "group_spearman_least", LISTING_NUMBER, NULL);
    listing_column(l, "ordered", "ordered_groups", LISTING_INTEGER, NULL);
    listing_column(l, "their least", "ordered_group_spearman_least", LISTING_NUMBER, NULL);
    listing_column(l, "pairs", "pairs", LISTING_INTEGER, NULL);
    listing_column(l, "in order", "pairs_in_order_frac", LISTING_FRAC, NULL);
}

static enum status summary_row(const struct validation *v, enum validation_phase phase,
                               const char *clock, const char *state, const double *predicted,
                               struct listing *l, struct err *err)
{
    struct validation_summary s;
    enum status status = validation_summarise(v, phase, predicted, &s, err);
    if (status != STATUS_OK || s.n == 0)
        return status;
    listing_text(l, phase == VALIDATE_DECODE ? "decode" : "prefill");
    listing_text(l, clock);
    listing_text(l, state);
    listing_int(l, s.n);
    const double fracs[] = {s.median,     s.mean,     s.p95,       s.bias,           s.single_floor,
                            s.mean_floor, s.within_5, s.within_10, s.within_floor_10};
    for (size_t i = 0; i < sizeof fracs / sizeof *fracs; i++)
        listing_number(l, fracs[i]);
    listing_number(l, s.spearman);
    listing_number(l, s.kendall);
    listing_int(l, s.n_groups);
    listing_number(l, s.group_spearman);
    listing_number(l, s.group_worst);
    listing_int(l, s.n_ordered);
    listing_number(l, s.ordered_worst);
    listing_int(l, s.n_pairs);
    listing_number(l, s.pairs_in_order);
    return STATUS_OK;
}

static enum status summarise_state(const struct validation *v, const char *state, struct listing *l,
                                   struct err *err)
{
    enum status status = STATUS_OK;
    for (int clock = 0; clock < N_CLOCKS && status == STATUS_OK; clock++)
        status =
            summary_row(v, VALIDATE_DECODE, validation_clock_name((enum validation_clock)clock),
                        state, v->decode_ns[clock], l, err);
    if (status == STATUS_OK)
        status = summary_row(v, VALIDATE_PREFILL, "lathe", state, v->prefill_ns, l, err);
    return status;
}

/* What ran here twice: brought to the profile's state of the machine, and as it was timed. */
static enum status summarise(struct validate_run *run, struct listing *l, struct err *err)
{
    struct validation *v = &run->validation;
    enum status status = STATUS_OK;
    summary_columns(l);
    if (run->rows.n == 0 && run->report.n_rounds >= LEAST_STATE_ROUNDS)
        status = summarise_state(v, run->state.n > 0 ? "calibrated" : "session", l, err);
    validation_exchange_raw(v);
    if (status == STATUS_OK)
        status = validation_fit_baselines(v, err);
    if (status == STATUS_OK)
        status = summarise_state(v, "as timed", l, err);
    validation_exchange_raw(v);
    return status == STATUS_OK ? validation_fit_baselines(v, err) : status;
}

static void trial_columns(struct listing *l, bool simulated)
{
    listing_column(l, "model", "model", LISTING_TEXT, NULL);
    listing_column(l, "type", "dtype", LISTING_TEXT, NULL);
    listing_column(l, "threads", "threads", LISTING_INTEGER, NULL);
    listing_column(l, NULL, "prompt", LISTING_INTEGER, NULL);
    listing_column(l, "context", "context", LISTING_INTEGER, NULL);
    listing_column(l, "measured", "decode_ns", LISTING_TIME, NULL);
    listing_column(l, "noise", "noise_frac", LISTING_FRAC, NULL);
    listing_column(l, "lathe", "predicted_decode_ns", LISTING_TIME, NULL);
    listing_column(l, "error", "error_frac", LISTING_FRAC, NULL);
    if (simulated)
        listing_column(l, "simulated", "simulated_decode_ns", LISTING_TIME, NULL);
    listing_column(l, "weights", "weights_ns", LISTING_TIME, NULL);
    listing_column(l, "attention", "attention_ns", LISTING_TIME, NULL);
    listing_column(l, "fixed", "fixed_ns", LISTING_TIME, NULL);
    listing_column(l, "bytes", "bytes_decode_ns", LISTING_TIME, NULL);
    listing_column(l, "+ layers", "bytes_layers_decode_ns", LISTING_TIME, NULL);
    listing_column(l, NULL, "prefill_ns", LISTING_TIME, NULL);
    listing_column(l, NULL, "predicted_prefill_ns", LISTING_TIME, NULL);
}

/* With where lathe thinks the time goes. */
static enum status trial_row(const struct validate_run *run, int i, struct listing *l,
                             struct err *err)
{
    const struct validation *v = &run->validation;
    const struct trial *trial = &v->trials[i];
    struct workload workload = {trial->prompt > 0 ? trial->prompt : 1, trial->context};
    struct machine machine;
    struct price price;
    struct price_detail detail;
    enum status status = machine_resolve(&run->device, trial->threads, &machine, err);
    if (status == STATUS_OK)
        status = price_network(trial->net, &machine, &workload, &price, &detail, err);
    if (status != STATUS_OK)
        return status;
    double measured = trial_decode_ns(trial);
    listing_text(l, trial->net->name);
    listing_text(l, dtype_name(trial->net->block_dtype));
    listing_int(l, trial->threads);
    listing_int(l, trial->prompt);
    listing_int(l, trial->context);
    listing_number(l, measured);
    listing_number(l, trial_noise_frac(trial->decode_ns, trial->n_rounds));
    listing_number(l, price.decode_ns);
    listing_number(l, price.decode_ns / measured - 1);
    if (run->rows.n == 0)
        listing_number(l, v->decode_ns[CLOCK_SIMULATOR][i]);
    listing_number(l, price.decode_ns - detail.role_ns[ROLE_ATTENTION] - detail.fixed_ns);
    listing_number(l, detail.role_ns[ROLE_ATTENTION]);
    listing_number(l, detail.fixed_ns);
    listing_number(l, v->decode_ns[CLOCK_BYTES][i]);
    listing_number(l, v->decode_ns[CLOCK_BYTES_LAYERS][i]);
    listing_number(l, trial_prefill_ns(trial));
    listing_number(l, v->prefill_ns[i]);
    return STATUS_OK;
}

static enum status print_all(struct validate_run *run, bool as_json, struct err *err)
{
    const struct validation *v = &run->validation;
    struct listing summary = {0}, trials = {0};
    struct json_node *root = NULL;
    int *order = memory_new((size_t)v->n_trials, sizeof *order);
    enum status status = order ? summarise(run, &summary, err)
                               : err_set(err, STATUS_NOMEM, "out of memory for a table");
    if (status != STATUS_OK)
        goto out;
    trial_columns(&trials, run->rows.n == 0);
    int n = validation_worst_first(v, as_json, order);
    bool all = as_json || run->n_models > 0;
    n = all || n < N_WORST ? n : N_WORST;
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = trial_row(run, order[i], &trials, err);
    if (status != STATUS_OK)
        goto out;
    if (as_json) {
        root = json_new_object();
        json_add_string(root, "device", run->device_name);
        if (run->rows.n == 0) {
            json_add_int(root, "rounds", run->report.n_rounds);
            json_add_number(root, "sentinel_gbps", run->report.sentinel_gbps);
            json_add_number(root, "sentinel_spread_frac", run->report.sentinel_spread_frac);
            json_add_number(root, "processor_frac", run->report.processor_frac);
            json_add_number(root, "arithmetic_spread_frac", run->report.arithmetic_spread_frac);
        }
        struct json_node *list = json_add_array(root, "summary");
        for (size_t i = 0; i < listing_rows(&summary); i++)
            listing_row_json(&summary, i, json_add_object(list, NULL));
        list = json_add_array(root, "trials");
        for (size_t i = 0; i < listing_rows(&trials); i++)
            listing_row_json(&trials, i, json_add_object(list, NULL));
        status = print_json(root, stdout, err);
        goto out;
    }
    printf("%s: %d networks, %d timings", run->device_name, v->n_networks, v->n_trials);
    if (run->rows.n > 0)
        printf(" from %zu rows\n\n", run->rows.n);
    else
        printf(
            " in %d rounds; sentinels: reads of %.1f GB/s, spread %.1f %%, arithmetic %.1f %%\n\n",
            run->report.n_rounds, run->report.sentinel_gbps, 100 * run->report.sentinel_spread_frac,
            100 * run->report.arithmetic_spread_frac);
    status = listing_print(&summary, stdout, err);
    printf(
        "\nstate: timings are brought to the state of the machine in which it was calibrated, as "
        "sentinels tell it (docs/method.md), or left as they were.\n"
        "noise: how far a single round lies from the mean of all (median); of means: the same "
        "of the mean.\ngroups: equal parameters, type, context and threads, where times spread "
        "more than noise; Spearman in them. Ordered: those of them whose single rounds rank as the "
        "mean of the others does (Spearman of 0.95, median).\npairs: of one group, further apart "
        "than two standard "
        "errors; how many are predicted in this order.\n\n%s\n\n",
        all ? "decodes, worst first" : "worst decodes");
    if (status == STATUS_OK)
        status = listing_print(&trials, stdout, err);
out:
    listing_release(&summary);
    listing_release(&trials);
    memory_free(order);
    return status;
}

static struct prediction_row prediction_row(const struct validate_run *run, int i,
                                            enum validation_clock clock)
{
    const struct validation *v = &run->validation;
    struct prediction_row row;
    row_clear(TABLE_PREDICTION, &row);
    describe_subject(v->trials[i].net, &row.subject);
    row.subject.device = run->device.id;
    row.subject.threads = v->trials[i].threads;
    row.subject.prompt = v->trials[i].prompt;
    row.subject.context = v->trials[i].context;
    row.clock = clock == CLOCK_LATHE       ? "estimate"
                : clock == CLOCK_SIMULATOR ? "simulate"
                                           : validation_clock_name(clock);
    row.decode_ns = v->decode_ns[clock][i];
    row.decode_tok_s = 1e9 / row.decode_ns;
    bool is_ours = clock == CLOCK_LATHE || clock == CLOCK_SIMULATOR;
    row.basis = is_ours ? basis_name(run->device.basis) : "fitted";
    if (clock != CLOCK_LATHE)
        return row;
    row.prefill_ns = v->prefill_ns[i];
    row.error_median_frac = run->device.error_median_frac;
    row.error_p90_frac = run->device.error_p90_frac;
    return row;
}

static struct measurement_row measurement_row(const struct trial *trial, bool is_ours)
{
    struct measurement_row row;
    row_clear(TABLE_MEASUREMENT, &row);
    describe_subject(trial->net, &row.subject);
    row.subject.threads = trial->threads;
    row.subject.prompt = trial->prompt;
    row.subject.context = trial->context;
    row.decode_ns = trial_decode_ns(trial);
    row.prefill_ns = trial_prefill_ns(trial);
    if (!isnan(row.decode_ns)) {
        row.decode_tok_s = 1e9 / row.decode_ns;
        row.decode_ns_mad = trial_spread(trial->decode_ns, trial->n_rounds).mad_ns;
        row.decode_ns_n = trial->n_rounds;
        row.noise_frac = trial_noise_frac(trial->decode_ns, trial->n_rounds);
    }
    if (!isnan(row.prefill_ns)) {
        row.prefill_ns_mad = trial_spread(trial->prefill_ns, trial->n_rounds).mad_ns;
        row.prefill_ns_n = trial->n_rounds;
    }
    row.cache_state = "warm";
    if (!is_ours)
        return row;
    row.version = version_number();
    row.compiler = version_compiler();
    row.flags = version_flags();
    row.source_commit = version_commit();
    return row;
}

static enum status store_rows(struct store *db, const struct validate_run *run, int64_t run_id,
                              int64_t device_id, struct err *err)
{
    const struct validation *v = &run->validation;
    size_t n = (size_t)v->n_trials, n_predictions = 0;
    struct measurement_row *measured = memory_new(n, sizeof *measured);
    struct prediction_row *predicted = memory_new(n * N_CLOCKS, sizeof *predicted);
    enum status status = measured && predicted
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %zu rows", n);
    for (int i = 0; i < v->n_trials && status == STATUS_OK; i++) {
        measured[i] = measurement_row(&v->trials[i], run->rows.n == 0);
        measured[i].run_id = run_id;
        for (int clock = 0; clock < N_CLOCKS; clock++) {
            if (isnan(v->decode_ns[clock][i]))
                continue;
            struct prediction_row *row = &predicted[n_predictions++];
            *row = prediction_row(run, i, (enum validation_clock)clock);
            row->run_id = run_id;
            row->subject.device_id = device_id;
        }
    }
    if (status == STATUS_OK)
        status = store_put_measurements(db, measured, n, err);
    if (status == STATUS_OK)
        status = store_put_predictions(db, predicted, n_predictions, err);
    memory_free(measured);
    memory_free(predicted);
    return status;
}

static enum status store(const struct args *args, const struct validate_run *run, struct err *err)
{
    struct store *db = NULL;
    char *profile = NULL;
    struct run_row row;
    run_record_start(args, &row);
    row.seed = (int64_t)run->seed;
    enum status status = device_text(run->device_name, &profile, err);
    struct device_row device = device_record(&run->device, profile);
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_WRITE, &db, err);
    if (status == STATUS_OK)
        status = run_record_begin(db, &device, &row, err);
    if (status == STATUS_OK)
        status = store_rows(db, run, row.id, row.device_id, err);
    if (status == STATUS_OK)
        status = run_record_end(db, row.id, true, err);
    store_close(db);
    memory_free(profile);
    return status;
}

static void add_error(struct json_node *root, const char *key, double value, const char *source)
{
    struct json_node *number = json_add_object(root, key);
    json_add_number(number, "value", round(value * 1e4) / 1e4);
    json_add_string(number, "kind", "measured");
    json_add_string(number, "source", source);
}

/* The profile again, with the errors seen here. */
static enum status update_profile(struct validate_run *run, struct err *err)
{
    struct validation *v = &run->validation;
    struct validation_errors errors = {0};
    struct json_doc *doc = NULL;
    struct json old;
    char source[160], now[32], *text = NULL;
    struct json_node *root = json_new_object();
    enum status status = json_open(run->device_name, &doc, &old, err);
    if (status != STATUS_OK)
        goto out;
    validation_exchange_raw(v); /* who uses the profile has no sentinels */
    status = validation_errors(v, &errors, err);
    validation_exchange_raw(v);
    if (status == STATUS_OK && errors.n == 0)
        status = err_set(err, STATUS_INPUT, "no decode was timed that tells an error");
    if (status != STATUS_OK)
        goto out;
    snprintf(source, sizeof source, "lathe validate, %.10s: decode of %d networks",
             clock_now_iso(now, sizeof now), v->n_networks);
    for (struct json at = json_first(&old); at.item != NULL; at = json_next(&at)) {
        if (strncmp(at.key, "error_", 6) == 0)
            continue;
        json_add_copy(root, at.key, &at);
        if (strcmp(at.key, "basis") != 0)
            continue;
        add_error(root, "error_median_frac", errors.median_frac, source);
        add_error(root, "error_p90_frac", errors.p90_frac, source);
    }
    text = json_print(root);
    status = text ? file_write(run->device_name, text, err)
                  : err_set(err, STATUS_NOMEM, "out of memory");
out:
    json_close(doc);
    json_free(root);
    memory_free(text);
    return status;
}

static enum status read_options(const struct args *args, struct validate_run *run,
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

static enum status open_models(const struct args *args, struct validate_run *run, struct err *err)
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
static enum status simulate_all(struct validate_run *run, struct err *err)
{
    struct validation *v = &run->validation;
    struct machine machine;
    struct simulation simulation;
    struct simulated simulated;
    simulation_init(&simulation);
    simulation.prefill = false;
    enum status status = STATUS_OK;
    for (int i = 0; i < v->n_trials && status == STATUS_OK; i++) {
        const struct trial *trial = &v->trials[i];
        simulation.workload = (struct workload){1, trial->context};
        status = machine_resolve(&run->device, trial->threads, &machine, err);
        if (status == STATUS_OK)
            status = simulate(trial->net, &machine, &simulation, &simulated, err);
        if (status == STATUS_OK)
            v->decode_ns[CLOCK_SIMULATOR][i] = simulated.price.decode_ns;
    }
    return status;
}

static enum status read_timings(const struct args *args, struct validate_run *run, struct err *err)
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

static enum status run(const struct args *args, struct err *err)
{
    struct validation_options options;
    struct trial_options trials;
    struct validate_run *run = memory_new(1, sizeof *run);
    if (run == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    struct validation *v = &run->validation;
    bool elsewhere = args_given(args, "timings");
    enum status status = read_options(args, run, &options, &trials, err);
    if (status == STATUS_OK && args_n_operands(args) > 0) {
        status = open_models(args, run, err);
        options.n_networks = run->n_models;
    }
    if (status == STATUS_OK)
        status = elsewhere           ? read_timings(args, run, err)
                 : run->n_models > 0 ? validation_of_networks(run->models, &options, v, err)
                                     : validation_draw(&options, v, err);
    if (status == STATUS_OK)
        status = validation_predict(&run->device, v, err);
    if (status == STATUS_OK && !elsewhere)
        status = simulate_all(run, err);
    if (status == STATUS_OK && !elsewhere) {
        progress_init(&run->progress, "validating");
        status = trials_run(v->trials, v->n_trials, &trials, &run->report, err);
        progress_end(&run->progress);
    }
    if (status == STATUS_OK)
        status = validation_fit_baselines(v, err);
    if (status == STATUS_OK)
        status = print_all(run, args_flag(args, "json"), err);
    if (status == STATUS_OK && args_given(args, "db"))
        status = store(args, run, err);
    if (status == STATUS_OK && args_given(args, "figures"))
        status = validation_figures(v, args_text(args, "figures"), err);
    if (status == STATUS_OK && args_flag(args, "update-profile"))
        status = update_profile(run, err);
    if (status == STATUS_OK && !elsewhere && run->report.n_rounds < LEAST_STATE_ROUNDS)
        warn(args,
             "%d rounds do not tell what the machine's state costs: errors are of the timings as "
             "they were; give more --minutes",
             run->report.n_rounds);
    char busy[TRIAL_NOTE_SIZE];
    if (status == STATUS_OK && !elsewhere && trial_report_busy(&run->report, busy, sizeof busy))
        warn(args, "%s", busy);
    validation_release(v);
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
     "a fitted profile against llama-bench timings of networks that it has not seen"},
    {NULL, NULL},
};

const struct command cmd_validate = {
    .name = "validate",
    .summary = "hold a profile's predictions against networks that run here",
    .operands = "[MODEL...]",
    .operand_values = "@model",
    .max_operands = MAX_MODELS,
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
