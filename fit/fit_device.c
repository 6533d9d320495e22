#include "fit/fit_device.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "fit/fit_baseline.h"
#include "model/count.h"

/* A term is worth having when the held-out error falls by this share. */
#define WORTH_FRAC 0.05

/* Rows of one thread count, and which network and type each is of. */
struct group_rows {
    int n;
    const struct fit_row **rows;
    size_t *index; /* in the whole list */
    int *network, n_networks;
    int *variant, n_variants; /* network and types */
};

static void close_rows(struct group_rows *g)
{
    memory_free(g->rows);
    memory_free(g->index);
    memory_free(g->network);
    memory_free(g->variant);
    *g = (struct group_rows){0};
}

static void number_row(struct group_rows *g, int i)
{
    g->network[i] = g->variant[i] = -1;
    for (int k = 0; k < i; k++) {
        if (!fit_same_network(g->rows[i], g->rows[k]))
            continue;
        g->network[i] = g->network[k];
        if (fit_same_types(&g->rows[i]->net, &g->rows[k]->net))
            g->variant[i] = g->variant[k];
    }
    if (g->network[i] < 0)
        g->network[i] = g->n_networks++;
    if (g->variant[i] < 0)
        g->variant[i] = g->n_variants++;
}

/* use: [rows->n], NULL for all */
static enum status open_rows(const struct fit_rows *rows, int threads, const bool *use,
                             struct group_rows *g, struct err *err)
{
    *g = (struct group_rows){.rows = memory_new(rows->n, sizeof *g->rows),
                             .index = memory_new(rows->n, sizeof *g->index),
                             .network = memory_new(rows->n, sizeof *g->network),
                             .variant = memory_new(rows->n, sizeof *g->variant)};
    if (g->rows == NULL || g->index == NULL || g->network == NULL || g->variant == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < rows->n; i++) {
        const struct fit_row *row = &rows->items[i];
        if (row->threads != threads || (use != NULL && !use[i]) ||
            (isnan(row->decode_ns) && isnan(row->prefill_ns)))
            continue;
        g->rows[g->n] = row;
        g->index[g->n] = i;
        number_row(g, g->n);
        g->n++;
    }
    return STATUS_OK;
}

static fit_terms decode_terms(const struct fit_row *const *rows, int n, fit_terms optional)
{
    return fit_byte_terms(rows, n) | FIT_TERM(FIT_LAYER) | optional;
}

static fit_terms prompt_terms(const struct fit_row *const *rows, int n)
{
    fit_terms terms = 0;
    for (int i = 0; i < n; i++)
        if (!isnan(rows[i]->prefill_ns))
            terms |= FIT_TERM(FIT_FLOP + (int)rows[i]->net.block_dtype);
    return terms;
}

static enum status fit_prompts(const struct machine *base, const struct fit_row *const *rows, int n,
                               struct fit_theta *theta, struct err *err)
{
    fit_terms terms = prompt_terms(rows, n);
    return terms == 0 ? STATUS_OK : fit_solve(base, rows, n, FIT_PREFILL, terms, theta, NULL, err);
}

static enum status fit_phases(const struct machine *base, const struct fit_row *const *rows, int n,
                              fit_terms optional, struct fit_theta *theta, double *noise,
                              struct err *err)
{
    *theta = (struct fit_theta){0};
    enum status status =
        fit_solve(base, rows, n, FIT_DECODE, decode_terms(rows, n, optional), theta, noise, err);
    return status == STATUS_OK ? fit_prompts(base, rows, n, theta, err) : status;
}

static double predict_decode(const struct machine *base, const struct fit_theta *theta,
                             const struct fit_row *row)
{
    struct machine machine;
    double ns;
    fit_terms needed = fit_byte_terms(&row, 1);
    if (isnan(row->decode_ns) || (needed & ~theta->fitted) != 0)
        return NAN;
    fit_machine(base, theta, &machine);
    return fit_predict(&machine, row, FIT_DECODE, &ns, NULL) == STATUS_OK ? ns : NAN;
}

