#include "calibrate/timing_fit.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/least_squares.h"
#include "base/memory.h"
#include "base/stats.h"
#include "costmodel/price.h"

/* A coefficient: where the machine keeps it and what is believed of it before. */
struct slot {
    size_t offset;
    bool is_rate; /* kept as units a ns */
    double mean, scale;
};

struct slots {
    int n;
    struct slot at[MAX_LEAST_SQUARES_TERMS];
};

enum phase_of_fit {
    FITTING_DECODE,
    FITTING_PROMPT,
};

static double *place(struct machine *machine, const struct slot *slot)
{
    return (double *)(void *)((char *)machine + slot->offset);
}

static void put(struct machine *machine, const struct slot *slot, double ns)
{
    *place(machine, slot) = slot->is_rate ? 1 / ns : ns; /* 1 / 0: infinitely fast */
}

/* scale_frac: of the kernel's value; least: of the scale, ns. */
static void add_slot(struct slots *slots, struct machine *machine, double *where, bool is_rate,
                     double scale_frac, double least)
{
    struct slot slot = {.offset = (size_t)((char *)where - (char *)machine), .is_rate = is_rate};
    slot.mean = is_rate ? 1 / *where : *where;
    slot.scale = fmax(scale_frac * slot.mean, least);
    if (slots->n < MAX_LEAST_SQUARES_TERMS)
        slots->at[slots->n++] = slot;
}

static bool is_used(const struct timing_fit *fit, const struct machine *machine, int i)
{
    bool left_out = fit->fold && fit->left_out >= 0 && fit->fold[i] == fit->left_out;
    return fit->trials[i].threads == machine->threads && !left_out && fit->trials[i].n_rounds > 0;
}

static bool has_type(const struct timing_fit *fit, const struct machine *machine, enum dtype dtype)
{
    for (int i = 0; i < fit->n_trials; i++)
        if (is_used(fit, machine, i) && fit->trials[i].net->block_dtype == dtype)
            return true;
    return false;
}

static void list_decode_slots(const struct timing_fit *fit, struct machine *machine,
                              struct slots *slots)
{
    int from = machine->dram > 0 ? machine->dram - 1 : machine->dram;
    for (int type = 0; type < N_DTYPES; type++) {
        if (!has_type(fit, machine, (enum dtype)type))
            continue;
        /* Of the last cache kernels know more than networks that a part of it holds. */
        for (int level = from; level <= machine->dram; level++)
            add_slot(slots, machine, &machine->weight_gbps[type][level], true,
                     level < machine->dram ? 0.1 : 0.5, 0);
        add_slot(slots, machine, &machine->timing_ns[TIMING_ROW + type], false, 1, 2);
        add_slot(slots, machine, &machine->timing_ns[TIMING_COLUMN + type], false, 1, 0.2);
        add_slot(slots, machine, &machine->timing_ns[TIMING_START + type], false, 1, 500);
    }
    for (int level = from; level <= machine->dram; level++)
        add_slot(slots, machine, &machine->kv_gbps[level], true, 0.5, 0);
    add_slot(slots, machine, &machine->op_ns[OP_MATMUL], false, 1, 500);
    add_slot(slots, machine, &machine->pass_ns, false, 1, 20000);
    add_slot(slots, machine, &machine->timing_ns[TIMING_QUERY], false, 1, 2);
    add_slot(slots, machine, &machine->timing_ns[TIMING_POSITION], false, 1, 0.2);
    add_slot(slots, machine, &machine->timing_ns[TIMING_SCORE], false, 1, 0.01);
}

static void list_prompt_slots(const struct timing_fit *fit, struct machine *machine,
                              struct slots *slots)
{
    for (int type = 0; type < N_DTYPES; type++) {
        if (!has_type(fit, machine, (enum dtype)type))
            continue;
        add_slot(slots, machine, &machine->peak_gflops[type], true, 0.5, 0);
        add_slot(slots, machine, &machine->timing_ns[TIMING_PROMPT_BYTE + type], false, 1, 0.05);
        add_slot(slots, machine, &machine->timing_ns[TIMING_PROMPT_COLUMN + type], false, 1, 0.2);
    }
    add_slot(slots, machine, &machine->timing_ns[TIMING_PROMPT_ROW], false, 1, 0.2);
    add_slot(slots, machine, &machine->timing_ns[TIMING_PROMPT_POSITION], false, 1, 0.2);
    add_slot(slots, machine, &machine->timing_ns[TIMING_PROMPT_SCORE], false, 1, 0.01);
}

static enum status price_trial(const struct trial *trial, const struct machine *machine,
                               enum phase_of_fit phase, double *ns, struct err *err)
{
    struct price price;
    struct workload workload = {trial->prompt > 0 ? trial->prompt : 1, trial->context};
    enum status status = price_network(trial->net, machine, &workload, &price, NULL, err);
    *ns = phase == FITTING_DECODE ? price.decode_ns : price.prefill_ns;
    return status;
}

