/* How well two timings of a runtime predict its others: data/published/fit_rows.csv.
 *
 * For each profile and group (one runtime, device and type) the anchors are the smallest and the
 * largest network by stored bytes, at their shortest context, which is what one would time; every
 * other row is predicted. Beside lathe's estimate, from the same two anchors: bytes over bandwidth,
 * and bytes over bandwidth plus a cost per layer. The last columns take every pair of rows of
 * different networks as anchors in turn. Usage: bench_published [fit_rows.csv] */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "device/device.h"
#include "fit/fit_csv.h"
#include "fit/fit_device.h"
#include "model/count.h"

enum { MAX_ROWS = 64, N_MODELS = 3 };

static const enum fit_model models[N_MODELS] = {FIT_MODEL_FITTED, FIT_MODEL_BYTES,
                                                FIT_MODEL_LAYERS};

struct totals {
    int groups, wins, ties;
    double all[N_MODELS][4096];
    size_t n;
};

static void fail(const struct err *err)
{
    fprintf(stderr, "bench_published: %s\n", err->message);
    exit(1);
}

static double error_of(const struct fit_row *row, double ns)
{
    return fabs(ns / row->decode_ns - 1);
}

static double ns_of(const struct fit_prediction *p, enum fit_model model)
{
    return model == FIT_MODEL_FITTED  ? p->fitted_ns
           : model == FIT_MODEL_BYTES ? p->bytes_ns
                                      : p->layers_ns;
}

static double stored(const struct fit_row *row)
{
    struct weight_bytes bytes;
    transformer_weight_bytes(&row->net, &bytes);
    return (double)bytes.total;
}

/* The smallest or largest network's row, of several contexts the shortest. */
static size_t extreme(const struct fit_rows *rows, bool largest)
{
    size_t best = 0;
    for (size_t i = 1; i < rows->n; i++) {
        double a = stored(&rows->items[i]), b = stored(&rows->items[best]);
        bool same = !(a < b) && !(a > b);
        if (same ? rows->items[i].context < rows->items[best].context : (a > b) == largest)
            best = i;
    }
    return best;
}

/* Errors of the rows that are no anchors, each model's into errors[model]. */
static size_t errors_from(const struct device *base, const struct fit_rows *rows, size_t a,
                          size_t b, double errors[N_MODELS][MAX_ROWS])
{
    bool anchors[MAX_ROWS] = {false};
    struct fit_prediction predictions[MAX_ROWS];
    struct err err;
    size_t n = 0;
    anchors[a] = anchors[b] = true;
    if (fit_from_anchors(base, rows, anchors, predictions, &err) != STATUS_OK)
        fail(&err);
    for (size_t i = 0; i < rows->n; i++) {
        if (anchors[i] || isnan(rows->items[i].decode_ns))
            continue;
        for (int m = 0; m < N_MODELS; m++)
            errors[m][n] = error_of(&rows->items[i], ns_of(&predictions[i], models[m]));
        n++;
    }
    return n;
}

static void all_pairs(const struct device *base, const struct fit_rows *rows,
                      double medians[N_MODELS])
{
    static double pooled[N_MODELS][MAX_ROWS * MAX_ROWS * MAX_ROWS];
    double errors[N_MODELS][MAX_ROWS];
    size_t n = 0;
    for (size_t a = 0; a < rows->n; a++)
        for (size_t b = a + 1; b < rows->n; b++) {
            if (!(fabs(stored(&rows->items[a]) - stored(&rows->items[b])) > 0))
                continue;
            size_t found = errors_from(base, rows, a, b, errors);
            for (int m = 0; m < N_MODELS; m++)
                memcpy(pooled[m] + n, errors[m], found * sizeof(double));
            n += found;
        }
    for (int m = 0; m < N_MODELS; m++)
        medians[m] = n == 0 ? NAN : stats_median(pooled[m], n);
}

