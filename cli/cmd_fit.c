#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/sections.h"
#include "cli/timing_files.h"
#include "device/device.h"
#include "fit/fit_profile.h"

struct fitted {
    const char *label, *where, *model, *dtype;
    int64_t threads, context;
    double decode_ns, fitted_error_frac, held_out_error_frac, layers_error_frac, bytes_error_frac;
};
static const struct field fitted_fields[] = {
    LISTED(fitted, label, UNIT_NONE, "row"),
    LISTED_KEY(fitted, where, UNIT_NONE),
    LISTED(fitted, model, UNIT_NONE, "model"),
    LISTED(fitted, dtype, UNIT_NONE, "type"),
    LISTED(fitted, threads, UNIT_NONE, "threads"),
    LISTED(fitted, context, UNIT_NONE, "context"),
    LISTED(fitted, decode_ns, UNIT_NS, "decode"),
    LISTED(fitted, fitted_error_frac, UNIT_FRAC, "fitted"),
    LISTED(fitted, held_out_error_frac, UNIT_FRAC, "held out"),
    LISTED(fitted, layers_error_frac, UNIT_FRAC, "bytes + layers"),
    LISTED(fitted, bytes_error_frac, UNIT_FRAC, "bytes"),
};

static void list_rows(struct listing *listing, const struct fit_rows *rows,
                      const struct device_fit *fit)
{
    LISTING_FIELDS(listing, fitted_fields);
    for (size_t i = 0; i < rows->n; i++) {
        const struct fit_row *row = &rows->items[i];
        const struct fit_prediction *p = &fit->predictions[i];
        if (isnan(row->decode_ns))
            continue;
        const struct fitted line = {
            .label = row->label,
            .where = row->where,
            .model = row->net.name,
            .dtype = transformer_dtype_name(&row->net),
            .threads = row->threads > 0 ? row->threads : UNKNOWN_INT,
            .context = row->context,
            .decode_ns = row->decode_ns,
            .fitted_error_frac = p->fitted_ns / row->decode_ns - 1,
            .held_out_error_frac = p->held_out_ns / row->decode_ns - 1,
            .layers_error_frac = p->layers_ns / row->decode_ns - 1,
            .bytes_error_frac = p->bytes_ns / row->decode_ns - 1,
        };
        listing_add(listing, &line);
    }
}

struct term {
    int64_t threads;
    const char *term, *unit;
    double value;
};
static const struct field term_fields[] = {
    LISTED(term, threads, UNIT_NONE, "threads"),
    LISTED(term, term, UNIT_NONE, "term"),
    LISTED(term, value, UNIT_NONE, "cost"),
    LISTED(term, unit, UNIT_NONE, "unit"),
};

static void list_terms_of(struct listing *listing, int threads, const struct fit_theta *theta)
{
    for (int term = 0; term < N_FIT_TERMS; term++) {
        char name[48];
        double ns = theta->value[term];
        bool rate = term < FIT_LAYER || term == FIT_KV_BYTE || term == FIT_ATTENTION ||
                    term == FIT_HEAD_BYTE || term == FIT_LOAD_BYTE;
        bool flop = (term >= FIT_FLOP && term < FIT_LAYER) || term == FIT_ATTENTION;
        if (!(theta->fitted & FIT_TERM(term)))
            continue;
        const struct term line = {
            .threads = threads > 0 ? threads : UNKNOWN_INT,
            .term = fit_term_name(term, name, sizeof name),
            .unit = !rate  ? "us"
                    : flop ? "GFLOP/s"
                           : "GB/s",
            .value = !rate    ? ns / 1e3
                     : ns > 0 ? 1 / ns
                              : NAN,
        };
        listing_add(listing, &line);
    }
}

struct fit_error {
    const char *model;
    int64_t n;
    double median_frac, p90_frac, worst_frac;
};
static const struct field error_fields[] = {
    LISTED(fit_error, model, UNIT_NONE, "model of the time"),
    LISTED(fit_error, n, UNIT_NONE, "rows"),
    LISTED(fit_error, median_frac, UNIT_FRAC, "median error"),
    LISTED(fit_error, p90_frac, UNIT_FRAC, "90 %"),
    LISTED(fit_error, worst_frac, UNIT_FRAC, "worst"),
};

static void list_terms(struct listing *listing, const struct device_fit *fit)
{
    LISTING_FIELDS(listing, term_fields);
    for (int k = 0; k < fit->n_groups; k++)
        list_terms_of(listing, fit->groups[k].threads, &fit->groups[k].theta);
    list_terms_of(listing, 0, &fit->load);
}

static void list_errors(struct listing *listing, const struct device_fit *fit)
{
    const struct {
        const char *model;
        const struct fit_errors *errors;
    } models[] = {
        {"lathe fit, networks held out", &fit->held_out},
        {"bytes over bandwidth + cost per layer", &fit->layers},
        {"bytes over bandwidth", &fit->bytes},
    };
    LISTING_FIELDS(listing, error_fields);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        const struct fit_errors *e = models[i].errors;
        const struct fit_error line = {models[i].model, e->n, e->median_frac, e->p90_frac,
                                       e->worst_frac};
        listing_add(listing, &line);
    }
}

