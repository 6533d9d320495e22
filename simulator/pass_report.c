#include "simulator/pass_report.h"

#include <stddef.h>

const char *resource_name(const struct machine *machine, int resource)
{
    static const char *const names[] = {"flash", "dram", "vectors", "compute", "dispatch"};
    if (resource < RESOURCE_PORT)
        return names[resource];
    int level = resource - RESOURCE_PORT;
    return level < machine->dram ? machine->levels[level].name : NULL;
}

const char *bound_name(enum bound bound)
{
    static const char *const names[] = {"dispatch", "flash", "dram", "port", "compute", "vectors"};
    return names[bound];
}

static void add_use(struct use *into, const struct use *from)
{
    into->ns += from->ns;
    for (int i = 0; i < N_BOUNDS; i++)
        into->bound_ns[i] += from->bound_ns[i];
    for (int i = 0; i < MAX_LEVELS; i++) {
        into->level_bytes[i] += from->level_bytes[i];
        into->activation_bytes[i] += from->activation_bytes[i];
    }
    into->kv_write_bytes += from->kv_write_bytes;
    into->flop += from->flop;
}

static void price_energy(const struct machine *machine, struct pass_report *report)
{
    for (int level = 0; level < machine->n_levels; level++) {
        int64_t bytes = report->total.level_bytes[level] + report->total.activation_bytes[level] +
                        (level == machine->dram ? report->total.kv_write_bytes : 0);
        report->level_energy_pj[level] =
            bytes > 0 ? (double)bytes * machine->levels[level].energy_pj_per_byte : 0;
        report->energy_pj += report->level_energy_pj[level];
    }
    report->compute_energy_pj = (double)report->total.flop * machine->energy_pj_per_flop;
    report->energy_pj += report->compute_energy_pj;
}

void pass_report_finish(const struct machine *machine, struct pass_report *report)
{
    for (int role = 0; role < N_OP_ROLES; role++)
        add_use(&report->total, &report->roles[role]);
    price_energy(machine, report);
}