/* What is held out at once; NULL: there is too little. */
static const int *units_of(const struct group_rows *g, int *n_units)
{
    *n_units = g->n_networks >= 3 ? g->n_networks : g->n_variants >= 3 ? g->n_variants : 0;
    return g->n_networks >= 3 ? g->network : g->n_variants >= 3 ? g->variant : NULL;
}

/* Decodes of each row of the group from the rows of other units. `baselines`: the simpler models
 * too. */
static enum status hold_out(const struct fit_group *group, const struct group_rows *g,
                            fit_terms optional, bool baselines, struct fit_prediction *predictions,
                            struct err *err)
{
    int n_units;
    const int *unit = units_of(g, &n_units);
    const struct fit_row **others = memory_new((size_t)g->n, sizeof *others);
    enum status status = others == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    for (int u = 0; u < n_units && status == STATUS_OK; u++) {
        struct fit_theta theta = {0};
        struct fit_baseline bytes, layers;
        int n = 0, decodes = 0;
        for (int i = 0; i < g->n; i++)
            if (unit[i] != u && !isnan(g->rows[i]->decode_ns)) {
                others[n++] = g->rows[i];
                decodes++;
            }
        if (decodes == 0)
            continue;
        status = fit_solve(&group->base, others, n, FIT_DECODE, decode_terms(others, n, optional),
                           &theta, NULL, err);
        if (baselines && status == STATUS_OK)
            status = fit_baseline_of_rows(others, n, false, &bytes, err);
        if (baselines && status == STATUS_OK)
            status = fit_baseline_of_rows(others, n, true, &layers, err);
        for (int i = 0; i < g->n && status == STATUS_OK; i++) {
            struct fit_prediction *p = &predictions[g->index[i]];
            if (unit[i] != u)
                continue;
            p->held_out_ns = predict_decode(&group->base, &theta, g->rows[i]);
            if (baselines) {
                p->bytes_ns = fit_baseline_predict(&bytes, g->rows[i]);
                p->layers_ns = fit_baseline_predict(&layers, g->rows[i]);
            }
        }
    }
    memory_free(others);
    return status;
}

static double predicted_ns(const struct fit_prediction *p, enum fit_model model)
{
    const double of_models[] = {p->fitted_ns, p->held_out_ns, p->bytes_ns, p->layers_ns};
    return of_models[model];
}

struct fit_errors fit_errors_of(const struct fit_row *rows, size_t n,
                                const struct fit_prediction *predictions, enum fit_model model,
                                const bool *skip)
{
    struct fit_errors out = {.median_frac = NAN, .p90_frac = NAN, .worst_frac = NAN};
    double *errors = memory_new(n, sizeof *errors);
    size_t used = 0;
    for (size_t i = 0; errors != NULL && i < n; i++) {
        double ns = predicted_ns(&predictions[i], model);
        if (!isnan(ns) && !isnan(rows[i].decode_ns) && (skip == NULL || !skip[i]))
            errors[used++] = fabs(ns / rows[i].decode_ns - 1);
    }
    if (used > 0) {
        out.n = (int)used;
        out.worst_frac = stats_quantile(errors, used, 1);
        out.p90_frac = stats_quantile(errors, used, 0.9);
        out.median_frac = stats_median(errors, used);
    }
    memory_free(errors);
    return out;
}

/* Mean of |log| over the rows that are predicted: what choosing terms goes by. Unpredicted rows are
 * the same whatever the terms. */
static double score(const struct device_fit *fit, enum fit_model model)
{
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < fit->n_rows; i++) {
        double ns = predicted_ns(&fit->predictions[i], model);
        if (isnan(ns) || isnan(fit->rows[i].decode_ns))
            continue;
        sum += fabs(log(ns / fit->rows[i].decode_ns));
        n++;
    }
    return n == 0 ? NAN : sum / n;
}

