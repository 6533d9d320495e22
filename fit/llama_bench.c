#include "fit/llama_bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "fit/bench_tests.h"
#include "fit/complaints.h"
#include "model/count.h"

enum { MAX_SAMPLES = 256 };

/* Where a file's bytes and ours differ by more, it is said. */
#define SIZE_APART_FRAC 0.1

struct reading {
    const char *path;
    const struct fit_aliases *aliases;
    struct fit_rows *rows;
    struct complaints complaints;
    int number;        /* of the test */
    char machine[512]; /* of the first row that is used */
    double n_ubatch;   /* of the first prompt that is used; 0: none yet */
};

static const char *string_of(const struct json *test, const char *key)
{
    struct json at = json_member(test, key);
    const char *text;
    return json_is_string(&at) && json_string(&at, &text, NULL) == STATUS_OK ? text : "";
}

/* A number, or a number in quotes (all forms but JSON). */
static enum status number_of(const struct json *test, const char *key, double fallback, double *out,
                             struct err *err)
{
    struct json at = json_member(test, key);
    *out = fallback;
    if (json_is_null(&at) && !isnan(fallback))
        return STATUS_OK;
    if (json_is_string(&at)) {
        const char *text = string_of(test, key);
        char *end;
        *out = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(*out) || *out < 0)
            return err_set(err, STATUS_INPUT, "%s is '%s', not a number", key, text);
        return STATUS_OK;
    }
    if (at.item == NULL)
        return err_set(err, STATUS_INPUT, "lacks '%s': not a test of a llama-bench known here",
                       key);
    return json_number(&at, 0, 1e18, out, err);
}

/* The file type is what ends model_type: "llama 1B Q4_K - Medium". */
static enum status type_of(const char *model_type, enum dtype *blocks, enum dtype *head,
                           struct err *err)
{
    const char *at = model_type;
    while (fit_file_type(at, blocks, head, NULL) != STATUS_OK) {
        const char *space = strchr(at, ' ');
        if (space == NULL)
            return err_set(err, STATUS_INPUT, "unknown weight type '%s'", at);
        at = space + 1;
    }
    return STATUS_OK;
}

/* Median of the samples and their spread; the average where there are none. */
static enum status time_of(const struct json *test, double *ns, double *noise_frac, struct err *err)
{
    double samples[MAX_SAMPLES], stddev;
    size_t n = 0;
    struct json list = json_member(test, "samples_ns");
    enum status status = number_of(test, "avg_ns", NAN, ns, err);
    if (status == STATUS_OK)
        status = number_of(test, "stddev_ns", 0, &stddev, err);
    if (status != STATUS_OK)
        return status;
    if (*ns <= 0)
        return err_set(err, STATUS_INPUT, "avg_ns is 0");
    *noise_frac = fmin(stddev / *ns, 0.2);
    if (json_is_array(&list))
        for (struct json at = json_first(&list); at.item != NULL && n < MAX_SAMPLES;
             at = json_next(&at))
            if (json_number(&at, 1, 1e18, &samples[n], NULL) == STATUS_OK)
                n++;
    if (n > 0) {
        *ns = stats_median(samples, n);
        *noise_frac = n < 3 ? *noise_frac : STATS_SIGMA_PER_MAD * stats_mad(samples, n) / *ns;
    }
    return STATUS_OK;
}

/* true, "1", "on" */
static bool is_on(const struct json *test, const char *key)
{
    struct json at = json_member(test, key);
    bool on = false;
    double number = 0;
    if (json_is_string(&at))
        return strtod(string_of(test, key), NULL) > 0 || strcmp(string_of(test, key), "on") == 0 ||
               strcmp(string_of(test, key), "true") == 0;
    if (json_number(&at, -1, 1e9, &number, NULL) == STATUS_OK)
        return number > 0;
    return json_bool(&at, &on, NULL) == STATUS_OK && on;
}

/* "CPU", "CUDA,RPC"; versions of 2023 had one flag each. */
static const char *backends_of(const struct json *test)
{
    static const char *const flags[] = {"cuda",  "opencl", "vulkan",   "kompute",
                                        "metal", "sycl",   "gpu_blas", "blas"};
    const char *backends = string_of(test, "backends");
    for (size_t i = 0; *backends == '\0' && i < sizeof flags / sizeof *flags; i++)
        if (is_on(test, flags[i]))
            return flags[i];
    return *backends == '\0' ? "CPU" : backends;
}

/* Layers on a GPU: all of them where -1 or more than there are was asked for, none where the build
 * has only a CPU. */
