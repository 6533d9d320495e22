/* A calibration as a device profile. */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/version.h"
#include "calibrate/calibrate.h"

/* Four significant digits: more would be noise. */
static double rounded(double value)
{
    if (value == 0 || !isfinite(value))
        return value;
    double unit = pow(10, 3 - floor(log10(fabs(value))));
    return round(value * unit) / unit;
}

static void add_number(struct json_node *parent, const char *key, double value, const char *kind,
                       const char *source)
{
    struct json_node *number = json_add_object(parent, key);
    json_add_number(number, "value", rounded(value));
    json_add_string(number, "kind", kind);
    json_add_string(number, "source", source);
}

static void source_of(const struct calibration *c, const struct measured *m, char *out, size_t size)
{
    if (m->fitted) {
        snprintf(out, size, "lathe calibrate, %.10s: fitted to %d timings of networks",
                 c->measured_at, m->n);
        return;
    }
    if (m->mad <= 0) {
        snprintf(out, size, "lathe calibrate, %.10s: from kernels alone", c->measured_at);
        return;
    }
    int used = snprintf(out, size, "lathe calibrate, %.10s: median of %d, MAD %.2g", c->measured_at,
                        m->n, m->mad);
    if (m->n_disturbed > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, ", %d disturbed left out", m->n_disturbed);
}

static void add_measured(struct json_node *parent, const char *key, const struct calibration *c,
                         const struct measured *m)
{
    char source[128];
    source_of(c, m, source, sizeof source);
    add_number(parent, key, m->value, "measured", source);
}

/* `ceiling`: what the level before reads, or NULL. A profile's levels may not get faster with
 * distance, which noise (or a kernel that no level can slow down) can make of them. */
static void add_by_threads(struct json_node *parent, const char *key, const struct calibration *c,
                           const struct measured_by_threads *numbers, const double *ceiling)
{
    struct json_node *list = json_add_array(parent, key);
    for (int p = 0; p < c->n_points; p++) {
        char source[160];
        double value = numbers->at[p].value;
        source_of(c, &numbers->at[p], source, 128);
        if (ceiling != NULL && value > ceiling[p]) {
            size_t used = 0;
            while (source[used] != '\0')
                used++;
            snprintf(source + used, sizeof source - used, ", cut from %.4g", value);
            value = ceiling[p];
        }
        struct json_node *point = json_add_object(list, NULL);
        json_add_int(point, "threads", c->threads[p]);
        json_add_number(point, "value", rounded(value));
        json_add_string(point, "kind", numbers->at[p].fitted ? "fitted" : "measured");
        json_add_string(point, "source", source);
    }
}

static void add_levels(struct json_node *root, const struct calibration *c)
{
    struct json_node *levels = json_add_array(root, "levels");
    double ceiling[MAX_THREAD_POINTS];
    for (int p = 0; p < MAX_THREAD_POINTS; p++)
        ceiling[p] = INFINITY;
    for (int i = 0; i < c->n_levels; i++) {
        struct json_node *level = json_add_object(levels, NULL);
        json_add_string(level, "name", c->levels[i].name);
        struct json_node *capacity = json_add_object(level, "capacity_bytes");
        json_add_int(capacity, "value", c->levels[i].capacity_bytes);
        json_add_string(capacity, "kind", "measured");
        json_add_string(capacity, "source", "as the operating system tells it");
        add_number(level, "usable_frac", c->levels[i].usable_frac,
                   i + 1 < c->n_levels ? "measured" : "assumed",
                   i + 1 < c->n_levels ? "where read bandwidth falls to the middle between this "
                                         "level and the next"
                                       : "all of it");
        if (c->levels[i].spill_frac > c->levels[i].usable_frac)
            add_number(level, "spill_frac", c->levels[i].spill_frac, "fitted",
                       "to decode times of networks, with usable_frac");
        if (c->levels[i].reread_lost_frac > 0)
            add_number(level, "reread_lost_frac", c->levels[i].reread_lost_frac, "fitted",
                       "to decode times of networks that run each block twice in a row");
        if (c->levels[i].per_thread)
            json_add_bool(level, "per_thread", true);
        add_by_threads(level, "read_gbps", c, &c->levels[i].read_gbps, ceiling);
        for (int p = 0; p < c->n_points; p++)
            ceiling[p] = fmin(ceiling[p], rounded(c->levels[i].read_gbps.at[p].value));
    }
    struct json_node *flash = json_add_object(levels, NULL);
    json_add_string(flash, "name", "flash");
    double slowest = ceiling[0];
    for (int p = 1; p < c->n_points; p++)
        slowest = fmin(slowest, ceiling[p]);
    if (c->flash_gbps.n > 0 && c->flash_gbps.value <= slowest)
        add_measured(flash, "read_gbps", c, &c->flash_gbps);
    else if (c->flash_gbps.n > 0)
        add_number(flash, "read_gbps", slowest, "estimate",
                   "the storage test read faster than memory: cached below this machine");
    else
        add_number(flash, "read_gbps", fmin(1, slowest), "assumed", c->flash_note);
}