static enum status hold_out_all(struct device_fit *fit, const struct group_rows *groups,
                                fit_terms optional, bool baselines, struct err *err)
{
    enum status status = STATUS_OK;
    for (int k = 0; k < fit->n_groups && status == STATUS_OK; k++)
        status = hold_out(&fit->groups[k], &groups[k], optional, baselines, fit->predictions, err);
    return status;
}

/* Three networks, and three timings more than coefficients with one more than there are. */
static bool has_spare_networks(const struct group_rows *g, int n_optional)
{
    int n_types = __builtin_popcountll(fit_byte_terms(g->rows, g->n));
    return g->n_networks >= 3 && g->n_variants >= n_types + n_optional + 5;
}

/* Enough networks for one more coefficient, and something that tells it apart. */
static bool is_supported(const struct group_rows *groups, int n_groups, fit_terms optional,
                         int term)
{
    for (int k = 0; k < n_groups; k++) {
        const struct group_rows *g = &groups[k];
        int64_t least = INT64_MAX, most = 0;
        int n_optional = __builtin_popcountll(optional);
        for (int i = 0; i < g->n; i++) {
            if (isnan(g->rows[i]->decode_ns))
                continue;
            least = g->rows[i]->context < least ? g->rows[i]->context : least;
            most = g->rows[i]->context > most ? g->rows[i]->context : most;
        }
        bool contexts = most >= 2 * least + 64;
        bool of_contexts = term == FIT_ATTENTION || term == FIT_KV_BYTE;
        if (of_contexts ? contexts && g->n_networks >= 2 : has_spare_networks(g, n_optional))
            return true;
    }
    return false;
}

static enum status choose_terms(struct device_fit *fit, const struct group_rows *groups,
                                struct err *err)
{
    static const int candidates[] = {FIT_ATTENTION, FIT_KV_BYTE, FIT_PASS, FIT_HEAD_BYTE,
                                     FIT_OPERATOR};
    enum { N = sizeof candidates / sizeof *candidates };
    enum status status = hold_out_all(fit, groups, fit->optional, false, err);
    double best = score(fit, FIT_MODEL_HELD_OUT);
    for (int round = 0; round < N && status == STATUS_OK; round++) {
        int winner = -1;
        double won = best * (1 - WORTH_FRAC);
        for (int c = 0; c < N && status == STATUS_OK; c++) {
            fit_terms with = fit->optional | FIT_TERM(candidates[c]);
            if (with == fit->optional ||
                !is_supported(groups, fit->n_groups, fit->optional, candidates[c]))
                continue;
            status = hold_out_all(fit, groups, with, false, err);
            if (status == STATUS_OK && score(fit, FIT_MODEL_HELD_OUT) < won) {
                won = score(fit, FIT_MODEL_HELD_OUT);
                winner = candidates[c];
            }
        }
        if (winner < 0)
            break;
        fit->optional |= FIT_TERM(winner);
        best = won;
    }
    return status;
}

static enum status fit_group(const struct device *base, const struct group_rows *g,
                             fit_terms optional, struct fit_group *group, struct err *err)
{
    group->n_rows = g->n;
    enum status status = fit_base_machine(base, group->threads, g->rows, g->n, &group->base, err);
    if (status == STATUS_OK)
        status = fit_phases(&group->base, g->rows, g->n, optional, &group->theta,
                            &group->noise_frac, err);
    return status;
}

static enum status fit_loads(struct device_fit *fit, const struct fit_rows *rows, struct err *err)
{
    const struct fit_row **with = memory_new(rows->n, sizeof *with);
    int n = 0;
    double least = INFINITY, most = 0;
    enum status status = with == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++) {
        struct fit_sums sums;
        if (isnan(rows->items[i].load_ns))
            continue;
        status = fit_sum_row(&rows->items[i], FIT_DECODE, &sums, err);
        least = fmin(least, sums.stored_bytes);
        most = fmax(most, sums.stored_bytes);
        with[n++] = &rows->items[i];
    }
    fit_terms terms = FIT_TERM(FIT_LOAD_BYTE) | (most > 1.3 * least ? FIT_TERM(FIT_LOAD) : 0);
    if (status == STATUS_OK && n > 0)
        status =
            fit_solve(&fit->groups[0].base, with, n, FIT_LOADING, terms, &fit->load, NULL, err);
    memory_free(with);
    return status;
}