static enum status print_fit(const struct fit_rows *rows, const struct device_fit *fit, bool json,
                             FILE *out, struct err *err)
{
    struct section sections[] = {{.key = "rows"}, {.key = "terms"}, {.key = "errors"}};
    list_rows(&sections[0].listing, rows, fit);
    list_terms(&sections[1].listing, fit);
    list_errors(&sections[2].listing, fit);
    enum status status = json ? sections_print_json(sections, 3, json_new_object(), out, err)
                              : sections_print(sections, 3, out, err);
    sections_release(sections, 3);
    return status;
}

/* "a.json, b.csv" */
static void add_file_names(const struct args *args, struct text *out)
{
    for (int i = 0; i < args_n_operands(args); i++)
        text_addf(out, "%s%s", i == 0 ? "" : ", ", file_base_name(args_operand(args, i)));
}

static enum status write_profile(const struct args *args, const struct device_fit *fit,
                                 const char *base_text, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    struct text files = {0};
    char name[96], *text = NULL;
    snprintf(name, sizeof name, "%.95s",
             args_given(args, "name") ? args_text(args, "name") : fit->base.name);
    add_file_names(args, &files);
    const char *runtime = args_text(args, "runtime");
    const struct fit_profile_names names = {name, runtime != NULL ? runtime : fit->base.runtime,
                                            files.data};
    enum status status =
        json_parse(fit->base.id, base_text, (int64_t)strlen(base_text), &doc, &root, err);
    if (status != STATUS_OK)
        goto out;
    status = fit_profile(fit, &root, &names, &text, err);
    if (status == STATUS_OK)
        status = file_write(args_text(args, "out"), text, err);
out:
    memory_free(text);
    text_release(&files);
    json_close(doc);
    return status;
}

/* The rows of every file, and the fit of those that can be used; it borrows the rows. */
static enum status fit_files(const struct args *args, const struct device *base,
                             struct fit_rows *rows, struct device_fit *fit, struct text *notes,
                             struct err *err)
{
    for (int i = 0; i < args_n_operands(args); i++) {
        enum status status = timing_file_read(args, args_operand(args, i), rows, notes, err);
        if (status != STATUS_OK)
            return status;
    }
    fit_rows_refuse_too_large(rows, base, notes);
    fit_rows_refuse_contradictions(rows, notes);
    return fit_device(base, rows, fit, notes, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct fit_rows rows = {0};
    struct device_fit fit = {0};
    struct device base;
    struct text notes = {0};
    char *base_text = NULL;
    bool to_stdout = args_given(args, "out") && strcmp(args_text(args, "out"), "-") == 0;
    enum status status = device_open(args_text(args, "device"), &base, err);
    if (status != STATUS_OK)
        return status;
    status = device_text(args_text(args, "device"), &base_text, err);
    if (status != STATUS_OK)
        return status;
    status = fit_files(args, &base, &rows, &fit, &notes, err);
    warn_lines(args, notes.data);
    if (status != STATUS_OK)
        goto out;
    if (args_given(args, "out"))
        status = write_profile(args, &fit, base_text, err);
    if (status != STATUS_OK)
        goto out;
    status = print_fit(&rows, &fit, args_flag(args, "json"), to_stdout ? stderr : stdout, err);
out:
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
    memory_free(base_text);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "device", "D", "generic-phone", "@device",
        "profile that gives what the timings do not: memory levels, energies"),
    ROW_TIMED_MODEL,
    ROW(OPTION_TEXT, "out", "FILE", NULL, "@file",
        "profile to write; '-' is standard output (the tables then go to standard error)"),
    ROW(OPTION_TEXT, "name", "TEXT", NULL, NULL, "what the profile calls the device"),
    ROW(OPTION_TEXT, "runtime", "TEXT", NULL, NULL,
        "whose timings they are; default: as --device says"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe fit bench.json --device pixel-8-pro --runtime llama.cpp --out my-phone.json",
     "from what 'llama-bench -o json' printed on the phone"},
    {"lathe fit bench.csv --model 'our model=./config.json' --out my-phone.json",
     "from a table, naming a model"},
    {"lathe predict mobilellm-125m --device ./my-phone.json --dtype q8_0",
     "what it says about a model"},
    {NULL, NULL},
};

const struct command cmd_fit = {
    .name = "fit",
    .summary = "a device profile from a runtime's own timings",
    .operands = "FILE...",
    .operand_values = "@file",
    .min_operands = 1,
    .max_operands = 256,
    .options = options,
    .examples = examples,
    .about =
        "FILE ('-': standard input) is what llama-bench printed, in any of its forms and with log "
        "lines between, or a CSV table with the columns "
        "model, type and decode_tok_s, and, as known, prompt, depth, threads, prefill_tok_s and "
        "load_s. A table of prompts only is fitted for prompts. Two networks give bandwidth and "
        "cost per layer; more give each type's "
        "bandwidth, attention, costs per operator and pass, the head, prompts and loading, each "
        "kept only when predictions of networks left out get better for it. 'held out' is the "
        "error of each row predicted without its network, which is what the profile carries; "
        "the two columns behind it are what simpler models would have said, and where bytes and "
        "layers say it better the profile holds these and says so. Rows that cannot be "
        "used are named on standard error. 'lathe probe' proposes what to time.",
    .run = run,
};
