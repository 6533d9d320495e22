#include "paper/reproduction.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "costmodel/price.h"
#include "fit/fit.h"
#include "model/preset.h"
#include "simulator/simulate.h"

enum { N_TABLE_7 = 3 };

static const struct workload table_7_workload = {DEFAULT_PROMPT, DEFAULT_CONTEXT};

struct table_7_row {
    struct transformer net;
    double load_ns, init_ns, execute_ns; /* as printed */
};

static enum status open_fp16(const char *name, struct transformer *net, struct err *err)
{
    enum status status = preset_open(name, net, err);
    if (status)
        return status;
    transformer_set_dtype(net, DTYPE_F16);
    net->kv_dtype = DTYPE_F16;
    return STATUS_OK;
}

static enum status read_ms(const struct csv *csv, int row, const char *column, double *out_ns,
                           struct err *err)
{
    int c;
    enum status status = csv_column(csv, column, &c, err);
    if (status == STATUS_OK)
        status = csv_number(csv, row, c, 0, 1e9, out_ns, err);
    *out_ns *= 1e6;
    return status;
}

/* In the table's order: 125M, LS-125M, 60 layers. */
static enum status read_table_7(struct table_7_row rows[N_TABLE_7], struct err *err)
{
    static const char *const presets[] = {"mobilellm-125m", "mobilellm-ls-125m",
                                          "mobilellm-60-layer"};
    char path[4096];
    struct csv *csv = NULL;
    enum status status = file_data_path("published/latency_table7.csv", path, sizeof path, err);
    if (status == STATUS_OK)
        status = csv_open(path, &csv, err);
    if (status == STATUS_OK && csv_n_rows(csv) != N_TABLE_7)
        status = csv_error(csv, 0, -1, err, "expected %d rows", N_TABLE_7);
    for (int i = 0; i < N_TABLE_7 && status == STATUS_OK; i++) {
        status = read_ms(csv, i, "load_ms", &rows[i].load_ns, err);
        if (status == STATUS_OK)
            status = read_ms(csv, i, "init_ms", &rows[i].init_ns, err);
        if (status == STATUS_OK)
            status = read_ms(csv, i, "execute_ms", &rows[i].execute_ns, err);
        if (status == STATUS_OK)
            status = open_fp16(presets[i], &rows[i].net, err);
    }
    csv_close(csv);
    return status;
}

static enum status both_clocks(const struct transformer *net, const struct machine *machine,
                               struct price *closed_form, struct price *simulator, struct err *err)
{
    struct simulation simulation;
    struct simulated simulated;
    enum status status = price_network(net, machine, &table_7_workload, closed_form, NULL, err);
    if (status)
        return status;
    simulation_init(&simulation);
    simulation.workload = table_7_workload;
    simulation.prefill = false;
    status = simulate(net, machine, &simulation, &simulated, err);
    *simulator = simulated.price;
    return status;
}

static enum status add_ms(struct claims *claims, const struct table_7_row *row,
                          enum claim_phase phase, double paper_ns, double closed_form_ns,
                          double simulator_ns, bool fitted, struct err *err)
{
    static const char *const names[] = {[CLAIM_OTHER] = "",
                                        [CLAIM_LOAD] = "load",
                                        [CLAIM_INIT] = "init",
                                        [CLAIM_DECODE] = "execute"};
    struct claim *claim;
    enum status status = claims_add(claims, "latency", "ms", &claim, err);
    if (status)
        return status;
    snprintf(claim->what, sizeof claim->what, "%s, %.80s", names[phase], row->net.name);
    snprintf(claim->model, sizeof claim->model, "%.47s", row->net.name);
    snprintf(claim->source, sizeof claim->source, "Table 7");
    claim->phase = phase;
    claim->paper = paper_ns / 1e6;
    claim->closed_form = closed_form_ns / 1e6;
    claim->simulator = simulator_ns / 1e6;
    claim->fitted = fitted;
    return STATUS_OK;
}

/* More than MobileLLM-125M takes, in percent. */
static enum status add_overhead(struct claims *claims, const char *what, double paper,
                                double closed_form, double simulator, bool fitted, struct err *err)
{
    struct claim *claim;
    enum status status = claims_add(claims, "latency", "%", &claim, err);
    if (status)
        return status;
    snprintf(claim->what, sizeof claim->what, "%s", what);
    snprintf(claim->source, sizeof claim->source, "section 3.6");
    claim->paper = paper;
    claim->closed_form = 100 * (closed_form - 1);
    claim->simulator = 100 * (simulator - 1);
    claim->fitted = fitted;
    return STATUS_OK;
}

static double loading_ns(const struct price *price)
{
    return price->load_ns + price->init_ns;
}