/* Thread counts of the rows, ascending, into the groups. */
static enum status find_groups(const struct fit_rows *rows, struct device_fit *fit, struct err *err)
{
    for (size_t i = 0; i < rows->n; i++) {
        int threads = rows->items[i].threads, k = 0;
        while (k < fit->n_groups && fit->groups[k].threads < threads)
            k++;
        if (k < fit->n_groups && fit->groups[k].threads == threads)
            continue;
        if (fit->n_groups == MAX_THREAD_POINTS)
            return err_set(err, STATUS_RANGE, "more than %d thread counts", MAX_THREAD_POINTS);
        memmove(&fit->groups[k + 1], &fit->groups[k],
                (size_t)(fit->n_groups - k) * sizeof *fit->groups);
        fit->groups[k] = (struct fit_group){.threads = threads};
        fit->n_groups++;
    }
    return STATUS_OK;
}

static int networks_with_a_decode(const struct group_rows *g)
{
    int n = 0;
    for (int network = 0; network < g->n_networks; network++)
        for (int i = 0; i < g->n; i++)
            if (g->network[i] == network && !isnan(g->rows[i]->decode_ns)) {
                n++;
                break;
            }
    return n;
}

static void note_one_anchor(const struct fit_group *group, const struct group_rows *g, int found,
                            struct text *notes)
{
    text_addf(notes, "%s%s: ", g->n > 0 ? g->rows[0]->where : "no row",
              g->n > 1 ? " and others" : "");
    if (group->threads > 0)
        text_addf(notes, "%d threads: ", group->threads);
    text_addf(notes,
              "decode of %s network where two are needed: bandwidth and cost per layer cannot be "
              "told apart\n",
              found == 0 ? "no" : "one");
}

static bool has_no_decode(const struct fit_rows *rows)
{
    bool prompt = false;
    for (size_t i = 0; i < rows->n; i++) {
        if (!isnan(rows->items[i].decode_ns))
            return false;
        prompt = prompt || !isnan(rows->items[i].prefill_ns);
    }
    return prompt;
}

static void keep_group(struct device_fit *fit, struct group_rows *groups, int from, int to)
{
    struct group_rows moved = groups[from];
    groups[from] = (struct group_rows){0};
    groups[to] = moved;
    fit->groups[to] = fit->groups[from];
}

/* Leaves out thread counts that have no row. */
static void drop_empty_groups(struct device_fit *fit, struct group_rows *groups)
{
    int kept = 0;
    for (int k = 0; k < fit->n_groups; k++)
        if (groups[k].n > 0)
            keep_group(fit, groups, k, kept++);
        else
            close_rows(&groups[k]);
    fit->n_groups = kept;
}

/* Leaves out thread counts that have fewer than two networks. */
static void drop_thin_groups(struct device_fit *fit, struct group_rows *groups, struct text *notes)
{
    int kept = 0;
    for (int k = 0; k < fit->n_groups; k++) {
        int found = networks_with_a_decode(&groups[k]);
        if (found < 2) {
            note_one_anchor(&fit->groups[k], &groups[k], found, notes);
            close_rows(&groups[k]);
            continue;
        }
        keep_group(fit, groups, k, kept++);
    }
    fit->n_groups = kept;
}

/* Peaks from prompts; all else as the base has it. */
static enum status fit_prompts_only(struct device_fit *fit, const struct group_rows *groups,
                                    struct err *err)
{
    struct device base = fit->base;
    enum status status = STATUS_OK;
    base.has_timings = false;
    for (int k = 0; k < fit->n_groups && status == STATUS_OK; k++) {
        struct fit_group *group = &fit->groups[k];
        struct device counted = base;
        group->n_rows = groups[k].n;
        counted.max_threads = group->threads > base.max_threads ? group->threads : base.max_threads;
        status = machine_resolve(&counted, group->threads, &group->base, err);
        if (status == STATUS_OK)
            status = fit_prompts(&group->base, groups[k].rows, groups[k].n, &group->theta, err);
    }
    return status;
}