static void offloaded(const struct json *test, int64_t n_layers, char *out, size_t size)
{
    struct json at = json_member(test, "n_gpu_layers");
    const char *backends = backends_of(test);
    double asked = 0;
    if (json_is_string(&at))
        asked = strtod(string_of(test, "n_gpu_layers"), NULL);
    else
        json_number(&at, -1e9, 1e9, &asked, NULL);
    if (strcmp(backends, "CPU") == 0 || strcmp(backends, "blas") == 0 ||
        strcmp(backends, "BLAS") == 0 || asked == 0)
        snprintf(out, size, "no layer offloaded");
    else if (asked < 0 || asked >= (double)n_layers)
        snprintf(out, size, "all layers offloaded");
    else
        snprintf(out, size, "%g layers offloaded", asked);
}

/* What must be alike for times to be of one device. */
static void machine_of(const struct json *test, int64_t n_layers, char *out, size_t size)
{
    char layers[40];
    offloaded(test, n_layers, layers, sizeof layers);
    snprintf(out, size, "%.120s, %.120s, %.60s, %s%s", string_of(test, "cpu_info"),
             string_of(test, "gpu_info"), backends_of(test), layers,
             is_on(test, "flash_attn") ? ", flash attention" : "");
}

static enum status check_machine(struct reading *r, const struct json *test,
                                 const struct fit_row *row, struct err *err)
{
    char machine[sizeof r->machine];
    double n_ubatch;
    machine_of(test, row->net.schedule.n_layers, machine, sizeof machine);
    if (r->machine[0] != '\0' && strcmp(r->machine, machine) != 0)
        return err_set(err, STATUS_INPUT, "taken on '%s', not on '%s' like those before", machine,
                       r->machine);
    enum status status = number_of(test, "n_ubatch", 512, &n_ubatch, err);
    if (status != STATUS_OK)
        return status;
    if (!isnan(row->prefill_ns)) {
        double prompt = (double)row->prompt;
        if (r->n_ubatch > 0 && fmin(prompt, n_ubatch) != fmin(prompt, r->n_ubatch))
            return err_set(err, STATUS_INPUT,
                           "prompts in pieces of %g tokens, not of %g like those "
                           "before",
                           n_ubatch, r->n_ubatch);
        if (r->n_ubatch <= 0)
            r->n_ubatch = n_ubatch;
    }
    memcpy(r->machine, machine, sizeof machine);
    return STATUS_OK;
}

/* The file's bytes against those that the network is priced with. */
static enum status check_size(struct reading *r, const struct json *test,
                              const struct transformer *net, struct err *err)
{
    double size = 0;
    struct weight_bytes bytes;
    struct err why;
    transformer_weight_bytes(net, &bytes);
    if (number_of(test, "model_size", 0, &size, NULL) != STATUS_OK || size <= 0 ||
        fabs(size / (double)bytes.total - 1) <= SIZE_APART_FRAC)
        return STATUS_OK;
    err_set(&why, STATUS_INPUT, "'%.80s' is %.4g MB there, and priced as '%s' of %.4g MB",
            string_of(test, "model_type"), size / 1e6, net->name, (double)bytes.total / 1e6);
    return complaints_add(&r->complaints, r->number, why.message, err);
}

static enum status cache_type(const struct json *test, enum dtype *out, struct err *err)
{
    const char *keys = string_of(test, "type_k"), *values = string_of(test, "type_v");
    *out = DTYPE_F16;
    if (*keys == '\0')
        keys = "f16";
    if (*values == '\0')
        values = "f16";
    if (strcmp(keys, values) != 0)
        return err_set(err, STATUS_INPUT, "a cache of two types (%s and %s) is not priced", keys,
                       values);
    return dtype_parse(keys, out, err);
}

/* By the file's name, else by the parameters that the test gives. */
static enum status model_of(const struct reading *r, const struct json *test,
                            struct transformer *net, bool *has_types, struct err *err)
{
    const char *name = string_of(test, "model_filename");
    const char *type = string_of(test, "model_type");
    double n_params = 0, half = 0;
    struct err unused;
    enum status status = fit_model(*name != '\0' ? name : type, r->aliases, net, has_types, err);
    if (status == STATUS_OK)
        return status;
    if (number_of(test, "model_n_params", 0, &n_params, &unused) != STATUS_OK ||
        number_of(test, "model_n_params_half", 0, &half, &unused) != STATUS_OK || n_params <= 0)
        return status;
    *has_types = false;
    return fit_model_by_params(*name != '\0' ? name : type, n_params, half, net, err);
}

static enum status check_params(const struct json *test, const struct transformer *net,
                                struct err *err)
{
    double n_params = 0;
    struct param_count count;
    enum status status = number_of(test, "model_n_params", 0, &n_params, err);
    transformer_count(net, &count);
    /* a file may store a tied table twice, or leave constants out */
    double twice = (double)count.total + (double)(net->vocab_size * net->d_embed);
    bool alike = fabs(n_params / (double)count.total - 1) < 0.03 ||
                 (net->tie_embeddings && fabs(n_params / twice - 1) < 0.03);
    if (status == STATUS_OK && n_params > 0 && !alike)
        status =
            err_set(err, STATUS_INPUT, "'%s' has %" PRId64 " parameters, the file's model %.0f",
                    net->name, count.total, n_params);
    return status;
}