static void print_group(const char *profile, const char *group, const struct device *base,
                        const struct fit_rows *rows, struct totals *totals)
{
    double errors[N_MODELS][MAX_ROWS], median[N_MODELS], worst[N_MODELS], pairs[N_MODELS];
    size_t a = extreme(rows, false), b = extreme(rows, true);
    if (a == b)
        return;
    size_t n = errors_from(base, rows, a, b, errors);
    if (n == 0)
        return;
    for (int m = 0; m < N_MODELS; m++) {
        for (size_t i = 0; i < n; i++)
            totals->all[m][totals->n + i] = errors[m][i];
        worst[m] = stats_quantile(errors[m], n, 1);
        median[m] = stats_median(errors[m], n);
    }
    totals->n += n;
    totals->groups++;
    totals->wins += median[0] < median[2] - 5e-4;
    totals->ties += fabs(median[0] - median[2]) <= 5e-4;
    all_pairs(base, rows, pairs);
    printf(
        "| %s | %s | %s, %s | %zu | %.1f / %.1f | %.1f / %.1f | %.1f / %.1f | %.1f, %.1f, %.1f |\n",
        profile, group, rows->items[a].net.name, rows->items[b].net.name, n, 100 * median[0],
        100 * worst[0], 100 * median[2], 100 * worst[2], 100 * median[1], 100 * worst[1],
        100 * pairs[0], 100 * pairs[2], 100 * pairs[1]);
}

static bool in_group(const struct csv *csv, int row, const char *profile, const char *group)
{
    return strcmp(csv_text(csv, row, csv_find_column(csv, "profile")), profile) == 0 &&
           strcmp(csv_text(csv, row, csv_find_column(csv, "group")), group) == 0;
}

/* The shipped profile may rest on the very rows that are to be predicted. The fit takes memory
 * sizes from it and, for types without a row, their speed against others: that is levelled here. */
static void forget_types(struct device *base)
{
    for (int type = 0; type < N_DTYPES; type++) {
        base->stream_frac[type] = 1;
        for (int level = 0; level < base->n_levels; level++)
            base->matvec_gbps[type][level].n = 0;
    }
}

static void run_group(const struct csv *csv, int first, struct totals *totals, struct text *notes)
{
    const char *profile = csv_text(csv, first, csv_find_column(csv, "profile"));
    const char *group = csv_text(csv, first, csv_find_column(csv, "group"));
    struct fit_rows rows = {0};
    struct device base;
    struct err err;
    if (device_open(csv_text(csv, first, csv_find_column(csv, "device")), &base, &err) != STATUS_OK)
        fail(&err);
    forget_types(&base);
    for (int i = first; i < csv_n_rows(csv); i++) {
        struct fit_row row;
        if (in_group(csv, i, profile, group) && rows.n < MAX_ROWS &&
            fit_csv_row(csv, i, NULL, &row, notes) && fit_rows_add(&rows, &row, &err) != STATUS_OK)
            fail(&err);
    }
    if (rows.n > 2)
        print_group(profile, group, &base, &rows, totals);
    fit_rows_release(&rows);
}

static bool seen_before(const struct csv *csv, int row)
{
    for (int i = 0; i < row; i++)
        if (in_group(csv, i, csv_text(csv, row, csv_find_column(csv, "profile")),
                     csv_text(csv, row, csv_find_column(csv, "group"))))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    static struct totals totals;
    char path[4096];
    struct csv *csv = NULL;
    struct err err = {""};
    struct text notes = {0};
    if (argc < 2 && file_data_path("published/fit_rows.csv", path, sizeof path, &err) != STATUS_OK)
        fail(&err);
    if (csv_open(argc < 2 ? path : argv[1], &csv, &err) != STATUS_OK ||
        fit_csv_check(csv, &err) != STATUS_OK)
        fail(&err);
    printf(
        "| profile | type | anchors | rows | lathe fit, median / worst %% | bytes + layers | bytes "
        "| every pair: lathe, bytes + layers, bytes |\n| --- | --- | --- | --- | --- | --- | --- | "
        "--- |\n");
    for (int i = 0; i < csv_n_rows(csv); i++)
        if (!seen_before(csv, i))
            run_group(csv, i, &totals, &notes);
    printf("\n%d groups, %zu rows: median %.1f %%, bytes + layers %.1f %%, bytes %.1f %%; lathe's "
           "median is the lower in %d groups, equal to 0.05 points in %d\n",
           totals.groups, totals.n, 100 * stats_median(totals.all[0], totals.n),
           100 * stats_median(totals.all[2], totals.n), 100 * stats_median(totals.all[1], totals.n),
           totals.wins, totals.ties);
    if (notes.data != NULL)
        fprintf(stderr, "%s", notes.data);
    text_release(&notes);
    csv_close(csv);
    return 0;
}
