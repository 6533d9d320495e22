/* How long simulations take: one decoded token at the default tile, and 1024 of them.
 *
 * Usage: bench_simulator [rounds] [device]. Prints medians over the rounds; a simulation is load,
 * init and as many passes as the steady state takes (two, for one token: one to warm the buffers).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/stats.h"
#include "device/device.h"
#include "model/preset.h"
#include "simulator/simulate.h"

enum { MAX_ROUNDS = 64 };

static double median_ms(const struct transformer *net, const struct machine *machine,
                        int64_t tokens, int rounds, struct simulated *out)
{
    double ms[MAX_ROUNDS];
    struct simulation simulation;
    struct err err;
    simulation_init(&simulation);
    simulation.tokens = tokens;
    simulation.prefill = false;
    for (int i = 0; i < rounds; i++) {
        int64_t start = clock_ns();
        if (simulate(net, machine, &simulation, out, &err) != STATUS_OK) {
            fprintf(stderr, "bench_simulator: %s\n", err.message);
            exit(1);
        }
        ms[i] = (double)(clock_ns() - start) / 1e6;
    }
    return stats_median(ms, (size_t)rounds);
}

int main(int argc, char **argv)
{
    static const char *const models[] = {"mobilellm-125m", "mobilellm-ls-125m", "mobilellm-350m",
                                         "mobilellm-1b", "mobilellm-1.5b"};
    int rounds = argc > 1 ? atoi(argv[1]) : 9;
    const char *name = argc > 2 ? argv[2] : "iphone-13";
    struct device device;
    struct machine machine;
    struct err err;
    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "bench_simulator: rounds must be 1 to %d\n", MAX_ROUNDS);
        return 2;
    }
    if (device_open(name, &device, &err) || machine_resolve(&device, 0, &machine, &err)) {
        fprintf(stderr, "bench_simulator: %s\n", err.message);
        return 1;
    }
    printf("%s, median of %d\n%-20s %8s %8s %12s %14s %10s\n", name, rounds, "model", "tiles",
           "KiB", "1 token, ms", "1024 tokens, ms", "simulated");
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        struct transformer net;
        struct simulated one, many;
        if (preset_open(models[i], &net, &err)) {
            fprintf(stderr, "bench_simulator: %s\n", err.message);
            return 1;
        }
        double one_ms = median_ms(&net, &machine, 1, rounds, &one);
        double many_ms = median_ms(&net, &machine, 1024, rounds, &many);
        printf("%-20s %8" PRId64 " %8" PRId64 " %12.2f %15.2f %10" PRId64 "\n", net.name,
               one.n_tiles, one.tile_bytes >> 10, one_ms, many_ms, many.tokens_simulated);
        transformer_release(&net);
    }
    return 0;
}