static bool any(const struct calibration *c, const struct measured_by_threads *numbers)
{
    return c->n_points > 0 && numbers->at[0].n > 0;
}

static void add_types(struct json_node *root, const struct calibration *c)
{
    struct json_node *peaks = json_add_object(root, "peak_gflops");
    for (int type = 0; type < N_DTYPES; type++) {
        if (any(c, &c->peak_gflops[type]))
            add_by_threads(peaks, dtype_name((enum dtype)type), c, &c->peak_gflops[type], NULL);
    }
    struct json_node *matvec = json_add_object(root, "matvec_gbps");
    for (int type = 0; type < N_DTYPES; type++) {
        if (!any(c, &c->matvec_gbps[type][0]))
            continue;
        struct json_node *levels = json_add_object(matvec, dtype_name((enum dtype)type));
        for (int i = 0; i < c->n_levels; i++)
            add_by_threads(levels, c->levels[i].name, c, &c->matvec_gbps[type][i], NULL);
    }
}

static void add_by_type(struct json_node *timings, const char *key, const struct calibration *c,
                        int first)
{
    struct json_node *types = json_add_object(timings, key);
    for (int type = 0; type < N_DTYPES; type++)
        if (any(c, &c->timing_ns[first + type]))
            add_by_threads(types, dtype_name((enum dtype)type), c, &c->timing_ns[first + type],
                           NULL);
}

static void add_steps(struct json_node *timings, const struct calibration *c)
{
    struct json_node *types = json_add_object(timings, "matvec_step");
    for (int type = 0; type < N_DTYPES; type++)
        if (c->matvec_step[type] > 0)
            json_add_int(types, dtype_name((enum dtype)type), c->matvec_step[type]);
}

static void add_by_level(struct json_node *timings, const char *key, const struct calibration *c,
                         const struct measured_by_threads *by_level)
{
    struct json_node *levels = json_add_object(timings, key);
    for (int level = 0; level < c->n_levels; level++)
        if (any(c, &by_level[level]))
            add_by_threads(levels, c->levels[level].name, c, &by_level[level], NULL);
}

/* The state of the machine that all timings of networks were brought to. */
static void add_sentinel(struct json_node *timings, const struct calibration *c)
{
    struct measured_by_threads sum = {0}, gbps = {0}, meet = {0};
    for (int p = 0; p < c->n_points; p++) {
        const struct machine_state *state =
            state_reference_at(&c->trial_report.state, c->threads[p]);
        if (!state)
            return;
        sum.at[p] = (struct measured){.value = state->sum_ns, .n = c->n_trials, .fitted = true};
        gbps.at[p] = (struct measured){.value = state->read_gbps, .n = c->n_trials, .fitted = true};
        meet.at[p] = (struct measured){.value = state->meet_ns, .n = c->n_trials, .fitted = true};
    }
    struct json_node *sentinel = json_add_object(timings, "sentinel");
    add_by_threads(sentinel, "sum_ns", c, &sum, NULL);
    add_by_threads(sentinel, "read_gbps", c, &gbps, NULL);
    add_by_threads(sentinel, "meet_ns", c, &meet, NULL);
}

