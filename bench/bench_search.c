/* Architectures priced per second: the search without a store, on one thread and on all.
 *
 * Usage: bench_search [rounds] [device]. Rounds interleave the thread counts; prints medians and
 * spread. */
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/stats.h"
#include "device/device.h"
#include "search/enumerate.h"

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

static double rate(const struct enumeration *e, const struct machine *machine, int jobs)
{
    struct workload workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT};
    struct enumerate_options options = {.n_jobs = jobs};
    double sum = 0;
    struct err err;
    int64_t start = clock_ns();
    if (enumerate_candidates(e, machine, &workload, &options, add_up, &sum, &err)) {
        fprintf(stderr, "bench_search: %s\n", err.message);
        exit(1);
    }
    return (double)e->count / ((double)(clock_ns() - start) / 1e9);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    const char *profile = argc > 2 ? argv[2] : "iphone-13";
    static struct space space;
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
        enumeration_start(&space, &budget, &e, &err)) {
        fprintf(stderr, "bench_search: %s\n", err.message);
        return 1;
    }
    int jobs[2] = {1, omp_get_num_procs()};
    double rates[2][MAX_ROUNDS];
    printf("%" PRId64 " architectures in %zu shapes on %s, %d rounds\n", e.count, e.n_shapes,
           profile, rounds);
    rate(&e, &machine, 1);
    for (int r = 0; r < rounds; r++) {
        for (int j = 0; j < 2; j++)
            rates[j][r] = rate(&e, &machine, jobs[j]);
    }
    for (int j = 0; j < 2; j++) {
        double mad = stats_mad(rates[j], (size_t)rounds);
        printf("threads %d: median %.2f M/s, MAD %.2f M/s\n", jobs[j],
               stats_median(rates[j], (size_t)rounds) / 1e6, mad / 1e6);
    }
    enumeration_end(&e);
    return 0;
}