/* The terms with which a decode is priced as bytes over bandwidth and a cost per layer. False: a
 * type has no bandwidth there. */
static bool terms_of_baseline(const struct fit_baseline *baseline, fit_terms types,
                              struct fit_theta *theta)
{
    double sum = 0;
    int n = 0;
    *theta = (struct fit_theta){.fitted = types | FIT_TERM(FIT_LAYER) | FIT_TERM(FIT_KV_BYTE) |
                                          FIT_TERM(FIT_HEAD_BYTE)};
    for (int type = 0; type < N_DTYPES; type++) {
        if (!(types & FIT_TERM(FIT_BYTE + type)))
            continue;
        if (baseline->ns_per_byte[type] <= 0)
            return false;
        theta->value[FIT_BYTE + type] = baseline->ns_per_byte[type];
        sum += baseline->ns_per_byte[type];
        n++;
    }
    theta->value[FIT_KV_BYTE] = theta->value[FIT_HEAD_BYTE] = sum / n;
    theta->value[FIT_LAYER] = baseline->layer_ns;
    return true;
}

/* Puts the simpler model in the place of the fit where it predicts networks left out better. */
static enum status take_the_simpler(struct device_fit *fit, const struct group_rows *groups,
                                    struct text *notes, struct err *err)
{
    struct fit_theta thetas[MAX_THREAD_POINTS];
    double ours = score(fit, FIT_MODEL_HELD_OUT), simpler = score(fit, FIT_MODEL_LAYERS);
    if (!(simpler < ours * (1 - WORTH_FRAC)))
        return STATUS_OK;
    for (int k = 0; k < fit->n_groups; k++) {
        const struct group_rows *g = &groups[k];
        struct fit_baseline baseline;
        enum status status = fit_baseline_of_rows(g->rows, g->n, true, &baseline, err);
        if (status != STATUS_OK)
            return status;
        if (!terms_of_baseline(&baseline, fit_byte_terms(g->rows, g->n), &thetas[k]))
            return STATUS_OK;
        status = fit_prompts(&fit->groups[k].base, g->rows, g->n, &thetas[k], err);
        if (status != STATUS_OK)
            return status;
    }
    fit->simpler = true;
    fit->optional = FIT_TERM(FIT_KV_BYTE) | FIT_TERM(FIT_HEAD_BYTE);
    for (int k = 0; k < fit->n_groups; k++) {
        fit->groups[k].theta = thetas[k];
        for (int i = 0; i < groups[k].n; i++)
            fit->predictions[groups[k].index[i]].fitted_ns =
                predict_decode(&fit->groups[k].base, &thetas[k], groups[k].rows[i]);
    }
    text_addf(notes,
              "bytes over bandwidth and a cost per layer predict networks left out better (mean "
              "error %.1f %%) than the full fit (%.1f %%): these are what is used\n",
              100 * simpler, 100 * ours);
    return STATUS_OK;
}

static enum status fit_all(struct device_fit *fit, const struct fit_rows *rows,
                           struct group_rows *groups, struct err *err)
{
    enum status status = STATUS_OK;
    for (int k = 0; k < fit->n_groups && status == STATUS_OK; k++)
        status = fit_base_machine(&fit->base, fit->groups[k].threads, groups[k].rows, groups[k].n,
                                  &fit->groups[k].base, err);
    if (status == STATUS_OK)
        status = choose_terms(fit, groups, err);
    for (size_t i = 0; i < rows->n; i++)
        fit->predictions[i].held_out_ns = NAN;
    if (status == STATUS_OK)
        status = hold_out_all(fit, groups, fit->optional, true, err);
    for (int k = 0; k < fit->n_groups && status == STATUS_OK; k++) {
        status = fit_group(&fit->base, &groups[k], fit->optional, &fit->groups[k], err);
        for (int i = 0; i < groups[k].n && status == STATUS_OK; i++)
            fit->predictions[groups[k].index[i]].fitted_ns =
                predict_decode(&fit->groups[k].base, &fit->groups[k].theta, groups[k].rows[i]);
    }
    return status;
}

