#include "fit/fit_profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "device/profile_write.h"

/* Keys that the fit writes itself; everything else is the base's. */
static const char *const own_keys[] = {"name",        "timings",           "runtime",
                                       "basis",       "error_median_frac", "error_p90_frac",
                                       "max_threads", "default_threads",   "peak_gflops"};
/* Those that only decodes tell. */
static const char *const decode_keys[] = {"levels",         "stream_frac",      "matvec_gbps",
                                          "op_ns",          "layer_ns",         "pass_ns",
                                          "attention_gbps", "attention_gflops", "head_gbps"};
static const char *const load_keys[] = {"load_fixed_ns",   "load_gbps", "load_layer_ns",
                                        "init_fixed_ns",   "init_gbps", "init_layer_ns",
                                        "init_block_sq_ns"};

struct writer {
    const struct device_fit *fit;
    const struct json *base;
    struct machine machines[MAX_THREAD_POINTS]; /* of the groups, fitted */
    char source[512];
};

static bool listed(const char *key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static void add_value(struct json_node *number, double value, enum number_kind kind,
                      const char *source)
{
    enum { DIGITS = 7 };
    profile_add_sourced(number, round_to_digits(value, DIGITS), kind, source);
}

/* values: [n_groups]; a number, or a list by threads. NaN: this group has none. */
static void add_by_group(const struct writer *w, struct json_node *parent, const char *key,
                         const double *values, enum number_kind kind, const char *source)
{
    int known = 0;
    for (int k = 0; k < w->fit->n_groups; k++)
        known += !isnan(values[k]);
    if (known == 0)
        return;
    if (w->fit->n_groups == 1) {
        add_value(json_add_object(parent, key), values[0], kind, source);
        return;
    }
    struct json_node *list = json_add_array(parent, key);
    for (int k = 0; k < w->fit->n_groups; k++) {
        if (isnan(values[k]))
            continue;
        struct json_node *point = json_add_object(list, NULL);
        int threads = w->fit->groups[k].threads;
        json_add_int(point, "threads", threads > 0 ? threads : w->fit->base.default_threads);
        add_value(point, values[k], kind, source);
    }
}

/* A fixed cost, ns, of all groups; nothing when none has it. */
static void add_cost(const struct writer *w, struct json_node *root, const char *key, int term,
                     bool inverse)
{
    double values[MAX_THREAD_POINTS];
    for (int k = 0; k < w->fit->n_groups; k++) {
        double ns = w->fit->groups[k].theta.value[term];
        values[k] = inverse ? ns > 0 ? 1 / ns : NAN : ns;
    }
    add_by_group(w, root, key, values, NUMBER_FITTED, w->source);
}

/* What reading the KV cache reaches, where it is less than DRAM. */
static void add_cache(const struct writer *w, struct json_node *root)
{
    double values[MAX_THREAD_POINTS];
    bool fitted = (w->fit->optional & FIT_TERM(FIT_KV_BYTE)) != 0;
    for (int k = 0; k < w->fit->n_groups; k++) {
        const struct machine *machine = &w->machines[k];
        double gbps = machine->kv_gbps[machine->dram];
        values[k] = gbps < machine->levels[machine->dram].read_gbps ? gbps : NAN;
    }
    add_by_group(w, root, "attention_gbps", values, fitted ? NUMBER_FITTED : NUMBER_ESTIMATE,
                 fitted ? w->source
                        : "a quarter of what weights reach, as llama.cpp on a CPU; no row tells");
}

static void add_level(const struct writer *w, struct json_node *levels, const struct json *from,
                      int level)
{
    struct json_node *out = json_add_object(levels, NULL);
    double values[MAX_THREAD_POINTS];
    bool changed = false, is_dram = level == w->machines[0].dram;
    for (int k = 0; k < w->fit->n_groups; k++) {
        values[k] = w->machines[k].levels[level].read_gbps;
        changed =
            changed || fabs(values[k] / w->fit->groups[k].base.levels[level].read_gbps - 1) > 1e-9;
    }
    for (struct json at = json_first(from); at.item != NULL; at = json_next(&at)) {
        bool is_write = strcmp(at.key, "write_gbps") == 0;
        bool is_share = strcmp(at.key, "efficiency_frac") == 0;
        if (is_dram && is_write) /* as read */
            continue;
        if (is_share && (changed || is_dram)) /* fitted bandwidths are achieved ones */
            continue;
        if (strcmp(at.key, "read_gbps") != 0 || !(changed || is_dram))
            json_add_copy(out, at.key, &at);
        else if (is_dram)
            add_by_group(w, out, at.key, values, NUMBER_FITTED, w->source);
        else
            add_by_group(w, out, at.key, values, NUMBER_ESTIMATE,
                         "moved to the fitted bandwidth of DRAM, which the base profile had on "
                         "the other side of it");
    }
}

static void add_levels(const struct writer *w, struct json_node *root)
{
    struct json_node *levels = json_add_array(root, "levels");
    struct json from = json_member(w->base, "levels");
    int level = 0;
    for (struct json at = json_first(&from); at.item != NULL; at = json_next(&at))
        add_level(w, levels, &at, level++);
}

static bool fits_flop(const struct writer *w, int type)
{
    for (int k = 0; k < w->fit->n_groups; k++)
        if (w->fit->groups[k].theta.fitted & FIT_TERM(FIT_FLOP + type))
            return true;
    return false;
}

static void add_peaks(const struct writer *w, struct json_node *root)
{
    struct json_node *peaks = json_add_object(root, "peak_gflops");
    struct json from = json_member(w->base, "peak_gflops");
    for (int type = 0; type < N_DTYPES; type++) {
        const char *name = dtype_name((enum dtype)type);
        struct json at = json_member(&from, name);
        double values[MAX_THREAD_POINTS];
        bool raised = false;
        for (int k = 0; k < w->fit->n_groups; k++) {
            struct machine plain;
            values[k] = w->machines[k].peak_gflops[type];
            struct device device = w->fit->base;
            int threads = w->fit->groups[k].threads;
            device.max_threads = threads > device.max_threads ? threads : device.max_threads;
            raised = raised || (machine_resolve(&device, threads, &plain, NULL) == STATUS_OK &&
                                values[k] > plain.peak_gflops[type] * (1 + 1e-9));
        }
        if (fits_flop(w, type))
            add_by_group(w, peaks, name, values, NUMBER_FITTED, w->source);
        else if ((raised && at.item != NULL) || (at.item == NULL && type <= DTYPE_F16))
            add_by_group(w, peaks, name, values, NUMBER_ESTIMATE,
                         "raised to what the timings show to be possible");
        else if (at.item != NULL)
            json_add_copy(peaks, name, &at);
    }
}

static void add_weights(const struct writer *w, struct json_node *root)
{
    struct json_node *types = json_add_object(root, "matvec_gbps");
    for (int type = 0; type < N_DTYPES; type++) {
        double values[MAX_THREAD_POINTS];
        bool any = false, slower = false;
        for (int k = 0; k < w->fit->n_groups; k++) {
            const struct fit_theta *theta = &w->fit->groups[k].theta;
            bool has = (theta->fitted & FIT_TERM(FIT_BYTE + type)) != 0 &&
                       theta->value[FIT_BYTE + type] > 0;
            values[k] = w->machines[k].weight_gbps[type][w->machines[k].dram];
            any = any || has;
            slower = slower ||
                     values[k] < (1 - 1e-5) * w->machines[k].levels[w->machines[k].dram].read_gbps;
        }
        if (any || slower)
            add_by_group(w, json_add_object(types, dtype_name((enum dtype)type)), "dram", values,
                         any ? NUMBER_FITTED : NUMBER_ESTIMATE,
                         any ? w->source
                             : "not in the timings: against the fitted types as in the base "
                               "profile");
    }
}

static void add_operators(const struct writer *w, struct json_node *root)
{
    if (!(w->fit->optional & FIT_TERM(FIT_OPERATOR)))
        return;
    struct json_node *kinds = json_add_object(root, "op_ns");
    for (int kind = 0; kind < N_OP_KINDS; kind++)
        add_cost(w, kinds, op_kind_name((enum op_kind)kind), FIT_OPERATOR, false);
}

static void add_decode(const struct writer *w, struct json_node *root)
{
    add_levels(w, root);
    add_weights(w, root);
    add_cost(w, root, "layer_ns", FIT_LAYER, false);
    if (w->fit->optional & FIT_TERM(FIT_PASS))
        add_cost(w, root, "pass_ns", FIT_PASS, false);
    add_operators(w, root);
    add_cache(w, root);
    add_cost(w, root, "attention_gflops", FIT_ATTENTION, true);
    add_cost(w, root, "head_gbps", FIT_HEAD_BYTE, true);
}

static void add_load(const struct writer *w, struct json_node *root)
{
    const struct fit_theta *load = &w->fit->load;
    if (load->fitted == 0 || load->value[FIT_LOAD_BYTE] <= 0)
        return;
    add_value(json_add_object(root, "load_gbps"), 1 / load->value[FIT_LOAD_BYTE], NUMBER_FITTED,
              w->source);
    add_value(json_add_object(root, "load_fixed_ns"), load->value[FIT_LOAD], NUMBER_FITTED,
              w->source);
}

static void add_error(const struct writer *w, struct json_node *root, const char *key, double frac)
{
    const struct fit_errors *e = device_fit_errors(w->fit);
    char source[700];
    if (isnan(frac)) {
        json_add_null(root, key);
        return;
    }
    snprintf(source, sizeof source,
             "held out: %d decodes, each predicted from %s without its network; worst %.1f %%; "
             "%.300s",
             e->n, w->fit->simpler ? "bytes and layers" : "a fit", 100 * e->worst_frac, w->source);
    add_value(json_add_object(root, key), frac, NUMBER_FITTED, source);
}

static void describe(struct writer *w, const struct fit_profile_names *names)
{
    const struct device_fit *fit = w->fit;
    if (fit->prompts_only) {
        snprintf(w->source, sizeof w->source, "lathe fit: %.200s; %zu rows of prompts only",
                 names->files, fit->n_rows);
        return;
    }
    struct fit_errors own =
        fit_errors_of(fit->rows, fit->n_rows, fit->predictions, FIT_MODEL_FITTED, NULL);
    snprintf(
        w->source, sizeof w->source,
        "lathe fit: %.200s; %zu rows, residuals of %d decodes: median %.1f %%, worst %.1f %%%s",
        names->files, fit->n_rows, own.n, 100 * own.median_frac, 100 * own.worst_frac,
        fit->simpler ? "; bytes over bandwidth and a cost per layer, which predict networks "
                       "left out better than the full fit"
                     : "");
}

/* The base's own where the timings name no threads (a GPU). */
static void add_threads_number(const struct writer *w, struct json_node *root, const char *key,
                               int threads)
{
    const struct device_fit *fit = w->fit;
    struct json at = json_member(w->base, key);
    if (fit->n_groups == 1 && fit->groups[0].threads == 0) {
        if (at.item != NULL)
            json_add_copy(root, key, &at);
        return;
    }
    struct json_node *number = json_add_object(root, key);
    json_add_int(number, "value", threads);
    json_add_string(number, "kind", number_kind_names[NUMBER_MEASURED]);
    json_add_string(number, "source", "the setting of the timings");
}

static void add_threads(const struct writer *w, struct json_node *root)
{
    const struct device_fit *fit = w->fit;
    int usual = 0, most = 0, rows = 0;
    for (int k = 0; k < fit->n_groups; k++) {
        const struct fit_group *group = &fit->groups[k];
        int threads = group->threads > 0 ? group->threads : fit->base.default_threads;
        most = threads > most ? threads : most;
        usual = group->n_rows > rows ? threads : usual;
        rows = group->n_rows > rows ? group->n_rows : rows;
    }
    add_threads_number(w, root, "default_threads", usual);
    add_threads_number(w, root, "max_threads", most);
}

enum status fit_profile(const struct device_fit *fit, const struct json *base,
                        const struct fit_profile_names *names, char **text, struct err *err)
{
    struct writer w = {.fit = fit, .base = base};
    describe(&w, names);
    for (int k = 0; k < fit->n_groups; k++) {
        fit_machine(&fit->groups[k].base, &fit->groups[k].theta, &w.machines[k]);
    }
    struct json_node *root = json_new_object();
    json_add_string(root, "name", names->name);
    bool loads = fit->load.fitted != 0;
    for (struct json at = json_first(base); at.item != NULL; at = json_next(&at)) {
        bool ours = listed(at.key, own_keys, sizeof own_keys / sizeof *own_keys) ||
                    (!fit->prompts_only &&
                     listed(at.key, decode_keys, sizeof decode_keys / sizeof *decode_keys)) ||
                    (loads && listed(at.key, load_keys, sizeof load_keys / sizeof *load_keys));
        if (!ours)
            json_add_copy(root, at.key, &at);
    }
    json_add_string(root, "runtime", names->runtime);
    json_add_string(root, "basis", basis_name(BASIS_FITTED));
    add_error(&w, root, "error_median_frac", device_fit_errors(fit)->median_frac);
    add_error(&w, root, "error_p90_frac", device_fit_errors(fit)->p90_frac);
    add_threads(&w, root);
    add_peaks(&w, root);
    if (!fit->prompts_only)
        add_decode(&w, root);
    add_load(&w, root);
    *text = json_print(root);
    json_free(root);
    return *text == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
}
