#include "timing/machine_load.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

void machine_load_read(const char *stat, struct machine_load *out)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, N_TIMES };
    double ticks[N_TIMES], hz = (double)sysconf(_SC_CLK_TCK);
    struct rusage usage;
    *out = (struct machine_load){.all_s = NAN, .busy_s = NAN, .stolen_s = NAN, .own_s = NAN};
    out->now_ns = clock_ns();
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->own_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    FILE *file = fopen(stat, "r");
    if (file == NULL)
        return;
    if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[USER], &ticks[NICE],
               &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT], &ticks[IRQ], &ticks[SOFTIRQ],
               &ticks[STEAL]) == N_TIMES) {
        out->all_s = 0;
        for (int i = 0; i < N_TIMES; i++)
            out->all_s += ticks[i] / hz;
        out->stolen_s = ticks[STEAL] / hz;
        out->busy_s = out->all_s - (ticks[IDLE] + ticks[IOWAIT] + ticks[STEAL]) / hz;
    }
    fclose(file);
}

double machine_load_steal_frac(const struct machine_load *from, const struct machine_load *to)
{
    double all = to->all_s - from->all_s;
    return all > 0 ? (to->stolen_s - from->stolen_s) / all : NAN;
}

double machine_load_others_busy(const struct machine_load *from, const struct machine_load *to)
{
    double wall = 1e-9 * (double)(to->now_ns - from->now_ns);
    double others = (to->busy_s - from->busy_s) - (to->own_s - from->own_s);
    if (!(wall > 0) || isnan(others))
        return NAN;
    return others > 0 ? others / wall : 0;
}
