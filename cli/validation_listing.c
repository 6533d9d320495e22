#include "cli/validation_listing.h"

#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/listing.h"
#include "costmodel/price.h"
#include "validate/score.h"

enum { N_WORST = 5 };

struct summary_line {
    const char *phase, *clock, *state;
    int64_t n, groups, ordered_groups, pairs;
    double error_median_frac, error_mean_frac, error_p95_frac, bias_frac, noise_frac;
    double noise_of_means_frac, within_5_frac, within_10_frac, within_noise_and_10_frac;
    double spearman, kendall, group_spearman_median, group_spearman_least;
    double ordered_group_spearman_least, pairs_in_order_frac;
};
static const struct field summary_fields[] = {
    LISTED(summary_line, phase, UNIT_NONE, "phase"),
    LISTED(summary_line, clock, UNIT_NONE, "clock"),
    LISTED(summary_line, state, UNIT_NONE, "state"),
    LISTED(summary_line, n, UNIT_NONE, "n"),
    LISTED(summary_line, error_median_frac, UNIT_FRAC, "median"),
    LISTED(summary_line, error_mean_frac, UNIT_FRAC, "mean"),
    LISTED(summary_line, error_p95_frac, UNIT_FRAC, "95 %"),
    LISTED(summary_line, bias_frac, UNIT_FRAC, "bias"),
    LISTED(summary_line, noise_frac, UNIT_FRAC, "noise"),
    LISTED(summary_line, noise_of_means_frac, UNIT_FRAC, "of means"),
    LISTED(summary_line, within_5_frac, UNIT_FRAC, "in 5 %"),
    LISTED(summary_line, within_10_frac, UNIT_FRAC, "in 10 %"),
    LISTED(summary_line, within_noise_and_10_frac, UNIT_FRAC, "noise+10"),
    LISTED(summary_line, spearman, UNIT_NONE, "Spearman"),
    LISTED(summary_line, kendall, UNIT_NONE, "Kendall"),
    LISTED(summary_line, groups, UNIT_NONE, "groups"),
    LISTED(summary_line, group_spearman_median, UNIT_NONE, "median"),
    LISTED(summary_line, group_spearman_least, UNIT_NONE, "least"),
    LISTED(summary_line, ordered_groups, UNIT_NONE, "ordered"),
    LISTED(summary_line, ordered_group_spearman_least, UNIT_NONE, "their least"),
    LISTED(summary_line, pairs, UNIT_NONE, "pairs"),
    LISTED(summary_line, pairs_in_order_frac, UNIT_FRAC, "in order"),
};

