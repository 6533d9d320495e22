/* Reading device profiles. The tables below are the format: a key that is in none of them is an
 * error, and docs/profiles.md explains each. */
#include "device/device.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define LEAST_GBPS 1e-6
#define MOST_GBPS  1e6
#define MOST_NS    1e15

static const char *const basis_names[] = {"datasheet", "calibrated", "fitted", NULL};
static const char *const device_kinds[] = {"phone", "board", "laptop", "desktop", "generic", NULL};
static const char *const unit_kinds[] = {"cpu", "gpu", "npu", NULL};
static const char *const policy_names[] = {"lru", "managed", "pinned", NULL};
static const char *const number_kinds[] = {"datasheet", "measured", "fitted",
                                           "estimate",  "assumed",  NULL};

static const char *const number_keys[] = {"value", "kind", "source", NULL};
static const char *const point_keys[] = {"value", "kind", "source", "threads", NULL};
static const char *const level_keys[] = {"name",
                                         "capacity_bytes",
                                         "usable_frac",
                                         "spill_frac",
                                         "reread_lost_frac",
                                         "per_thread",
                                         "read_gbps",
                                         "write_gbps",
                                         "latency_ns",
                                         "energy_pj_per_byte",
                                         "efficiency_frac",
                                         "turnaround_ns",
                                         "policy",
                                         "ports",
                                         "page_bytes",
                                         "queue_depth",
                                         NULL};
static const char *const profile_keys[] = {"name",
                                           "kind",
                                           "unit",
                                           "runtime",
                                           "basis",
                                           "error_median_frac",
                                           "levels",
                                           "error_p90_frac",
                                           "app_share_frac",
                                           "max_threads",
                                           "peak_gflops",
                                           "default_threads",
                                           "stream_frac",
                                           "matvec_gbps",
                                           "op_ns",
                                           "layer_ns",
                                           "pass_ns",
                                           "attention_gbps",
                                           "attention_gflops",
                                           "head_gbps",
                                           "overlap_frac",
                                           "timings",
                                           "load_fixed_ns",
                                           "load_gbps",
                                           "load_layer_ns",
                                           "init_fixed_ns",
                                           "init_gbps",
                                           "init_layer_ns",
                                           "init_block_sq_ns",
                                           "energy_pj_per_flop",
                                           "battery_j",
                                           NULL};

/* A number of the profile that does not depend on the threads. `absent` is what it is when nobody
 * gives it. */
struct plain_number {
    const char *key;
    size_t offset;
    double min, max;
    double absent;
};

#define AT(member) offsetof(struct device, member)
static const struct plain_number plain_numbers[] = {
    {"error_median_frac", AT(error_median_frac), 0, 10, NAN},
    {"error_p90_frac", AT(error_p90_frac), 0, 10, NAN},
    {"app_share_frac", AT(app_share_frac), 0, 1, 0.1},
    {"overlap_frac", AT(overlap_frac), 0, 1, 0},
    {"load_fixed_ns", AT(load_fixed_ns), 0, MOST_NS, 0},
    {"load_gbps", AT(load_gbps), LEAST_GBPS, MOST_GBPS, NAN},
    {"load_layer_ns", AT(load_layer_ns), 0, MOST_NS, 0},
    {"init_fixed_ns", AT(init_fixed_ns), 0, MOST_NS, 0},
    {"init_gbps", AT(init_gbps), LEAST_GBPS, MOST_GBPS, NAN},
    {"init_layer_ns", AT(init_layer_ns), 0, MOST_NS, 0},
    {"init_block_sq_ns", AT(init_block_sq_ns), 0, MOST_NS, 0},
    {"energy_pj_per_flop", AT(energy_pj_per_flop), 0, 1e9, NAN},
    {"battery_j", AT(battery_j), 1e-3, 1e9, NAN},
};
#undef AT

const char *basis_name(enum basis basis)
{
    return basis_names[basis];
}

const char *level_policy_name(enum level_policy policy)
{
    return policy_names[policy];
}

