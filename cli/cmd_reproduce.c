#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "db/query.h"
#include "device/device.h"
#include "paper/reproduced_parameters.h"
#include "paper/reproduction.h"
#include "paper/sharing_sweep.h"
#include "plots/plot_phases.h"
#include "plots/plot_sweep.h"

static const char *const sections[] = {"latency", "energy", "parameters", "sharing"};
enum { N_SECTIONS = sizeof sections / sizeof *sections };

static bool wanted(const struct args *args, const char *section)
{
    for (int i = 0; i < args_n_operands(args); i++)
        if (strcmp(args_operand(args, i), section) == 0)
            return true;
    return args_n_operands(args) == 0;
}

static enum status check_sections(const struct args *args, struct err *err)
{
    for (int i = 0; i < args_n_operands(args); i++) {
        bool known = false;
        for (int s = 0; s < N_SECTIONS; s++)
            known |= strcmp(args_operand(args, i), sections[s]) == 0;
        if (!known)
            return err_set(err, STATUS_USAGE,
                           "unknown section '%s': expected latency, energy, parameters or sharing",
                           args_operand(args, i));
    }
    return STATUS_OK;
}

static double measured_ns(const struct measurement_row *row, enum claim_phase phase)
{
    return phase == CLAIM_LOAD     ? row->load_ns
           : phase == CLAIM_INIT   ? row->init_ns
           : phase == CLAIM_DECODE ? row->decode_ns
                                   : NAN;
}

