#include "cli/validation_figures.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/stats.h"
#include "model/count.h"
#include "plots/plot_validate.h"
#include "validate/score.h"

enum { LONGEST_PATH = 1024, MOST_POINTS = 64 };

static void fill(const struct validation *v, enum validation_phase phase, char (*groups)[32],
                 struct plot_validate_row *rows)
{
    for (int i = 0; i < v->n_trials; i++) {
        const struct trial *trial = &v->trials[i];
        snprintf(groups[i], sizeof groups[i], "%s, %d thread%s",
                 dtype_name(trial->net->block_dtype), trial->threads,
                 trial->threads == 1 ? "" : "s");
        rows[i] = (struct plot_validate_row){.group = groups[i],
                                             .predicted_ns = phase == VALIDATE_DECODE
                                                                 ? v->decode_ns[CLOCK_LATHE][i]
                                                                 : v->prefill_ns[i],
                                             .measured_ns = validation_measured(v, phase, i),
                                             .measured_mad_ns = NAN,
                                             .depth = (double)transformer_executions(trial->net)};
    }
}

/* Whether b's series says more than a's. */
static bool says_more(const struct trial *a, int n_a, const struct trial *b, int n_b)
{
    if (n_a != n_b)
        return n_b > n_a;
    if (a->threads != b->threads)
        return b->threads > a->threads;
    return (double)validation_params(b) > 1.2 * (double)validation_params(a);
}

/* The group of most decodes; of several that of most threads and parameters, the first type's. */
static int largest_series(const struct validation *v)
{
    const struct trial *best = NULL;
    int n_best = 0;
    for (int i = 0; i < v->n_trials; i++) {
        const struct trial *trial = &v->trials[i];
        int n = 0;
        for (int j = 0; j < v->n_trials; j++)
            n += v->trials[j].group == trial->group && !isnan(trial_decode_ns(&v->trials[j]));
        if (n > 0 && (best == NULL || says_more(best, n_best, trial, n))) {
            best = trial;
            n_best = n;
        }
    }
    return best ? best->group : -1;
}

/* Trials of the series whose decode was timed, by rising depth, into order; returns how many. */
static size_t by_depth(const struct validation *v, int group, int order[MOST_POINTS])
{
    size_t n = 0;
    for (int i = 0; i < v->n_trials && n < MOST_POINTS; i++) {
        if (v->trials[i].group != group || isnan(trial_decode_ns(&v->trials[i])))
            continue;
        int64_t depth = transformer_executions(v->trials[i].net);
        size_t at = n++;
        for (; at > 0 && transformer_executions(v->trials[order[at - 1]].net) > depth; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return n;
}

static enum status draw_contest(const struct validation *v, struct plot_options *options,
                                struct err *err)
{
    double depth[MOST_POINTS], ns[N_CLOCKS + 1][MOST_POINTS];
    int order[MOST_POINTS];
    char subtitle[128] = "";
    struct plot_clock clocks[N_CLOCKS + 1] = {{"measured", ns[N_CLOCKS]}};
    size_t n = by_depth(v, largest_series(v), order);
    for (size_t at = 0; at < n; at++) {
        const struct trial *trial = &v->trials[order[at]];
        depth[at] = (double)transformer_executions(trial->net);
        for (int clock = 0; clock < N_CLOCKS; clock++)
            ns[clock][at] = v->decode_ns[clock][order[at]];
        ns[N_CLOCKS][at] = trial_decode_ns(trial);
        snprintf(subtitle, sizeof subtitle,
                 "about %.0f M parameters in %s, %d thread%s, %d tokens of context",
                 (double)validation_params(trial) * 1e-6, dtype_name(trial->net->block_dtype),
                 trial->threads, trial->threads == 1 ? "" : "s", (int)trial->context);
    }
    options->subtitle = subtitle;
    for (int clock = 0; clock < N_CLOCKS; clock++)
        clocks[clock + 1] =
            (struct plot_clock){validation_clock_name((enum validation_clock)clock), ns[clock]};
    return plot_contest(depth, n, clocks, N_CLOCKS + 1, options, err);
}

static bool any_prefill(const struct validation *v)
{
    bool any = false;
    for (int i = 0; i < v->n_trials; i++)
        any = any || !isnan(trial_prefill_ns(&v->trials[i]));
    return any;
}

enum status validation_figures(const struct validation *v, const char *prefix, struct err *err)
{
    static const char *const names[] = {"decode", "prefill", "error", "deep-to-wide"};
    char path[LONGEST_PATH];
    size_t n = (size_t)v->n_trials;
    struct plot_validate_row *rows = memory_new(n, sizeof *rows);
    char(*groups)[32] = memory_new(n, sizeof *groups);
    enum status status =
        rows && groups ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for a figure");
    for (int i = 0; i < 4 && status == STATUS_OK; i++) {
        if (i == 1 && !any_prefill(v))
            continue;
        struct plot_options options = {.path = path};
        snprintf(path, sizeof path, "%s-%s.svg", prefix, names[i]);
        fill(v, i == 1 ? VALIDATE_PREFILL : VALIDATE_DECODE, groups, rows);
        status = i == 3   ? draw_contest(v, &options, err)
                 : i == 2 ? plot_error_by_depth(rows, n, "decode", &options, err)
                          : plot_validate(rows, n, names[i], &options, err);
    }
    memory_free(rows);
    memory_free(groups);
    return status;
}