static double measured(const struct trial *trial, enum phase_of_fit phase)
{
    return phase == FITTING_DECODE ? trial_decode_ns(trial) : trial_prefill_ns(trial);
}

static double noise(const struct trial *trial, enum phase_of_fit phase)
{
    const double *rounds = phase == FITTING_DECODE ? trial->decode_ns : trial->prefill_ns;
    double single = trial_noise_frac(rounds, trial->n_rounds);
    return isnan(single) ? 0 : STATS_SIGMA_PER_MAD * single / sqrt((double)trial->n_rounds);
}

/* Machines that cost 1 ns a unit of one slot and nothing else, and what no slot speaks of. */
static enum status fill_row(const struct trial *trial, const struct machine *machine,
                            const struct slots *slots, enum phase_of_fit phase, double *x,
                            double *rest, struct err *err)
{
    struct machine bare = *machine, unit;
    for (int j = 0; j < slots->n; j++)
        put(&bare, &slots->at[j], 0);
    enum status status = price_trial(trial, &bare, phase, rest, err);
    for (int j = 0; j < slots->n && status == STATUS_OK; j++) {
        double with;
        unit = bare;
        /* Large, so that the difference keeps its digits; the price is linear in it. */
        put(&unit, &slots->at[j], 1e3);
        status = price_trial(trial, &unit, phase, &with, err);
        x[j] = (with - *rest) / 1e3;
    }
    return status;
}

static enum status solve(const struct timing_fit *fit, struct machine *machine,
                         const struct slots *slots, enum phase_of_fit phase, double *loss,
                         struct err *err)
{
    enum { WIDTH = MAX_LEAST_SQUARES_TERMS };
    double mean[WIDTH], scale[WIDTH], theta[WIDTH];
    size_t n = 0, terms = (size_t)slots->n, most = (size_t)fit->n_trials;
    double *x = memory_new(most * terms, sizeof *x), *y = memory_new(most, sizeof *y);
    double *sigma = memory_new(most, sizeof *sigma), *whole = memory_new(most, sizeof *whole);
    enum status status = x && y && sigma && whole
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %zu trials", most);
    for (int i = 0; i < fit->n_trials && status == STATUS_OK; i++) {
        const struct trial *trial = &fit->trials[i];
        double ns = measured(trial, phase), rest;
        if (!is_used(fit, machine, i) || isnan(ns))
            continue;
        status = fill_row(trial, machine, slots, phase, x + n * terms, &rest, err);
        y[n] = ns - rest;
        whole[n] = ns;
        sigma[n++] = ns * hypot(0.02, noise(trial, phase));
    }
    if (status == STATUS_OK && n == 0 && phase == FITTING_DECODE)
        status =
            err_set(err, STATUS_INPUT, "no network was timed with %d threads", machine->threads);
    if (status != STATUS_OK || n == 0)
        goto out;
    for (int j = 0; j < slots->n; j++) {
        mean[j] = slots->at[j].mean;
        scale[j] = slots->at[j].scale;
    }
    struct least_squares problem = {slots->n, n, x, y, sigma, mean, scale, STATS_HUBER};
    status = least_squares_solve(&problem, theta, err);
    if (status != STATUS_OK)
        goto out;
    for (int j = 0; j < slots->n; j++)
        put(machine, &slots->at[j],
            slots->at[j].is_rate ? fmax(theta[j], 1e-3 * slots->at[j].mean) : theta[j]);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double off = -y[i];
        for (size_t j = 0; j < terms; j++)
            off += x[i * terms + j] * theta[j];
        sum += fabs(off / whole[i]);
    }
    if (loss)
        *loss = sum / (double)n;
out:
    memory_free(x);
    memory_free(y);
    memory_free(sigma);
    memory_free(whole);
    return status;
}

enum status timing_fit(const struct timing_fit *fit, struct machine *machine, double *loss,
                       struct err *err)
{
    struct slots decode = {0}, prompt = {0};
    list_decode_slots(fit, machine, &decode);
    enum status status = solve(fit, machine, &decode, FITTING_DECODE, loss, err);
    if (status != STATUS_OK)
        return status;
    list_prompt_slots(fit, machine, &prompt);
    return solve(fit, machine, &prompt, FITTING_PROMPT, NULL, err);
}

enum status timing_errors(const struct timing_fit *fit, const struct machine *machine, int fold,
                          double *decode, double *prefill, int *n, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < fit->n_trials && status == STATUS_OK; i++) {
        const struct trial *trial = &fit->trials[i];
        double ns[2] = {NAN, NAN};
        if (trial->threads != machine->threads || (fold >= 0 && fit->fold[i] != fold))
            continue;
        status = price_trial(trial, machine, FITTING_DECODE, &ns[0], err);
        if (status == STATUS_OK)
            status = price_trial(trial, machine, FITTING_PROMPT, &ns[1], err);
        decode[*n] = fabs(ns[0] / measured(trial, FITTING_DECODE) - 1);
        prefill[*n] = fabs(ns[1] / measured(trial, FITTING_PROMPT) - 1);
        ++*n;
    }
    return status;
}