static enum status open_network(const struct reading *r, const struct json *test,
                                struct transformer *net, struct err *err)
{
    enum dtype blocks, head, kv;
    bool has_types;
    enum status status = type_of(string_of(test, "model_type"), &blocks, &head, err);
    if (status == STATUS_OK)
        status = cache_type(test, &kv, err);
    if (status == STATUS_OK)
        status = model_of(r, test, net, &has_types, err);
    if (status != STATUS_OK)
        return status;
    if (!has_types) {
        transformer_set_dtype(net, blocks);
        net->head_dtype = head;
        net->embedding_dtype = net->tie_embeddings ? head : blocks;
    }
    net->kv_dtype = kv;
    status = check_params(test, net, err);
    if (status != STATUS_OK)
        transformer_release(net);
    return status;
}

static enum status read_test(struct reading *r, const struct json *test, struct fit_row *row,
                             struct err *err)
{
    double n_prompt, n_gen, n_depth, n_threads, ns, noise = 0;
    if (!json_is_object(test))
        return err_set(err, STATUS_INPUT, "not an object");
    enum status status = number_of(test, "n_prompt", NAN, &n_prompt, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_gen", NAN, &n_gen, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_depth", 0, &n_depth, err);
    if (status == STATUS_OK)
        status = number_of(test, "n_threads", 0, &n_threads, err);
    if (status == STATUS_OK)
        status = time_of(test, &ns, &noise, err);
    if (status == STATUS_OK && n_prompt > 0 && n_gen > 0)
        status = err_set(err, STATUS_INPUT,
                         "prompt and generation in one time (-pg) cannot be told apart");
    if (status == STATUS_OK && n_prompt <= 0 && n_gen <= 0)
        status = err_set(err, STATUS_INPUT, "neither a prompt nor generation");
    if (status == STATUS_OK && n_prompt > 0 && n_depth > 0)
        status = err_set(err, STATUS_INPUT, "a prompt at a depth is not a time to first token");
    if (status == STATUS_OK)
        status = open_network(r, test, &row->net, err);
    if (status != STATUS_OK)
        return status;
    row->threads = (int)n_threads;
    row->decode_ns = row->prefill_ns = row->load_ns = NAN;
    row->prompt = n_prompt > 0 ? (int64_t)n_prompt : 1;
    row->context = (int64_t)(n_depth + (n_gen > 0 ? (n_gen - 1) / 2 : 0));
    if (n_gen > 0) {
        row->decode_ns = ns / n_gen;
        row->decode_noise_frac = noise;
    } else {
        row->prefill_ns = ns;
        row->prefill_noise_frac = noise;
    }
    int64_t needed = n_gen > 0 ? row->context + 1 : row->prompt;
    if (needed > row->net.max_context)
        status = err_set(err, STATUS_INPUT, "%" PRId64 " tokens, but '%s' ends at %" PRId64, needed,
                         row->net.name, row->net.max_context);
    if (status == STATUS_OK)
        status = check_machine(r, test, row, err);
    if (status != STATUS_OK)
        transformer_release(&row->net);
    return status;
}

static enum status add_test(void *self, const struct json *test, int number, struct err *err)
{
    struct reading *r = self;
    struct fit_row row = {0};
    struct err why = {""};
    r->number = number;
    if (read_test(r, test, &row, &why) != STATUS_OK)
        return complaints_add(&r->complaints, r->number, why.message, err);
    const char *name = string_of(test, "model_filename");
    snprintf(row.where, sizeof row.where, "%.120s: test %d", r->path, number);
    snprintf(row.label, sizeof row.label, "%.70s (%.40s)",
             *name != '\0' ? bench_base_name(name) : row.net.name, string_of(test, "model_type"));
    enum status status = check_size(r, test, &row.net, err);
    if (status == STATUS_OK)
        return fit_rows_add(r->rows, &row, err);
    transformer_release(&row.net);
    return status;
}

static void add_notes(const struct reading *r, int n_left_out, struct text *notes)
{
    complaints_print(&r->complaints, r->path, "test", notes);
    if (n_left_out > 0)
        text_addf(notes, "%s: left out: %d test%s not whole\n", r->path, n_left_out,
                  n_left_out == 1 ? ", which is" : "s, which are");
}

enum status fit_read_llama_bench(const char *path, const char *text,
                                 const struct fit_aliases *aliases, struct fit_rows *rows,
                                 struct text *notes, bool *is_bench, struct err *err)
{
    struct reading r = {.path = path, .aliases = aliases, .rows = rows};
    struct bench_tests tests = {.name = path, .use = add_test, .self = &r};
    enum status status = bench_tests_read(&tests, text, err);
    *is_bench = tests.n_tests + tests.n_left_out > 0;
    add_notes(&r, tests.n_left_out, notes);
    complaints_release(&r.complaints);
    return status;
}