static enum status summary_row(const struct validation *v, enum validation_phase phase,
                               const char *clock, const char *state, const double *predicted,
                               struct listing *l, struct err *err)
{
    struct validation_summary s;
    enum status status = validation_summarise(v, phase, predicted, &s, err);
    if (status != STATUS_OK || s.n == 0)
        return status;
    const struct summary_line line = {
        .phase = phase == VALIDATE_DECODE ? "decode" : "prefill",
        .clock = clock,
        .state = state,
        .n = s.n,
        .error_median_frac = s.median,
        .error_mean_frac = s.mean,
        .error_p95_frac = s.p95,
        .bias_frac = s.bias,
        .noise_frac = s.single_floor,
        .noise_of_means_frac = s.mean_floor,
        .within_5_frac = s.within_5,
        .within_10_frac = s.within_10,
        .within_noise_and_10_frac = s.within_floor_10,
        .spearman = s.spearman,
        .kendall = s.kendall,
        .groups = s.n_groups,
        .group_spearman_median = s.group_spearman,
        .group_spearman_least = s.group_worst,
        .ordered_groups = s.n_ordered,
        .ordered_group_spearman_least = s.ordered_worst,
        .pairs = s.n_pairs,
        .pairs_in_order_frac = s.pairs_in_order,
    };
    listing_add(l, &line);
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
static enum status summarise(struct validation_run *run, struct listing *l, struct err *err)
{
    struct validation *v = &run->validation;
    enum status status = STATUS_OK;
    LISTING_FIELDS(l, summary_fields);
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

struct trial_line {
    const char *model, *dtype;
    int64_t threads, prompt, context;
    double decode_ns, noise_frac, predicted_decode_ns, error_frac, simulated_decode_ns;
    double weights_ns, attention_ns, fixed_ns, bytes_decode_ns, bytes_layers_decode_ns;
    double prefill_ns, predicted_prefill_ns;
};
static const struct field trial_fields[] = {
    LISTED(trial_line, model, UNIT_NONE, "model"),
    LISTED(trial_line, dtype, UNIT_NONE, "type"),
    LISTED(trial_line, threads, UNIT_NONE, "threads"),
    LISTED_KEY(trial_line, prompt, UNIT_NONE),
    LISTED(trial_line, context, UNIT_NONE, "context"),
    LISTED(trial_line, decode_ns, UNIT_NS, "measured"),
    LISTED(trial_line, noise_frac, UNIT_FRAC, "noise"),
    LISTED(trial_line, predicted_decode_ns, UNIT_NS, "lathe"),
    LISTED(trial_line, error_frac, UNIT_FRAC, "error"),
    LISTED(trial_line, simulated_decode_ns, UNIT_NS, "simulated"),
    LISTED(trial_line, weights_ns, UNIT_NS, "weights"),
    LISTED(trial_line, attention_ns, UNIT_NS, "attention"),
    LISTED(trial_line, fixed_ns, UNIT_NS, "fixed"),
    LISTED(trial_line, bytes_decode_ns, UNIT_NS, "bytes"),
    LISTED(trial_line, bytes_layers_decode_ns, UNIT_NS, "+ layers"),
    LISTED_KEY(trial_line, prefill_ns, UNIT_NS),
    LISTED_KEY(trial_line, predicted_prefill_ns, UNIT_NS),
};

/* The simulator is not asked about timings of another runtime. */
static void start_trials(struct listing *l, bool simulated)
{
    for (size_t i = 0; i < sizeof trial_fields / sizeof *trial_fields; i++)
        if (simulated || trial_fields[i].offset != offsetof(struct trial_line, simulated_decode_ns))
            listing_field(l, &trial_fields[i]);
}

/* With where lathe thinks the time goes. */
static enum status trial_row(const struct validation_run *run, int i, struct listing *l,
                             struct err *err)
{
    const struct validation *v = &run->validation;
    const struct trial *trial = &v->trials[i];
    struct workload workload = {trial->prompt > 0 ? trial->prompt : 1, trial->context};
    struct machine machine;
    struct price price;
    struct price_detail detail;
    enum status status;
    if ((status = machine_resolve(&run->device, trial->threads, &machine, err)) ||
        (status = price_network(trial->net, &machine, &workload, &price, &detail, err)))
        return status;
    double measured = trial_decode_ns(trial);
    const struct trial_line line = {
        .model = trial->net->name,
        .dtype = dtype_name(trial->net->block_dtype),
        .threads = trial->threads,
        .prompt = trial->prompt,
        .context = trial->context,
        .decode_ns = measured,
        .noise_frac = trial_noise_frac(trial->decode_ns, trial->n_rounds),
        .predicted_decode_ns = price.decode_ns,
        .error_frac = price.decode_ns / measured - 1,
        .simulated_decode_ns = v->decode_ns[CLOCK_SIMULATOR][i],
        .weights_ns = price.decode_ns - detail.role_ns[ROLE_ATTENTION] - detail.fixed_ns,
        .attention_ns = detail.role_ns[ROLE_ATTENTION],
        .fixed_ns = detail.fixed_ns,
        .bytes_decode_ns = v->decode_ns[CLOCK_BYTES][i],
        .bytes_layers_decode_ns = v->decode_ns[CLOCK_BYTES_LAYERS][i],
        .prefill_ns = trial_prefill_ns(trial),
        .predicted_prefill_ns = v->prefill_ns[i],
    };
    listing_add(l, &line);
    return STATUS_OK;
}

static enum status print_as_json(const struct validation_run *run, const struct listing *summary,
                                 const struct listing *trials, struct err *err)
{
    struct json_node *root = json_new_object();
    json_add_string(root, "device", run->device_name);
    if (run->rows.n == 0) {
        json_add_int(root, "rounds", run->report.n_rounds);
        json_add_number(root, "sentinel_gbps", run->report.sentinel_gbps);
        json_add_number(root, "sentinel_spread_frac", run->report.sentinel_spread_frac);
        json_add_number(root, "processor_frac", run->report.processor_frac);
        json_add_number(root, "arithmetic_spread_frac", run->report.arithmetic_spread_frac);
    }
    listing_rows_json(summary, json_add_array(root, "summary"));
    listing_rows_json(trials, json_add_array(root, "trials"));
    return print_json(root, stdout, err);
}

static enum status print_as_text(const struct validation_run *run, const struct listing *summary,
                                 const struct listing *trials, struct err *err)
{
    const struct validation *v = &run->validation;
    const struct trial_report *report = &run->report;
    printf("%s: %d networks, %d timings", run->device_name, v->n_networks, v->n_trials);
    if (run->rows.n > 0)
        printf(" from %zu rows\n\n", run->rows.n);
    else
        printf(
            " in %d rounds; sentinels: reads of %.1f GB/s, spread %.1f %%, arithmetic %.1f %%\n\n",
            report->n_rounds, report->sentinel_gbps, 100 * report->sentinel_spread_frac,
            100 * report->arithmetic_spread_frac);
    enum status status = listing_print(summary, stdout, err);
    if (status != STATUS_OK)
        return status;
    printf(
        "\nstate: timings are brought to the state of the machine in which it was calibrated, as "
        "sentinels tell it (docs/method.md), or left as they were.\n"
        "noise: how far a single round lies from the mean of all (median); of means: the same "
        "of the mean.\ngroups: equal parameters, type, context and threads, where times spread "
        "more than noise; Spearman in them. Ordered: those of them whose single rounds rank as the "
        "mean of the others does (Spearman of 0.95, median).\npairs: of one group, further apart "
        "than two standard "
        "errors; how many are predicted in this order.\n\n%s\n\n",
        run->n_models > 0 ? "decodes, worst first" : "worst decodes");
    return listing_print(trials, stdout, err);
}

enum status validation_print(struct validation_run *run, bool as_json, struct err *err)
{
    const struct validation *v = &run->validation;
    struct listing summary = {0}, trials = {0};
    int *order = memory_new((size_t)v->n_trials, sizeof *order);
    if (order == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for a table");
    enum status status = summarise(run, &summary, err);
    if (status != STATUS_OK)
        goto out;
    start_trials(&trials, run->rows.n == 0);
    int n = validation_worst_first(v, as_json, order);
    if (!as_json && run->n_models == 0 && n > N_WORST)
        n = N_WORST;
    for (int i = 0; i < n; i++)
        if ((status = trial_row(run, order[i], &trials, err)) != STATUS_OK)
            goto out;
    status = as_json ? print_as_json(run, &summary, &trials, err)
                     : print_as_text(run, &summary, &trials, err);
out:
    listing_release(&summary);
    listing_release(&trials);
    memory_free(order);
    return status;
}
