#include <stddef.h>

#include "simulator/engine_private.h"

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

void pass_report_sum(struct pass_report *report)
{
    for (int role = 0; role < N_OP_ROLES; role++)
        add_use(&report->total, &report->roles[role]);
}

void pass_report_add(struct pass_report *into, const struct pass_report *from)
{
    if (into->ns <= 0)
        into->start_ns = from->start_ns;
    into->end_ns = from->end_ns;
    into->ns += from->ns;
    for (int i = 0; i < N_RESOURCES; i++) {
        into->busy_ns[i] += from->busy_ns[i];
        into->moved_bytes[i] += from->moved_bytes[i];
    }
    into->exposed_ns += from->exposed_ns;
    into->required_bytes += from->required_bytes;
    if (from->held_peak_bytes > into->held_peak_bytes)
        into->held_peak_bytes = from->held_peak_bytes;
    add_use(&into->total, &from->total);
    for (int role = 0; role < N_OP_ROLES; role++)
        add_use(&into->roles[role], &from->roles[role]);
    into->energy_pj += from->energy_pj;
    for (int i = 0; i < MAX_LEVELS; i++)
        into->level_energy_pj[i] += from->level_energy_pj[i];
    into->compute_energy_pj += from->compute_energy_pj;
}
