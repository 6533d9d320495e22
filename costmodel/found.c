#include "costmodel/found.h"

#include <math.h>

int found_edges(const struct machine *machine, int64_t edges[MAX_FOUND_EDGES])
{
    int n = 0;
    for (int level = 0; level < machine->n_levels - 1; level++)
        edges[n++] = machine->levels[level].capacity_bytes;
    for (int level = 0; level < machine->n_levels - 1; level++) {
        const int64_t *spill = machine->levels[level].spill_bytes;
        for (int i = 1; i < N_SPILL && spill[i] > 0; i++) {
            int at = n++;
            for (; at > 0 && edges[at - 1] > spill[i]; at--)
                edges[at] = edges[at - 1];
            edges[at] = spill[i];
        }
    }
    return n;
}

struct found found_before(const struct machine *machine, int level, double distance)
{
    static const double share[N_SPILL] = SPILL_FOUND;
    if (level == 0)
        return (struct found){0};
    const int64_t *edge = machine->levels[level - 1].spill_bytes;
    if (edge[N_SPILL - 1] == 0) /* hits end at the capacity */
        return (struct found){0};
    for (int i = 1; i < N_SPILL; i++)
        if (distance < (double)edge[i]) {
            double slope = (share[i - 1] - share[i]) / (double)(edge[i] - edge[i - 1]);
            return (struct found){share[i] + slope * ((double)edge[i] - distance), slope};
        }
    return (struct found){0};
}

double price_memory_share(const struct machine *machine, double distance)
{
    int level = found_level(machine, (int64_t)distance);
    return level < machine->dram ? 0 : 1 - found_before(machine, level, distance).share;
}

double price_lost_share(const struct machine *machine, int level, double distance)
{
    level = level < machine->dram ? level : machine->dram - 1;
    double fill = distance / (double)machine->levels[level].capacity_bytes;
    return fmin(1, machine->levels[level].reread_lost_frac * sqrt(fill));
}