static enum status add_table_7(const struct table_7_row rows[N_TABLE_7],
                               const struct machine *machine, struct claims *claims,
                               struct err *err)
{
    struct price closed[N_TABLE_7], simulated[N_TABLE_7];
    enum status status = STATUS_OK;
    /* That profile alone was made from this table. */
    bool fitted = strcmp(machine->device, "iphone-13") == 0;
    for (int i = 0; i < N_TABLE_7 && !status; i++)
        status = both_clocks(&rows[i].net, machine, &closed[i], &simulated[i], err);
    for (int i = 0; i < N_TABLE_7 && !status; i++)
        status = add_ms(claims, &rows[i], CLAIM_LOAD, rows[i].load_ns, closed[i].load_ns,
                        simulated[i].load_ns, fitted, err);
    for (int i = 0; i < N_TABLE_7 && !status; i++)
        status = add_ms(claims, &rows[i], CLAIM_INIT, rows[i].init_ns, closed[i].init_ns,
                        simulated[i].init_ns, fitted, err);
    for (int i = 0; i < N_TABLE_7 && !status; i++)
        status = add_ms(claims, &rows[i], CLAIM_DECODE, rows[i].execute_ns, closed[i].decode_ns,
                        simulated[i].decode_ns, fitted, err);
    if (status)
        return status;
    const struct {
        const char *what;
        double paper;
        int row;
        bool loading;
    } overheads[] = {
        {"LS-125M over 125M, load and init", 2.2, 1, true},
        {"LS-125M over 125M, execute", 2.6, 1, false},
        {"60 layers over 125M, load and init", 143, 2, true},
        {"60 layers over 125M, execute", 86, 2, false},
    };
    for (size_t i = 0; i < sizeof overheads / sizeof *overheads && !status; i++) {
        const struct price *c = &closed[overheads[i].row], *s = &simulated[overheads[i].row];
        bool loading = overheads[i].loading;
        status = add_overhead(
            claims, overheads[i].what, overheads[i].paper,
            loading ? loading_ns(c) / loading_ns(closed) : c->decode_ns / closed->decode_ns,
            loading ? loading_ns(s) / loading_ns(simulated) : s->decode_ns / simulated->decode_ns,
            fitted, err);
    }
    return status;
}

/* Bandwidth and cost per layer from the two rows that are not `left_out`. */
static enum status fit_others(const struct device *device, const struct table_7_row *rows,
                              int left_out, struct machine *out, struct err *err)
{
    struct fit_row fit_rows[N_TABLE_7 - 1];
    const struct fit_row *used[N_TABLE_7 - 1];
    struct fit_theta theta = {0};
    struct machine base;
    int n = 0;
    for (int i = 0; i < N_TABLE_7; i++)
        if (i != left_out) {
            fit_rows[n] = (struct fit_row){.net = rows[i].net,
                                           .prompt = table_7_workload.prompt,
                                           .context = table_7_workload.context,
                                           .decode_ns = rows[i].execute_ns,
                                           .prefill_ns = NAN,
                                           .load_ns = NAN};
            used[n] = &fit_rows[n];
            n++;
        }
    enum status status = fit_base_machine(device, 0, used, n, &base, err);
    if (!status)
        status = fit_solve(&base, used, n, FIT_DECODE,
                           FIT_TERM(FIT_BYTE + DTYPE_F16) | FIT_TERM(FIT_LAYER), &theta, NULL, err);
    if (!status)
        fit_machine(&base, &theta, out);
    return status;
}

static enum status add_left_out(const struct device *device, const struct table_7_row *rows,
                                struct claims *claims, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < N_TABLE_7 && !status; i++) {
        struct machine machine;
        struct price closed, simulated;
        status = fit_others(device, rows, i, &machine, err);
        if (!status)
            status = both_clocks(&rows[i].net, &machine, &closed, &simulated, err);
        if (!status)
            status = add_ms(claims, &rows[i], CLAIM_DECODE, rows[i].execute_ns, closed.decode_ns,
                            simulated.decode_ns, false, err);
        if (!status) {
            struct claim *claim = &claims->items[claims->n - 1];
            snprintf(claim->what, sizeof claim->what, "execute, %.60s, from the other two",
                     rows[i].net.name);
            claim->phase = CLAIM_OTHER;
        }
    }
    return status;
}

enum status reproduce_latency(const struct device *device, struct claims *claims, struct err *err)
{
    struct table_7_row rows[N_TABLE_7] = {0};
    struct machine machine;
    enum status status = machine_resolve(device, 0, &machine, err);
    if (!status)
        status = read_table_7(rows, err);
    if (!status)
        status = add_table_7(rows, &machine, claims, err);
    if (!status)
        status = add_left_out(device, rows, claims, err);
    for (int i = 0; i < N_TABLE_7; i++)
        transformer_release(&rows[i].net);
    return status;
}