/* The latest measurements of the same models in the store, if it is there. */
static enum status add_measured(const struct args *args, struct claims *claims, struct err *err)
{
    struct store *store = NULL;
    struct rows rows = {0};
    const char *path = args_text(args, "db");
    if (!file_exists(path) && !args_given(args, "db"))
        return STATUS_OK;
    enum status status = store_open(path, STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = query_rows(store, TABLE_MEASUREMENT, NULL, "id", &rows, err);
    const struct measurement_row *items = rows.data;
    for (size_t c = 0; c < claims->n && status == STATUS_OK; c++)
        for (size_t r = 0; r < rows.n; r++) {
            struct claim *claim = &claims->items[c];
            double ns = measured_ns(&items[r], claim->phase);
            if (items[r].subject.model != NULL && !isnan(ns) &&
                strcmp(items[r].subject.model, claim->model) == 0)
                claim->measured = ns / 1e6;
        }
    rows_release(&rows);
    store_close(store);
    return status;
}

static double off(double ours, double paper)
{
    return paper > 0 ? ours / paper - 1 : NAN;
}

struct compared {
    const char *section, *what, *unit, *source;
    double paper, closed_form, closed_form_off, simulator, simulator_off, measured;
    int64_t fitted;
};
static const struct field compared_fields[] = {
    LISTED_KEY(compared, section, UNIT_NONE),
    LISTED(compared, what, UNIT_NONE, "what"),
    LISTED(compared, unit, UNIT_NONE, "in"),
    LISTED(compared, paper, UNIT_NONE, "paper"),
    LISTED(compared, closed_form, UNIT_NONE, "closed form"),
    LISTED_AS(compared, closed_form_off, "closed_form_difference_frac", UNIT_FRAC, "off"),
    LISTED(compared, simulator, UNIT_NONE, "simulator"),
    LISTED_AS(compared, simulator_off, "simulator_difference_frac", UNIT_FRAC, "off"),
    LISTED(compared, measured, UNIT_NONE, "this machine"),
    LISTED(compared, fitted, UNIT_BOOL, "fitted"),
    LISTED(compared, source, UNIT_NONE, "printed in"),
};

static void add_claim(struct listing *listing, const struct claim *claim)
{
    const struct compared line = {
        .section = claim->section,
        .what = claim->what,
        .unit = claim->unit,
        .source = claim->source,
        .paper = claim->paper,
        .closed_form = claim->closed_form,
        .closed_form_off = off(claim->closed_form, claim->paper),
        .simulator = claim->simulator,
        .simulator_off = off(claim->simulator, claim->paper),
        .measured = claim->measured,
        .fitted = claim->fitted,
    };
    listing_add(listing, &line);
}

struct swept {
    const char *mode;
    double ns[N_SWEEP_SIZES];
};

/* A row a mode, a column a size. */
static enum status print_times(const struct sharing_sweep *sweep, const char *title,
                               const double ns[N_SWEEP_MODES][N_SWEEP_SIZES], struct err *err)
{
    struct listing listing = {0};
    char titles[N_SWEEP_SIZES][16];
    listing_field(&listing, &(struct field)LISTED_TITLE(swept, mode, UNIT_NONE, title));
    for (int s = 0; s < N_SWEEP_SIZES; s++) {
        snprintf(titles[s], sizeof titles[s], "%g MB", sweep->sram_mb[s]);
        struct field field = LISTED_TITLE(swept, ns[0], UNIT_NS, titles[s]);
        field.offset += (size_t)s * sizeof(double);
        listing_field(&listing, &field);
    }
    for (int m = 0; m < N_SWEEP_MODES; m++) {
        struct swept *line = listing_record(&listing);
        line->mode = sweep->modes[m];
        memcpy(line->ns, ns[m], sizeof line->ns);
        listing_add(&listing, line);
    }
    enum status status = listing_print(&listing, stdout, err);
    listing_release(&listing);
    return status;
}

static enum status print_sweep(const struct sharing_sweep *sweep, bool first, struct err *err)
{
    printf("%ssharing: MobileLLM-125M's blocks by the size of the level above DRAM (no times "
           "printed)\n\n",
           first ? "" : "\n");
    enum status status = print_times(sweep, "simulator", sweep->simulator_ns, err);
    printf("\n");
    return status ? status : print_times(sweep, "closed form", sweep->closed_form_ns, err);
}

/* One table a section, or one array. */
static enum status print_claims(const struct args *args, const struct claims *claims,
                                const struct sharing_sweep *sweep, struct err *err)
{
    enum status status = STATUS_OK;
    bool json = args_flag(args, "json");
    for (size_t first = 0; first < claims->n && status == STATUS_OK;) {
        struct listing listing = {0};
        size_t end = first;
        if (!json && strcmp(claims->items[first].section, "sharing") == 0)
            return print_sweep(sweep, first == 0, err);
        LISTING_FIELDS(&listing, compared_fields);
        while (end < claims->n &&
               (json || strcmp(claims->items[end].section, claims->items[first].section) == 0))
            add_claim(&listing, &claims->items[end++]);
        if (!json)
            printf("%s%s\n\n", first > 0 ? "\n" : "", claims->items[first].section);
        status = listing_print_as(&listing, json, stdout, err);
        listing_release(&listing);
        first = end;
    }
    return status;
}

static const char *figure_path(const struct args *args, const char *name, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s/%s.svg", args_text(args, "figures"), name);
    return buffer;
}

/* Table 7, each model as printed, in closed form and simulated. */
static enum status draw_table_7(const struct args *args, const struct claims *claims,
                                struct err *err)
{
    enum { N_MODELS = 3, N_CLOCKS = 3 };
    static const char *const clocks[N_CLOCKS] = {"paper", "closed form", "simulator"};
    struct plot_phases_row rows[N_MODELS * N_CLOCKS];
    char names[N_MODELS * N_CLOCKS][80], path[4096];
    for (int i = 0; i < N_MODELS; i++)
        for (int c = 0; c < N_CLOCKS; c++) {
            double ns[N_MODELS];
            for (int phase = 0; phase < 3; phase++) {
                const struct claim *claim = &claims->items[phase * N_MODELS + i];
                const double values[N_CLOCKS] = {claim->paper, claim->closed_form,
                                                 claim->simulator};
                ns[phase] = values[c] * 1e6;
            }
            char *name = names[i * N_CLOCKS + c];
            snprintf(name, 80, "%s, %s", claims->items[i].model, clocks[c]);
            rows[i * N_CLOCKS + c] = (struct plot_phases_row){name, ns[0], ns[1], NAN, ns[2]};
        }
    const struct plot_options options = {.path = figure_path(args, "table7", path, sizeof path),
                                         .title = "MobileLLM's Table 7: printed and predicted",
                                         .subtitle = args_text(args, "device")};
    return plot_phases(rows, N_MODELS * N_CLOCKS, &options, err);
}

static enum status draw_sweep(const struct args *args, const struct sharing_sweep *sweep,
                              struct err *err)
{
    struct plot_sweep_line lines[N_SWEEP_MODES];
    char path[4096], subtitle[160];
    for (int m = 0; m < N_SWEEP_MODES; m++)
        lines[m] = (struct plot_sweep_line){sweep->modes[m], sweep->simulator_ns[m]};
    snprintf(subtitle, sizeof subtitle, "MobileLLM-125M's 30 blocks, fp16, on %s, simulated",
             args_text(args, "device"));
    const struct plot_options options = {.path = figure_path(args, "sharing", path, sizeof path),
                                         .subtitle = subtitle};
    return plot_sweep(sweep->sram_mb, N_SWEEP_SIZES, lines, N_SWEEP_MODES, &options, err);
}

static enum status add_latency(const struct args *args, const struct device *device,
                               struct claims *claims, struct err *err)
{
    enum status status = reproduce_latency(device, claims, err);
    if (status != STATUS_OK || !args_given(args, "figures"))
        return status;
    return draw_table_7(args, claims, err);
}

static enum status reproduce(const struct args *args, const struct device *device,
                             struct claims *claims, struct sharing_sweep *sweep, struct err *err)
{
    enum status status;
    if (wanted(args, "latency") && (status = add_latency(args, device, claims, err)))
        return status;
    if (wanted(args, "energy") && (status = reproduce_energy(device, claims, err)))
        return status;
    if (wanted(args, "parameters") && (status = reproduce_parameters(claims, err)))
        return status;
    if (!wanted(args, "sharing"))
        return STATUS_OK;
    if ((status = sweep_sharing(device, sweep, err)) ||
        (status = reproduce_sharing(sweep, claims, err)))
        return status;
    return args_given(args, "figures") ? draw_sweep(args, sweep, err) : STATUS_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct device device;
    struct claims claims = {0};
    static struct sharing_sweep sweep;
    enum status status;
    if ((status = check_sections(args, err)) ||
        (status = device_open(args_text(args, "device"), &device, err)) ||
        (status = reproduce(args, &device, &claims, &sweep, err)) ||
        (status = add_measured(args, &claims, err)))
        goto out;
    status = print_claims(args, &claims, &sweep, err);
out:
    claims_release(&claims);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "device", "D", "iphone-13", "@device",
        "device profile: a name from 'lathe devices' or a JSON file"),
    ROW(OPTION_TEXT, "figures", "FOLDER", NULL, "@file",
        "also draw table7.svg and sharing.svg into this folder"),
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe reproduce", "everything, on the paper's phone"},
    {"lathe reproduce latency sharing --figures .", "Table 7 and the sharing modes, with figures"},
    {"lathe reproduce latency --device rpi5 --json",
     "what Table 7 would have been on another device"},
    {NULL, NULL},
};

const struct command cmd_reproduce = {
    .name = "reproduce",
    .summary = "the numbers of the MobileLLM paper beside lathe's own",
    .operands = "[latency|energy|parameters|sharing]...",
    .operand_values = "latency energy parameters sharing",
    .min_operands = 0,
    .max_operands = N_SECTIONS,
    .options = options,
    .examples = examples,
    .about = "'off' is the difference from the paper. 'fitted' marks what the device's profile was "
             "made from: agreement there is no evidence, everything else is a prediction. 'this "
             "machine' is the latest measurement of the same model in --db. Execute is taken as "
             "decoding one token after 128 in fp16; the paper states no length.",
    .run = run,
};