enum status fit_device(const struct device *base, const struct fit_rows *rows,
                       struct device_fit *out, struct text *notes, struct err *err)
{
    struct group_rows groups[MAX_THREAD_POINTS] = {{0}};
    *out = (struct device_fit){.base = *base, .rows = rows->items, .n_rows = rows->n};
    out->predictions = memory_new(rows->n, sizeof *out->predictions);
    if (out->predictions == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < rows->n; i++)
        out->predictions[i] = (struct fit_prediction){NAN, NAN, NAN, NAN};
    enum status status = find_groups(rows, out, err);
    for (int k = 0; k < out->n_groups && status == STATUS_OK; k++)
        status = open_rows(rows, out->groups[k].threads, NULL, &groups[k], err);
    out->prompts_only = has_no_decode(rows);
    if (status == STATUS_OK && out->prompts_only) {
        drop_empty_groups(out, groups);
        text_addf(notes, "prompts only: decode stays as '%s' has it\n", base->id);
    } else if (status == STATUS_OK) {
        drop_thin_groups(out, groups, notes);
        if (out->n_groups == 0)
            status = err_set(err, STATUS_INPUT,
                             "too few timings: decodes of two networks are needed at one thread "
                             "count");
    }
    if (status == STATUS_OK)
        status = out->prompts_only ? fit_prompts_only(out, groups, err)
                                   : fit_all(out, rows, groups, err);
    if (status == STATUS_OK && !out->prompts_only)
        status = take_the_simpler(out, groups, notes, err);
    if (status == STATUS_OK)
        status = fit_loads(out, rows, err);
    if (status == STATUS_OK) {
        out->held_out =
            fit_errors_of(rows->items, rows->n, out->predictions, FIT_MODEL_HELD_OUT, NULL);
        out->bytes = fit_errors_of(rows->items, rows->n, out->predictions, FIT_MODEL_BYTES, NULL);
        out->layers = fit_errors_of(rows->items, rows->n, out->predictions, FIT_MODEL_LAYERS, NULL);
    }
    for (int k = 0; k < MAX_THREAD_POINTS; k++)
        close_rows(&groups[k]);
    return status;
}

const struct fit_errors *device_fit_errors(const struct device_fit *fit)
{
    return fit->simpler ? &fit->layers : &fit->held_out;
}

void device_fit_release(struct device_fit *fit)
{
    memory_free(fit->predictions);
    fit->predictions = NULL;
}

enum status fit_from_anchors(const struct device *base, const struct fit_rows *rows,
                             const bool *anchors, struct fit_prediction *out, struct err *err)
{
    struct fit_group group = {.threads = rows->n > 0 ? rows->items[0].threads : 0};
    struct group_rows g;
    struct fit_baseline bytes, layers;
    enum status status = open_rows(rows, group.threads, anchors, &g, err);
    if (status == STATUS_OK)
        status = fit_group(base, &g, 0, &group, err);
    if (status == STATUS_OK)
        status = fit_baseline_of_rows(g.rows, g.n, false, &bytes, err);
    if (status == STATUS_OK)
        status = fit_baseline_of_rows(g.rows, g.n, true, &layers, err);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
        out[i] = (struct fit_prediction){
            .fitted_ns = predict_decode(&group.base, &group.theta, &rows->items[i]),
            .held_out_ns = NAN,
            .bytes_ns = fit_baseline_predict(&bytes, &rows->items[i]),
            .layers_ns = fit_baseline_predict(&layers, &rows->items[i])};
    close_rows(&g);
    return status;
}
