/* Architectures priced per second, without a store, on one thread and on all: as rows, with the law
 * of loss (as `lathe search` does) and without; as columns, six of them and two; and the front of
 * decode and loss by columns.
 *
 * Usage: bench_search [rounds] [device]. Rounds interleave all of these; prints medians and spread, the
 * best round, and the ratio of columns to rows in the same run. Columns go over the space many times,
 * since once takes a millisecond: all tables are made anew each time. */
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/stats.h"
#include "device/device.h"
#include "quality/law_file.h"
#include "search/column_search.h"
#include "search/columns.h"
#include "search/loss_scale.h"

enum { MAX_ROUNDS = 64, PASSES = 30 };

static enum status add_up(const struct candidate *candidates, int64_t n, void *user,
                          struct err *err)
{
    double *sum = user;
    for (int64_t i = 0; i < n; i++)
        *sum += candidates[i].row.price.decode_ns;
    (void)err;
    return STATUS_OK;
}

/* What is timed. */
struct bench {
    struct pricing pricing;
    const struct loss_scale *scale;
};

static void give_up(const struct err *err)
{
    fprintf(stderr, "bench_search: %s\n", err->message);
    exit(1);
}

/* One thread is timed by its own processor time, which a busy machine disturbs least (not by the
 * process's: threads of the run before still spin); several by the clock on the wall. */