/* A line a timing: for people, who can grep it. */
static void add_networks(struct json_node *timings, const struct calibration *c)
{
    struct json_node *list = json_add_array(timings, "networks");
    for (int i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trials[i];
        char line[320], prefill[96] = "";
        if (t->prompt > 0)
            snprintf(prefill, sizeof prefill, "; %.4g ms for a prompt of %d",
                     trial_prefill_ns(t) * 1e-6, (int)t->prompt);
        snprintf(line, sizeof line, "%s %s, %d threads: %.4g ms a token after %d%s; %d rounds",
                 t->net->name, dtype_name(t->net->block_dtype), t->threads,
                 trial_decode_ns(t) * 1e-6, (int)t->context, prefill, t->n_rounds);
        json_add_string(list, NULL, line);
    }
}

static void add_timings(struct json_node *root, const struct calibration *c)
{
    static const struct {
        const char *key;
        int term;
    } single[] = {
        {"matmul_row_ns", TIMING_PROMPT_ROW},
        {"attention_query_ns", TIMING_QUERY},
        {"attention_position_ns", TIMING_POSITION},
        {"attention_flop_ns", TIMING_SCORE},
        {"attention_prompt_position_ns", TIMING_PROMPT_POSITION},
        {"attention_prompt_flop_ns", TIMING_PROMPT_SCORE},
    };
    struct json_node *timings = json_add_object(root, "timings");
    add_by_type(timings, "matvec_row_ns", c, TIMING_ROW);
    add_by_type(timings, "matvec_column_ns", c, TIMING_COLUMN);
    add_by_type(timings, "matvec_start_ns", c, TIMING_START);
    add_steps(timings, c);
    add_by_level(timings, "cache_gbps", c, c->cache_gbps);
    add_by_type(timings, "matmul_byte_ns", c, TIMING_PROMPT_BYTE);
    add_by_type(timings, "matmul_column_ns", c, TIMING_PROMPT_COLUMN);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        add_by_threads(timings, single[i].key, c, &c->timing_ns[single[i].term], NULL);
    struct json_node *elements = json_add_object(timings, "element_ns");
    for (int kind = 0; kind < N_OP_KINDS; kind++)
        if (any(c, &c->timing_ns[TIMING_ELEMENT + kind]))
            add_by_threads(elements, op_kind_name((enum op_kind)kind), c,
                           &c->timing_ns[TIMING_ELEMENT + kind], NULL);
    add_sentinel(timings, c);
    struct json_node *up_to = json_add_object(timings, "up_to");
    json_add_number(up_to, "d_in", c->timed_d_in);
    json_add_number(up_to, "context", c->timed_context);
    json_add_number(up_to, "tokens", c->timed_tokens);
    add_networks(timings, c);
}

enum status calibration_profile(const struct calibration *c, char **text, struct err *err)
{
    struct json_node *root = json_new_object();
    char comment[512];
    snprintf(comment, sizeof comment,
             "Written by lathe calibrate %s (%s) at %s with %s; kernels: %s. Times are medians; "
             "a level was read at half its usable size.",
             version_number(), version_commit(), c->measured_at, version_compiler(), c->isa_names);
    json_add_string(root, "_comment", comment);
    json_add_string(root, "name", c->topology.cpu);
    json_add_string(root, "kind", "generic");
    json_add_string(root, "unit", "cpu");
    json_add_string(root, "runtime", "lathe");
    json_add_string(root, "basis", "calibrated");
    json_add_int(root, "default_threads",
                 c->default_threads > 0 ? c->default_threads : c->threads[c->n_points - 1]);
    json_add_int(root, "max_threads", c->threads[c->n_points - 1]);
    if (c->error_median_frac > 0) {
        const char *source = "networks left out of the fit, each fifth in turn";
        add_number(root, "error_median_frac", c->error_median_frac, "measured", source);
        add_number(root, "error_p90_frac", c->error_p90_frac, "measured", source);
    }
    add_levels(root, c);
    add_types(root, c);
    bool timed = c->n_trials > 0;
    struct json_node *ops = json_add_object(root, "op_ns");
    for (int kind = 0; kind < N_OP_KINDS; kind++) {
        if (any(c, &c->op_ns[kind]) && (!timed || kind == OP_MATMUL))
            add_by_threads(ops, op_kind_name((enum op_kind)kind), c, &c->op_ns[kind], NULL);
    }
    add_by_threads(root, "pass_ns", c, &c->pass_ns, NULL);
    if (timed)
        add_timings(root, c);
    else
        add_by_threads(root, "attention_gbps", c, &c->attention_gbps, NULL);
    *text = json_print(root);
    json_free(root);
    return *text != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}
