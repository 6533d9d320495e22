#include "cli/validation_listing.h"

#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/listing.h"
#include "costmodel/price.h"
#include "validate/score.h"

enum { N_WORST = 5 };

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
static enum status summarise(struct validation_run *run, struct listing *l, struct err *err)
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
    struct json_node *list = json_add_array(root, "summary");
    for (size_t i = 0; i < listing_rows(summary); i++)
        listing_row_json(summary, i, json_add_object(list, NULL));
    list = json_add_array(root, "trials");
    for (size_t i = 0; i < listing_rows(trials); i++)
        listing_row_json(trials, i, json_add_object(list, NULL));
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
    trial_columns(&trials, run->rows.n == 0);
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