static enum status add_energy(struct claims *claims, const char *what, const char *unit,
                              double paper, double closed_form, double simulator,
                              const char *source, struct err *err)
{
    struct claim *claim;
    enum status status = claims_add(claims, "energy", unit, &claim, err);
    if (status)
        return status;
    snprintf(claim->what, sizeof claim->what, "%s", what);
    snprintf(claim->source, sizeof claim->source, "%s", source);
    claim->paper = paper;
    claim->closed_form = closed_form;
    claim->simulator = simulator;
    return STATUS_OK;
}

/* LLaMA 7B (arXiv 2302.13971, Table 2). */
static void llama_7b(struct transformer *net)
{
    transformer_init(net, 4096, 32, 32, 32, 128, 11008, 32000);
    net->tie_embeddings = false;
    snprintf(net->name, sizeof net->name, "llama-7b");
}

/* Of the rule of thumb and of its own byte and flop energies. */
static enum status energies(struct transformer *net, enum dtype dtype,
                            const struct machine *machine, double *rule_j, double *closed_j,
                            double *simulated_j, double *decode_ns, struct err *err)
{
    struct price closed = {0}, simulated = {0};
    struct machine roomy = *machine;
    transformer_set_dtype(net, dtype);
    roomy.levels[roomy.dram].capacity_bytes = INT64_C(1)
                                              << 36; /* of the statement, not of this phone */
    enum status status = both_clocks(net, &roomy, &closed, &simulated, err);
    *rule_j = closed.energy_rule_pj_per_token / 1e12;
    *closed_j = closed.energy_pj_per_token / 1e12;
    *simulated_j = simulated.energy_pj_per_token / 1e12;
    *decode_ns = simulated.decode_ns;
    return status;
}

enum status reproduce_energy(const struct device *device, struct claims *claims, struct err *err)
{
    struct machine machine;
    struct transformer small = {0}, fast = {0}, large;
    struct {
        double rule_j, closed_j, simulated_j, ns;
    } seven = {0}, seven_4bit = {0}, one_350 = {0}, one_125 = {0};
    enum status status = machine_resolve(device, 0, &machine, err);
    llama_7b(&large);
    if (!status)
        status = open_fp16("mobilellm-350m", &small, err);
    if (!status)
        status = open_fp16("mobilellm-125m", &fast, err);
    if (!status)
        status = energies(&large, DTYPE_Q8_0, &machine, &seven.rule_j, &seven.closed_j,
                          &seven.simulated_j, &seven.ns, err);
    if (!status)
        status = energies(&large, DTYPE_Q4_0, &machine, &seven_4bit.rule_j, &seven_4bit.closed_j,
                          &seven_4bit.simulated_j, &seven_4bit.ns, err);
    if (!status)
        status = energies(&small, DTYPE_Q8_0, &machine, &one_350.rule_j, &one_350.closed_j,
                          &one_350.simulated_j, &one_350.ns, err);
    if (!status)
        status = energies(&fast, DTYPE_F16, &machine, &one_125.rule_j, &one_125.closed_j,
                          &one_125.simulated_j, &one_125.ns, err);
    double battery_j = isnan(machine.battery_j) ? 50000 : machine.battery_j;
    const struct {
        const char *what, *unit;
        double paper, ours, simulated;
    } rows[] = {
        {"7B: J a token, by 0.1 J per 1e9 parameters", "J", 0.7, seven.rule_j, NAN},
        {"7B in 8 bits: J a token, by bytes and flop", "J", 0.7, seven.closed_j, seven.simulated_j},
        {"350M in 8 bits: J a token, by the rule", "J", 0.035, one_350.rule_j, NAN},
        {"350M in 8 bits: J a token, by bytes and flop", "J", 0.035, one_350.closed_j,
         one_350.simulated_j},
        {"7B at 10 tokens/s: hours a charge, by the rule", "h", 2, battery_j / seven.rule_j / 36000,
         NAN},
        {"7B in 8 bits at 10 tokens/s: hours a charge, by bytes and flop", "h", 2,
         battery_j / seven.closed_j / 36000, battery_j / seven.simulated_j / 36000},
        {"7B: battery for 64 tokens, by the rule", "%", 0.2, 6400 * seven.rule_j / battery_j, NAN},
        {"125M in fp16: tokens a second", "tok/s", 50, NAN, 1e9 / one_125.ns},
        {"7B in 4 bits: tokens a second (MLC Chat: 3 to 6)", "tok/s", 4.5, NAN,
         1e9 / seven_4bit.ns},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !status; i++)
        status = add_energy(claims, rows[i].what, rows[i].unit, rows[i].paper, rows[i].ours,
                            rows[i].simulated, "section 1", err);
    transformer_release(&small);
    transformer_release(&fast);
    return status;
}