static int64_t now_ns(int jobs)
{
    struct timespec now;
    if (jobs > 1)
        return clock_ns();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double per_second(const struct bench *bench, int64_t passes, int jobs, int64_t start_ns)
{
    return (double)(passes * bench->pricing.enumeration->count) /
           ((double)(now_ns(jobs) - start_ns) / 1e9);
}

static double rows(const struct bench *bench, int jobs, bool with_loss)
{
    const struct pricing *p = &bench->pricing;
    struct enumerate_options options = {.n_jobs = jobs, .loss = with_loss ? bench->scale : NULL};
    double sum = 0;
    struct err err;
    int64_t start = now_ns(jobs);
    if (enumerate_candidates(p->enumeration, p->machine, p->workload, &options, add_up, &sum, &err))
        give_up(&err);
    return per_second(bench, 1, jobs, start);
}

static double rows_with_law(const struct bench *bench, int jobs)
{
    return rows(bench, jobs, true);
}

static double rows_without(const struct bench *bench, int jobs)
{
    return rows(bench, jobs, false);
}

static void fill(struct column_source *source, const struct shape *shape,
                 const enum column *columns, int n, double *sum)
{
    const struct columns *variant;
    column_source_shape(source, shape);
    while ((variant = column_source_next(source)) != NULL)
        for (int c = 0; c < n; c++)
            *sum += column_fill(source, columns[c])[variant->n - 1];
}

/* One thread takes some shapes after the other; after the last of the space comes its first. */
static double fill_all(const struct bench *bench, int jobs, const enum column *columns, int n)
{
    const struct enumeration *e = bench->pricing.enumeration;
    const int64_t n_shapes = (int64_t)e->n_shapes, passes = PASSES;
    double sum = 0;
    int64_t start = now_ns(jobs);
#pragma omp parallel num_threads(jobs) reduction(+ : sum)
    {
        struct column_source *source;
        struct err err;
        if (column_source_create(&bench->pricing, &source, &err))
            give_up(&err);
#pragma omp for schedule(dynamic, 64)
        for (int64_t s = 0; s < passes * n_shapes; s++)
            fill(source, &e->shapes[s % n_shapes], columns, n, &sum);
        column_source_free(source);
    }
    if (sum == 0)
        puts("nothing was priced");
    return per_second(bench, passes, jobs, start);
}

static double six_columns(const struct bench *bench, int jobs)
{
    static const enum column columns[] = {COLUMN_DECODE_NS, COLUMN_PREFILL_NS, COLUMN_TTFT_COLD_NS,
                                          COLUMN_ENERGY,    COLUMN_PEAK_BYTES, COLUMN_LOSS_DELTA};
    return fill_all(bench, jobs, columns, 6);
}

static double two_columns(const struct bench *bench, int jobs)
{
    static const enum column columns[] = {COLUMN_DECODE_NS, COLUMN_LOSS_DELTA};
    return fill_all(bench, jobs, columns, 2);
}

static enum status count_front(const struct column_best *best, void *user, struct err *err)
{
    *(size_t *)user = best->n;
    (void)err;
    return STATUS_OK;
}

static double front(const struct bench *bench, int jobs)
{
    struct objectives objectives;
    const struct filter filter = {0};
    size_t n;
    struct err err;
    objectives_default(&objectives);
    struct column_search search = {
        .pricing = bench->pricing, .filter = &filter, .objectives = &objectives, .n_jobs = jobs};
    int64_t start = now_ns(jobs);
    for (int pass = 0; pass < PASSES; pass++)
        if (column_search(&search, count_front, &n, &err))
            give_up(&err);
    return per_second(bench, PASSES, jobs, start);
}

static const struct {
    const char *name;
    double (*rate)(const struct bench *bench, int jobs);
} kinds[] = {
    {"rows, with the law", rows_with_law},
    {"rows, without", rows_without},
    {"six columns", six_columns},
    {"two columns", two_columns},
    {"front of two", front},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static void print_rates(int jobs, int kind, double *rates, int rounds, double of_rows)
{
    double best = 0;
    for (int r = 0; r < rounds; r++)
        best = rates[r] > best ? rates[r] : best;
    double median = stats_median(rates, (size_t)rounds);
    printf("threads %d, %-18s: median %7.2f M/s, MAD %5.2f, best %7.2f, %5.1f times the rows\n",
           jobs, kinds[kind].name, median / 1e6, stats_mad(rates, (size_t)rounds) / 1e6, best / 1e6,
           median / of_rows);
}

/* The scale that `lathe search` has by default. */
static enum status open_scale(const struct enumeration *e, struct loss_scale *scale,
                              struct err *err)
{
    static struct quality_law law;
    char path[4096];
    enum status status = file_data_path("quality/law.json", path, sizeof path, err);
    if (status == STATUS_OK)
        status = quality_law_read(path, &law, NULL, NULL, err);
    if (status == STATUS_OK)
        status = loss_scale_init(scale, &law, QUALITY_NO_RECIPE, 1e12, e->space->max_layers, err);
    if (status != STATUS_OK)
        return status;
    int64_t start = clock_ns();
    status = loss_scale_add_best(scale, e, 1, err);
    printf("best of the search: %.1f ns an architecture, one thread\n",
           (double)(clock_ns() - start) / (double)e->count);
    return status;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    const char *profile = argc > 2 ? argv[2] : "iphone-13";
    static struct space space;
    static struct loss_scale scale;
    struct budget budget = {100000000, 150000000, 125000000};
    struct enumeration e;
    struct device device;
    struct machine machine;
    struct err err;
    space_default(&space);
    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "bench_search: rounds must be 1 to %d\n", MAX_ROUNDS);
        return 2;
    }
    if (device_open(profile, &device, &err) || machine_resolve(&device, 0, &machine, &err) ||
        enumeration_start(&space, &budget, &e, &err) || open_scale(&e, &scale, &err)) {
        fprintf(stderr, "bench_search: %s\n", err.message);
        return 1;
    }
    const struct workload workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT};
    const struct bench bench = {{&e, &machine, &workload, &scale}, &scale};
    int jobs[2] = {1, omp_get_num_procs()};
    double rates[2][N_KINDS][MAX_ROUNDS];
    printf("%" PRId64 " architectures in %zu shapes on %s, %d rounds\n", e.count, e.n_shapes,
           profile, rounds);
    rows(&bench, 1, true);
    for (int r = 0; r < rounds; r++)
        for (int k = 0; k < N_KINDS; k++)
            for (int j = 0; j < 2; j++)
                rates[j][k][r] = kinds[k].rate(&bench, jobs[j]);
    for (int j = 0; j < 2; j++)
        for (int k = 0; k < N_KINDS; k++)
            print_rates(jobs[j], k, rates[j][k], rounds, stats_median(rates[j][0], (size_t)rounds));
    loss_scale_release(&scale);
    enumeration_end(&e);
    return 0;
}
