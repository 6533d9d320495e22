#include "calibrate/timing_fit.h"

#include <assert.h>
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

/* A type's: bandwidth of two levels, a row, a column, a start. Of all types: the cache's bandwidth
 * at two levels, an operator, a pass, three of attention. */
enum {
    SLOTS_A_TYPE = 5,
    COMMON_SLOTS = 7,
    MAX_TYPES = 12, /* more than have kernels, and only what runs is timed */
    MAX_SLOTS = SLOTS_A_TYPE * MAX_TYPES + COMMON_SLOTS,
};
_Static_assert((int)MAX_SLOTS <= (int)MAX_LEAST_SQUARES_TERMS, "one fit takes every type");

struct slots {
    int n;
    struct slot at[MAX_SLOTS];
};

/* Priors (docs/method.md, Fit). A rate: normal around the kernel's time a unit, this share of
 * it wide; of the last cache kernels know more than networks that a part of it holds. */
#define RATE_WIDTH_FRAC       0.5
#define CACHE_RATE_WIDTH_FRAC 0.1
/* Any other cost: as wide as the kernel's value, which may be none, and at least this: the order of
 * what such a cost can be, judged and not measured, wide enough that networks decide. */
#define LEAST_ELEMENT_WIDTH_NS     0.2
#define LEAST_PRODUCT_WIDTH_NS     0.01
#define LEAST_PROMPT_BYTE_WIDTH_NS 0.05
#define LEAST_ROW_WIDTH_NS         2
#define LEAST_OPERATOR_WIDTH_NS    500
#define LEAST_PASS_WIDTH_NS        20000
/* What rounds do not show of a timing's noise. */
#define LEAST_NOISE_FRAC 0.02

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

static void add_slot(struct slots *slots, const struct machine *machine, const double *where,
                     bool is_rate, double mean, double scale)
{
    assert(slots->n < MAX_SLOTS);
    slots->at[slots->n++] =
        (struct slot){.offset = (size_t)((const char *)where - (const char *)machine),
                      .is_rate = is_rate,
                      .mean = mean,
                      .scale = scale};
}

static void add_rate(struct slots *slots, const struct machine *machine, const double *where,
                     double width_frac)
{
    add_slot(slots, machine, where, true, 1 / *where, width_frac * (1 / *where));
}

static void add_cost(struct slots *slots, const struct machine *machine, const double *where,
                     double least_width_ns)
{
    add_slot(slots, machine, where, false, *where, fmax(*where, least_width_ns));
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
        for (int level = from; level <= machine->dram; level++)
            add_rate(slots, machine, &machine->weight_gbps[type][level],
                     level < machine->dram ? CACHE_RATE_WIDTH_FRAC : RATE_WIDTH_FRAC);
        add_cost(slots, machine, &machine->timing_ns[TIMING_ROW + type], LEAST_ROW_WIDTH_NS);
        add_cost(slots, machine, &machine->timing_ns[TIMING_COLUMN + type], LEAST_ELEMENT_WIDTH_NS);
        add_cost(slots, machine, &machine->timing_ns[TIMING_START + type], LEAST_OPERATOR_WIDTH_NS);
    }
    for (int level = from; level <= machine->dram; level++)
        add_rate(slots, machine, &machine->kv_gbps[level], RATE_WIDTH_FRAC);
    add_cost(slots, machine, &machine->op_ns[OP_MATMUL], LEAST_OPERATOR_WIDTH_NS);
    add_cost(slots, machine, &machine->pass_ns, LEAST_PASS_WIDTH_NS);
    add_cost(slots, machine, &machine->timing_ns[TIMING_QUERY], LEAST_ROW_WIDTH_NS);
    add_cost(slots, machine, &machine->timing_ns[TIMING_POSITION], LEAST_ELEMENT_WIDTH_NS);
    add_cost(slots, machine, &machine->timing_ns[TIMING_SCORE], LEAST_PRODUCT_WIDTH_NS);
}

static void list_prompt_slots(const struct timing_fit *fit, struct machine *machine,
                              struct slots *slots)
{
    for (int type = 0; type < N_DTYPES; type++) {
        if (!has_type(fit, machine, (enum dtype)type))
            continue;
        add_rate(slots, machine, &machine->peak_gflops[type], RATE_WIDTH_FRAC);
        add_cost(slots, machine, &machine->timing_ns[TIMING_PROMPT_BYTE + type],
                 LEAST_PROMPT_BYTE_WIDTH_NS);
        add_cost(slots, machine, &machine->timing_ns[TIMING_PROMPT_COLUMN + type],
                 LEAST_ELEMENT_WIDTH_NS);
    }
    add_cost(slots, machine, &machine->timing_ns[TIMING_PROMPT_ROW], LEAST_ELEMENT_WIDTH_NS);
    add_cost(slots, machine, &machine->timing_ns[TIMING_PROMPT_POSITION], LEAST_ELEMENT_WIDTH_NS);
    add_cost(slots, machine, &machine->timing_ns[TIMING_PROMPT_SCORE], LEAST_PRODUCT_WIDTH_NS);
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
    double mean[MAX_SLOTS], scale[MAX_SLOTS], theta[MAX_SLOTS];
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
        sigma[n++] = ns * hypot(LEAST_NOISE_FRAC, noise(trial, phase));
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