static int name_index(const char *name, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

enum status level_policy_parse(const char *name, enum level_policy *out, struct err *err)
{
    int i = name_index(name, policy_names);
    if (i < 0)
        return err_set(err, STATUS_USAGE, "no policy '%s': expected lru, managed or pinned", name);
    *out = (enum level_policy)i;
    return STATUS_OK;
}

static enum status expect_one_of(const struct json *at, const char *name, const char *const *names,
                                 struct err *err)
{
    if (name_index(name, names) >= 0)
        return STATUS_OK;
    struct text list = {0};
    for (int i = 0; names[i] != NULL; i++)
        text_addf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    enum status status = json_error(at, err, "unknown word '%s': expected one of %s", name,
                                    list.failed ? "those of docs/profiles.md" : list.data);
    text_release(&list);
    return status;
}

/* A string member into a fixed buffer; a NULL `absent` makes it required. */
static enum status read_word(const struct json *object, const char *key, const char *absent,
                             const char *const *allowed, char *out, size_t size, struct err *err)
{
    const char *word;
    enum status status = absent == NULL ? json_get_string(object, key, &word, err)
                                        : json_get_string_or(object, key, absent, &word, err);
    if (status != STATUS_OK)
        return status;
    struct json at = json_member(object, key);
    if (strlen(word) >= size)
        return json_error(&at, err, "longer than %zu bytes", size - 1);
    if (allowed != NULL) {
        status = expect_one_of(&at, word, allowed, err);
        if (status != STATUS_OK)
            return status;
    }
    memcpy(out, word, strlen(word) + 1);
    return STATUS_OK;
}

/* {"value": 34.1, "kind": "datasheet", "source": "..."}: the last two are for people and the
 * store, but a misspelt kind is worth an error. */
static enum status check_provenance(const struct json *object, const char *const *keys,
                                    struct err *err)
{
    enum status status = json_only_keys(object, keys, err);
    struct json kind = json_member(object, "kind"), source = json_member(object, "source");
    const char *word;
    if (status == STATUS_OK && kind.item != NULL) {
        status = json_string(&kind, &word, err);
        if (status == STATUS_OK)
            status = expect_one_of(&kind, word, number_kinds, err);
    }
    if (status == STATUS_OK && source.item != NULL)
        status = json_string(&source, &word, err);
    return status;
}

static enum status read_number(const struct json *at, double min, double max, double *out,
                               struct err *err)
{
    if (!json_is_object(at))
        return json_number(at, min, max, out, err);
    enum status status = check_provenance(at, number_keys, err);
    return status == STATUS_OK ? json_get_number(at, "value", min, max, out, err) : status;
}

static enum status read_number_or(const struct json *object, const char *key, double min,
                                  double max, double absent, double *out, struct err *err)
{
    struct json at = json_member(object, key);
    *out = absent;
    return json_is_null(&at) ? STATUS_OK : read_number(&at, min, max, out, err);
}

static enum status read_whole(const struct json *object, const char *key, int64_t min, int64_t max,
                              int64_t absent, int64_t *out, struct err *err)
{
    struct json at = json_member(object, key);
    *out = absent;
    if (json_is_null(&at))
        return STATUS_OK;
    if (!json_is_object(&at))
        return json_int(&at, min, max, out, err);
    enum status status = check_provenance(&at, number_keys, err);
    return status == STATUS_OK ? json_get_int(&at, "value", min, max, out, err) : status;
}

static enum status read_point(const struct json *at, double min, double max, struct by_threads *out,
                              struct err *err)
{
    int64_t threads;
    if (!json_is_object(at))
        return json_error(at, err, "expected an object with 'threads' and 'value'");
    enum status status = check_provenance(at, point_keys, err);
    if (status == STATUS_OK)
        status = json_get_int(at, "threads", 1, 4096, &threads, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "value", min, max, &out->value[out->n], err);
    if (status != STATUS_OK)
        return status;
    if (out->n > 0 && threads <= out->threads[out->n - 1])
        return json_error(at, err, "thread counts must ascend: %lld after %d", (long long)threads,
                          out->threads[out->n - 1]);
    out->threads[out->n++] = (int)threads;
    return STATUS_OK;
}

/* A number, or a list of numbers at thread counts. Absent or null: n = 0. */
static enum status read_by_threads(const struct json *object, const char *key, double min,
                                   double max, struct by_threads *out, struct err *err)
{
    struct json at = json_member(object, key);
    *out = (struct by_threads){0};
    if (json_is_null(&at))
        return STATUS_OK;
    if (!json_is_array(&at)) {
        out->n = 1;
        out->threads[0] = 1;
        return read_number(&at, min, max, &out->value[0], err);
    }
    if (json_length(&at) == 0 || json_length(&at) > MAX_THREAD_POINTS)
        return json_error(&at, err, "expected 1 to %d thread counts, found %d", MAX_THREAD_POINTS,
                          json_length(&at));
    for (struct json point = json_first(&at); point.item != NULL; point = json_next(&point)) {
        enum status status = read_point(&point, min, max, out, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What only the simulator asks for; docs/profiles.md gives the reasons for the defaults. */
static enum status read_traffic(const struct json *at, struct level *out, struct err *err)
{
    char policy[16];
    enum status status =
        read_word(at, "policy", policy_names[0], policy_names, policy, sizeof policy, err);
    if (status == STATUS_OK) {
        out->policy = (enum level_policy)name_index(policy, policy_names);
        status = read_number_or(at, "efficiency_frac", 0.01, 1, 1, &out->efficiency_frac, err);
    }
    if (status == STATUS_OK)
        status = read_number_or(at, "turnaround_ns", 0, 1e6, DEFAULT_TURNAROUND_NS,
                                &out->turnaround_ns, err);
    if (status == STATUS_OK)
        status = read_whole(at, "ports", 1, 2, DEFAULT_PORTS, &out->ports, err);
    if (status == STATUS_OK)
        status = read_whole(at, "page_bytes", 1, INT64_C(1) << 30, DEFAULT_PAGE_BYTES,
                            &out->page_bytes, err);
    if (status == STATUS_OK)
        status =
            read_whole(at, "queue_depth", 1, 65536, DEFAULT_QUEUE_DEPTH, &out->queue_depth, err);
    return status;
}

static enum status read_level(const struct json *at, struct level *out, struct err *err)
{
    if (!json_is_object(at))
        return json_error(at, err, "expected an object");
    enum status status = json_only_keys(at, level_keys, err);
    if (status == STATUS_OK)
        status = read_word(at, "name", NULL, NULL, out->name, sizeof out->name, err);
    /* how much flash there is decides nothing, so it may stay unknown */
    bool is_flash = strcmp(out->name, "flash") == 0;
    if (status == STATUS_OK)
        status = read_whole(at, "capacity_bytes", 1, INT64_C(1) << 50,
                            is_flash ? INT64_C(1) << 50 : 0, &out->capacity_bytes, err);
    if (status == STATUS_OK)
        status = read_number_or(at, "usable_frac", 0, 1, 1, &out->usable_frac, err);
    if (status == STATUS_OK)
        status = read_number_or(at, "spill_frac", 0, 1000, NAN, &out->spill_frac, err);
    if (status == STATUS_OK)
        status = read_number_or(at, "reread_lost_frac", 0, 8, 0, &out->reread_lost_frac, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(at, "per_thread", false, &out->per_thread, err);
    if (status == STATUS_OK)
        status = read_by_threads(at, "read_gbps", LEAST_GBPS, MOST_GBPS, &out->read_gbps, err);
    if (status == STATUS_OK)
        status = read_by_threads(at, "write_gbps", LEAST_GBPS, MOST_GBPS, &out->write_gbps, err);
    if (status == STATUS_OK)
        status = read_number_or(at, "latency_ns", 0, 1e12, NAN, &out->latency_ns, err);
    if (status == STATUS_OK)
        status =
            read_number_or(at, "energy_pj_per_byte", 0, 1e9, NAN, &out->energy_pj_per_byte, err);
    if (status == STATUS_OK)
        status = read_traffic(at, out, err);
    if (status == STATUS_OK && out->capacity_bytes == 0)
        return json_error(at, err, "level '%s' has no 'capacity_bytes'", out->name);
    if (status == STATUS_OK && out->read_gbps.n == 0)
        return json_error(at, err, "level '%s' has no 'read_gbps'", out->name);
    return status;
}

static enum status read_levels(const struct json *root, struct device *out, struct err *err)
{
    struct json levels;
    enum status status = json_get_array(root, "levels", &levels, err);
    if (status != STATUS_OK)
        return status;
    int n = json_length(&levels);
    if (n < 2 || n > MAX_LEVELS)
        return json_error(&levels, err,
                          "expected 2 to %d levels, the last two 'dram' and 'flash'; "
                          "found %d",
                          MAX_LEVELS, n);
    for (struct json at = json_first(&levels); at.item != NULL; at = json_next(&at)) {
        struct level *level = &out->levels[out->n_levels];
        status = read_level(&at, level, err);
        if (status != STATUS_OK)
            return status;
        for (int i = 0; i < out->n_levels; i++)
            if (strcmp(out->levels[i].name, level->name) == 0)
                return json_error(&at, err, "second level named '%s'", level->name);
        out->n_levels++;
    }
    if (strcmp(out->levels[n - 2].name, "dram") != 0 ||
        strcmp(out->levels[n - 1].name, "flash") != 0)
        return json_error(&levels, err,
                          "the last two levels must be 'dram' and 'flash', found '%s' and '%s'",
                          out->levels[n - 2].name, out->levels[n - 1].name);
    return STATUS_OK;
}

/* At every thread count that either of two neighbours names. */
static enum status check_that_levels_slow_down(const struct json *root, const struct device *device,
                                               struct err *err)
{
    struct json levels = json_member(root, "levels");
    for (int i = 0; i + 1 < device->n_levels; i++) {
        const struct level *fast = &device->levels[i], *slow = &device->levels[i + 1];
        const struct by_threads *of[] = {&fast->read_gbps, &slow->read_gbps};
        for (int side = 0; side < 2; side++)
            for (int k = 0; k < of[side]->n; k++) {
                int threads = of[side]->threads[k];
                double a = by_threads_at(&fast->read_gbps, threads, 0);
                double b = by_threads_at(&slow->read_gbps, threads, 0);
                if (a >= b)
                    continue;
                struct json at = json_element(&levels, i + 1);
                return json_error(&at, err,
                                  "levels go from fastest to slowest, but '%s' reads %g GB/s and "
                                  "'%s' before it %g GB/s (threads: %d)",
                                  slow->name, b, fast->name, a, threads);
            }
    }
    return STATUS_OK;
}

/* Members named by `names`, each a number by threads, into out[index of the name]. */
static enum status read_named(const struct json *root, const char *key, const char *const *names,
                              double min, double max, struct by_threads *out, struct err *err)
{
    struct json object = json_member(root, key);
    if (json_is_null(&object))
        return STATUS_OK;
    if (!json_is_object(&object))
        return json_error(&object, err, "expected an object");
    enum status status = json_only_keys(&object, names, err);
    for (int i = 0; names[i] != NULL && status == STATUS_OK; i++)
        status = read_by_threads(&object, names[i], min, max, &out[i], err);
    return status;
}

static enum status read_stream_frac(const struct json *root, const char *const *dtypes, double *out,
                                    struct err *err)
{
    struct json object = json_member(root, "stream_frac");
    for (int i = 0; dtypes[i] != NULL; i++)
        out[i] = 1;
    if (json_is_null(&object))
        return STATUS_OK;
    if (!json_is_object(&object))
        return json_error(&object, err, "expected an object");
    enum status status = json_only_keys(&object, dtypes, err);
    for (int i = 0; dtypes[i] != NULL && status == STATUS_OK; i++)
        status = read_number_or(&object, dtypes[i], 1e-3, 1, 1, &out[i], err);
    return status;
}

static enum status read_matvec(const struct json *root, const char *const *dtypes,
                               struct device *out, struct err *err)
{
    struct json object = json_member(root, "matvec_gbps");
    if (json_is_null(&object))
        return STATUS_OK;
    if (!json_is_object(&object))
        return json_error(&object, err, "expected an object");
    const char *levels[MAX_LEVELS + 1] = {NULL};
    for (int i = 0; i < out->n_levels; i++)
        levels[i] = out->levels[i].name;
    enum status status = json_only_keys(&object, dtypes, err);
    for (int i = 0; dtypes[i] != NULL && status == STATUS_OK; i++)
        status =
            read_named(&object, dtypes[i], levels, LEAST_GBPS, MOST_GBPS, out->matvec_gbps[i], err);
    return status;
}

static enum status read_by_type_and_operator(const struct json *root, struct device *out,
                                             struct err *err)
{
    const char *dtypes[N_DTYPES + 1] = {NULL}, *op_kinds[N_OP_KINDS + 1] = {NULL};
    for (int i = 0; i < N_DTYPES; i++)
        dtypes[i] = dtype_name((enum dtype)i);
    for (int i = 0; i < N_OP_KINDS; i++)
        op_kinds[i] = op_kind_name((enum op_kind)i);

    enum status status = read_named(root, "peak_gflops", dtypes, 1e-6, 1e9, out->peak_gflops, err);
    if (status == STATUS_OK)
        status = read_stream_frac(root, dtypes, out->stream_frac, err);
    if (status == STATUS_OK)
        status = read_matvec(root, dtypes, out, err);
    if (status == STATUS_OK)
        status = read_named(root, "op_ns", op_kinds, 0, MOST_NS, out->op_ns, err);
    return status;
}

/* Not every type has one. */
static enum status read_steps(const struct json *timings, const char *const *dtypes,
                              struct device *out, struct err *err)
{
    struct json steps = json_member(timings, "matvec_step");
    if (json_is_null(&steps))
        return STATUS_OK;
    if (!json_is_object(&steps))
        return json_error(&steps, err, "expected an object");
    enum status status = json_only_keys(&steps, dtypes, err);
    for (int type = 0; type < N_DTYPES && status == STATUS_OK; type++)
        status = read_whole(&steps, dtypes[type], 1, 1 << 20, 0, &out->matvec_step[type], err);
    return status;
}

/* "networks" of the timings is what the terms were fitted to: for people. */
static enum status read_timings(const struct json *root, struct device *out, struct err *err)
{
    static const char *const keys[] = {"matvec_row_ns",
                                       "matvec_column_ns",
                                       "matmul_byte_ns",
                                       "matmul_column_ns",
                                       "matvec_start_ns",
                                       "matvec_step",
                                       "cache_gbps",
                                       "matmul_row_ns",
                                       "element_ns",
                                       "attention_query_ns",
                                       "attention_position_ns",
                                       "attention_flop_ns",
                                       "attention_prompt_position_ns",
                                       "attention_prompt_flop_ns",
                                       "up_to",
                                       "sentinel",
                                       "networks",
                                       NULL};
    static const char *const reach[] = {"d_in", "context", "tokens", NULL};
    static const char *const sentinel_keys[] = {"sum_ns", "read_gbps", "meet_ns", NULL};
    static const int by_type[] = {TIMING_ROW, TIMING_COLUMN, TIMING_PROMPT_BYTE,
                                  TIMING_PROMPT_COLUMN, TIMING_START};
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
    const char *dtypes[N_DTYPES + 1] = {NULL}, *op_kinds[N_OP_KINDS + 1] = {NULL};
    const char *levels[MAX_LEVELS + 1] = {NULL};
    struct json timings = json_member(root, "timings"), starts, up_to, sentinel;
    if (json_is_null(&timings))
        return STATUS_OK;
    if (!json_is_object(&timings))
        return json_error(&timings, err, "expected an object");
    for (int i = 0; i < N_DTYPES; i++)
        dtypes[i] = dtype_name((enum dtype)i);
    for (int i = 0; i < N_OP_KINDS; i++)
        op_kinds[i] = op_kind_name((enum op_kind)i);
    for (int i = 0; i < out->n_levels; i++)
        levels[i] = out->levels[i].name;
    out->has_timings = true;
    enum status status = json_only_keys(&timings, keys, err);
    starts = json_member(&timings, "matvec_start_ns");
    for (int i = 0; i < out->n_levels && status == STATUS_OK && json_is_object(&starts); i++) {
        struct json by_level = json_member(&starts, levels[i]);
        if (!json_is_null(&by_level))
            status = json_error(&by_level, err,
                                "starts are by weight type; a profile of an older lathe has them "
                                "by level: calibrate again");
    }
    for (size_t i = 0; i < sizeof by_type / sizeof *by_type && status == STATUS_OK; i++)
        status =
            read_named(&timings, keys[i], dtypes, 0, MOST_NS, &out->timing_ns[by_type[i]], err);
    if (status == STATUS_OK)
        status = read_steps(&timings, dtypes, out, err);
    if (status == STATUS_OK)
        status =
            read_named(&timings, "cache_gbps", levels, LEAST_GBPS, MOST_GBPS, out->cache_gbps, err);
    if (status == STATUS_OK)
        status = read_named(&timings, "element_ns", op_kinds, 0, MOST_NS,
                            &out->timing_ns[TIMING_ELEMENT], err);
    for (size_t i = 0; i < sizeof single / sizeof *single && status == STATUS_OK; i++)
        status = read_by_threads(&timings, single[i].key, 0, MOST_NS,
                                 &out->timing_ns[single[i].term], err);
    if (status == STATUS_OK)
        status = json_get_object(&timings, "up_to", &up_to, err);
    if (status == STATUS_OK)
        status = json_only_keys(&up_to, reach, err);
    if (status == STATUS_OK)
        status = json_get_number(&up_to, "d_in", 1, 1e9, &out->timed_d_in, err);
    if (status == STATUS_OK)
        status = json_get_number(&up_to, "context", 0, 1e12, &out->timed_context, err);
    if (status == STATUS_OK)
        status = json_get_number(&up_to, "tokens", 1, 1e12, &out->timed_tokens, err);
    sentinel = json_member(&timings, "sentinel");
    if (status != STATUS_OK || json_is_null(&sentinel))
        return status;
    if (!json_is_object(&sentinel))
        return json_error(&sentinel, err, "expected an object");
    status = json_only_keys(&sentinel, sentinel_keys, err);
    if (status == STATUS_OK)
        status = read_by_threads(&sentinel, "sum_ns", 1, MOST_NS, &out->sentinel_sum_ns, err);
    if (status == STATUS_OK)
        status = read_by_threads(&sentinel, "read_gbps", LEAST_GBPS, MOST_GBPS,
                                 &out->sentinel_read_gbps, err);
    if (status == STATUS_OK)
        status = read_by_threads(&sentinel, "meet_ns", 1, MOST_NS, &out->sentinel_meet_ns, err);
    return status;
}

static enum status read_threads(const struct json *root, struct device *out, struct err *err)
{
    int64_t usual, most;
    enum status status = read_whole(root, "default_threads", 1, 4096, 1, &usual, err);
    if (status == STATUS_OK)
        status = read_whole(root, "max_threads", 1, 4096, usual, &most, err);
    if (status != STATUS_OK)
        return status;
    if (most < usual)
        return json_error(root, err, "max_threads %lld is below default_threads %lld",
                          (long long)most, (long long)usual);
    out->default_threads = (int)usual;
    out->max_threads = (int)most;
    return STATUS_OK;
}

static enum status read_basis(const struct json *root, struct device *out, struct err *err)
{
    char word[16];
    enum status status = read_word(root, "basis", NULL, basis_names, word, sizeof word, err);
    if (status == STATUS_OK)
        out->basis = (enum basis)name_index(word, basis_names);
    return status;
}

enum status device_parse(const struct json *root, struct device *out, struct err *err)
{
    *out = (struct device){0};
    if (!json_is_object(root))
        return json_error(root, err, "expected an object: a device profile");
    enum status status = json_only_keys(root, profile_keys, err);
    if (status == STATUS_OK)
        status = read_word(root, "name", NULL, NULL, out->name, sizeof out->name, err);
    if (status == STATUS_OK)
        status = read_word(root, "kind", NULL, device_kinds, out->kind, sizeof out->kind, err);
    if (status == STATUS_OK)
        status = read_word(root, "unit", NULL, unit_kinds, out->unit, sizeof out->unit, err);
    if (status == STATUS_OK)
        status = read_word(root, "runtime", "", NULL, out->runtime, sizeof out->runtime, err);
    if (status == STATUS_OK)
        status = read_basis(root, out, err);
    if (status == STATUS_OK)
        status = read_threads(root, out, err);
    for (size_t i = 0; i < sizeof plain_numbers / sizeof *plain_numbers; i++) {
        const struct plain_number *number = &plain_numbers[i];
        double *value = (double *)(void *)((char *)out + number->offset);
        if (status == STATUS_OK)
            status = read_number_or(root, number->key, number->min, number->max, number->absent,
                                    value, err);
    }
    if (status == STATUS_OK)
        status = read_levels(root, out, err);
    if (status == STATUS_OK)
        status = check_that_levels_slow_down(root, out, err);
    if (status == STATUS_OK)
        status = read_by_type_and_operator(root, out, err);
    if (status == STATUS_OK)
        status = read_by_threads(root, "layer_ns", 0, MOST_NS, &out->layer_ns, err);
    if (status == STATUS_OK)
        status = read_by_threads(root, "pass_ns", 0, MOST_NS, &out->pass_ns, err);
    if (status == STATUS_OK)
        status = read_by_threads(root, "attention_gbps", LEAST_GBPS, MOST_GBPS,
                                 &out->attention_gbps, err);
    if (status == STATUS_OK)
        status = read_by_threads(root, "attention_gflops", 1e-6, 1e9, &out->attention_gflops, err);
    if (status == STATUS_OK)
        status = read_by_threads(root, "head_gbps", LEAST_GBPS, MOST_GBPS, &out->head_gbps, err);
    if (status == STATUS_OK)
        status = read_timings(root, out, err);
    return status;
}
