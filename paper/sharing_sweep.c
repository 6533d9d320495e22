#include "paper/sharing_sweep.h"

#include <math.h>
#include <stdio.h>

#include "costmodel/price.h"
#include "model/preset.h"
#include "simulator/simulate.h"

static const struct {
    const char *name;
    enum sharing sharing;
    int64_t repeats;
} sweep_modes[N_SWEEP_MODES] = {
    {"not shared", SHARING_NONE, 1},          {"immediate x2", SHARING_IMMEDIATE, 2},
    {"immediate x3", SHARING_IMMEDIATE, 3},   {"immediate x4", SHARING_IMMEDIATE, 4},
    {"repeat-all x2", SHARING_REPEAT_ALL, 2}, {"reverse x2", SHARING_REVERSE, 2},
    {"reverse x4", SHARING_REVERSE, 4},
};
static const double sweep_mb[N_SWEEP_SIZES] = {2, 4, 8, 16, 32, 64};

static double hits(const struct simulated *simulated, int dram)
{
    const int64_t *bytes = simulated->decode.total.level_bytes;
    double near = 0;
    for (int level = 0; level < dram; level++)
        near += (double)bytes[level];
    return near / (double)simulated->decode.required_bytes;
}

enum status sweep_sharing(const struct device *device, struct sharing_sweep *out, struct err *err)
{
    struct machine machine;
    struct transformer net;
    struct simulation simulation;
    simulation_init(&simulation);
    simulation.prefill = false;
    enum status status = machine_resolve(device, 0, &machine, err);
    if (!status && machine.dram == 0)
        status = err_set(err, STATUS_INPUT, "device '%s' lacks a level above dram", device->id);
    if (!status)
        status = preset_open("mobilellm-125m", &net, err);
    if (status)
        return status;
    transformer_set_dtype(&net, DTYPE_F16);
    for (int m = 0; m < N_SWEEP_MODES && !status; m++) {
        out->modes[m] = sweep_modes[m].name;
        net.schedule.sharing = sweep_modes[m].sharing;
        net.schedule.repeats = sweep_modes[m].repeats;
        for (int s = 0; s < N_SWEEP_SIZES && !status; s++) {
            struct simulated simulated;
            struct price price;
            out->sram_mb[s] = sweep_mb[s];
            machine.levels[machine.dram - 1].capacity_bytes = (int64_t)(sweep_mb[s] * 1e6);
            status = price_network(&net, &machine, &simulation.workload, &price, NULL, err);
            if (!status)
                status = simulate(&net, &machine, &simulation, &simulated, err);
            if (status)
                break;
            out->closed_form_ns[m][s] = price.decode_ns;
            out->simulator_ns[m][s] = simulated.price.decode_ns;
            out->hit_frac[m][s] = hits(&simulated, machine.dram);
        }
    }
    transformer_release(&net);
    return status;
}

enum status reproduce_sharing(const struct sharing_sweep *sweep, struct claims *claims,
                              struct err *err)
{
    enum status status = STATUS_OK;
    for (int m = 0; m < N_SWEEP_MODES; m++)
        for (int s = 0; s < N_SWEEP_SIZES && !status; s++) {
            struct claim *claim;
            status = claims_add(claims, "sharing", "ms", &claim, err);
            if (status)
                break;
            snprintf(claim->what, sizeof claim->what, "%s, %g MB: %.0f %% hits", sweep->modes[m],
                     sweep->sram_mb[s], 100 * sweep->hit_frac[m][s]);
            snprintf(claim->source, sizeof claim->source,
                     "section 2.3, Figure 6: no times printed");
            claim->closed_form = sweep->closed_form_ns[m][s] / 1e6;
            claim->simulator = sweep->simulator_ns[m][s] / 1e6;
        }
    return status;
}
