#include "device/interval.h"

#include <math.h>

double interval_frac(const struct machine *machine)
{
    double frac = isnan(machine->error_p90_frac) ? 2.44 * machine->error_median_frac
                                                 : machine->error_p90_frac;
    return frac < 1.645 * TIMING_NOISE_FRAC ? 1.645 * TIMING_NOISE_FRAC : frac;
}

double interval_low(double ns, double frac)
{
    return ns / (1 + frac);
}

double interval_high(double ns, double frac)
{
    return ns * (1 + frac);
}

bool intervals_overlap(double a_low, double a_high, double b_low, double b_high)
{
    return a_low <= b_high && b_low <= a_high;
}
