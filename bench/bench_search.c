/* Architectures priced per second: the search without a store, on one thread and on all, with the
 * law of loss (as `lathe search` does) and without.
 *
 * Usage: bench_search [rounds] [device]. Rounds interleave thread counts and law; prints medians and
 * spread, and what finding the best of the search takes. */
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/stats.h"
#include "device/device.h"
#include "quality/law_file.h"
#include "search/loss_scale.h"

enum { MAX_ROUNDS = 64 };

static enum status add_up(const struct candidate *candidates, int64_t n, void *user,
                          struct err *err)
{
    double *sum = user;
    for (int64_t i = 0; i < n; i++)
        *sum += candidates[i].row.price.decode_ns;
    (void)err;
    return STATUS_OK;
}

static double rate(const struct enumeration *e, const struct machine *machine,
                   const struct loss_scale *loss, int jobs)
{
    struct workload workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT};
    struct enumerate_options options = {.n_jobs = jobs, .loss = loss};
    double sum = 0;
    struct err err;
    int64_t start = clock_ns();
    if (enumerate_candidates(e, machine, &workload, &options, add_up, &sum, &err)) {
        fprintf(stderr, "bench_search: %s\n", err.message);
        exit(1);
    }
    return (double)e->count / ((double)(clock_ns() - start) / 1e9);
}

/* The scale that `lathe search` has by default. */
static enum status open_scale(const struct enumeration *e, struct loss_scale *scale,
                              struct err *err)
{
    static struct quality_law law;
    char path[4096];
    enum status status = file_data_path("quality/law.json", path, sizeof path, err);
    if (status == STATUS_OK)
        status = quality_law_read(path, &law, NULL, err);
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
    int jobs[2] = {1, omp_get_num_procs()};
    const struct loss_scale *loss[2] = {NULL, &scale};
    double rates[2][2][MAX_ROUNDS];
    printf("%" PRId64 " architectures in %zu shapes on %s, %d rounds\n", e.count, e.n_shapes,
           profile, rounds);
    rate(&e, &machine, &scale, 1);
    for (int r = 0; r < rounds; r++)
        for (int j = 0; j < 2; j++)
            for (int l = 0; l < 2; l++)
                rates[j][l][r] = rate(&e, &machine, loss[l], jobs[j]);
    for (int j = 0; j < 2; j++)
        for (int l = 0; l < 2; l++) {
            double mad = stats_mad(rates[j][l], (size_t)rounds);
            printf("threads %d, %s: median %.2f M/s, MAD %.2f M/s\n", jobs[j],
                   loss[l] ? "with the law" : "without",
                   stats_median(rates[j][l], (size_t)rounds) / 1e6, mad / 1e6);
        }
    loss_scale_release(&scale);
    enumeration_end(&e);
    return 0;
}
