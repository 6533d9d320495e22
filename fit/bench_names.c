#include "fit/bench_names.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/count.h"
#include "model/model_arg.h"
#include "model/preset.h"

/* Mixes of types carry the name of what most of their weights are. A type that is not priced has the
 * stored type of equal bits (q5_k: q5_0, iq4_nl: q4_0) or, for iq4_xs, of the nearest. */
static const struct {
    const char *name;
    enum dtype blocks, head;
} file_types[] = {
    {"all f32", DTYPE_F32, DTYPE_F32},
    {"f32", DTYPE_F32, DTYPE_F32},
    {"f16", DTYPE_F16, DTYPE_F16},
    {"fp16", DTYPE_F16, DTYPE_F16},
    {"bf16", DTYPE_BF16, DTYPE_BF16},
    {"q8_0", DTYPE_Q8_0, DTYPE_Q8_0},
    {"q6_k", DTYPE_Q6_K, DTYPE_Q6_K},
    {"q5_0", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q4_0", DTYPE_Q4_0, DTYPE_Q6_K},
    {"q5_k - medium", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q5_k - small", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q5_k_m", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q5_k_s", DTYPE_Q5_0, DTYPE_Q6_K},
    {"q5_k", DTYPE_Q5_0, DTYPE_Q6_K},
    {"iq4_xs - 4.25 bpw", DTYPE_Q4_K, DTYPE_Q6_K},
    {"iq4_xs", DTYPE_Q4_K, DTYPE_Q6_K},
    {"iq4_nl - 4.5 bpw", DTYPE_Q4_0, DTYPE_Q6_K},
    {"iq4_nl", DTYPE_Q4_0, DTYPE_Q6_K},
    {"q4_k - medium", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k - small", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k_m", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k_s", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q4_k", DTYPE_Q4_K, DTYPE_Q6_K},
    {"q3_k - medium", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k - small", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k - large", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k_m", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k_s", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q3_k", DTYPE_Q3_K, DTYPE_Q6_K},
    {"q2_k - medium", DTYPE_Q2_K, DTYPE_Q6_K},
    {"q2_k - small", DTYPE_Q2_K, DTYPE_Q6_K},
    {"q2_k", DTYPE_Q2_K, DTYPE_Q6_K},
};
enum { N_FILE_TYPES = sizeof file_types / sizeof *file_types };

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

const char *bench_base_name(const char *path)
{
    const char *name = path;
    for (const char *at = path; *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    return name;
}

enum status fit_file_type(const char *name, enum dtype *blocks, enum dtype *head, struct err *err)
{
    char folded[64];
    lower(name, folded, sizeof folded);
    for (int i = 0; i < N_FILE_TYPES; i++)
        if (strcmp(folded, file_types[i].name) == 0) {
            *blocks = file_types[i].blocks;
            *head = file_types[i].head;
            return STATUS_OK;
        }
    if (strcmp(folded, "b1") == 0) {
        *blocks = *head = DTYPE_B1;
        return STATUS_OK;
    }
    return err_set(err, STATUS_INPUT, "unknown weight type '%s'", name);
}

/* "models/Qwen2.5-1.5B-Q4_K_M.gguf" -> "qwen2.5-1.5b" */
static void bare_name(const char *name, char *out, size_t size)
{
    lower(bench_base_name(name), out, size);
    size_t n = strlen(out);
    if (n > 5 && strcmp(out + n - 5, ".gguf") == 0)
        out[n -= 5] = '\0';
    for (int i = 0; i < N_FILE_TYPES; i++) {
        size_t length = strlen(file_types[i].name);
        if (n > length + 1 && strcmp(out + n - length, file_types[i].name) == 0 &&
            strchr("-._", out[n - length - 1]) != NULL) {
            out[n - length - 1] = '\0';
            return;
        }
    }
}

static const char *alias_of(const struct fit_aliases *aliases, const char *name, const char *bare)
{
    for (size_t i = 0; aliases != NULL && i < aliases->n; i++) {
        const char *alias = aliases->items[i].name;
        if (strcmp(alias, name) == 0 || strcmp(alias, bare) == 0 ||
            strcmp(alias, bench_base_name(name)) == 0)
            return aliases->items[i].model;
    }
    return NULL;
}

enum status fit_model(const char *name, const struct fit_aliases *aliases, struct transformer *out,
                      bool *has_types, struct err *err)
{
    char bare[128];
    bare_name(name, bare, sizeof bare);
    const char *alias = alias_of(aliases, name, bare);
    const char *arg = alias != NULL ? alias : name;
    *has_types = file_begins_with(arg, "GGUF");
    enum status status = model_open(arg, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        status = model_open(bare, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        err_set(err, status, "unknown model '%s' (--model '%s=MODEL' says which it is)", name,
                bare);
    return status;
}

/* Whether a file of `net` can hold that many. */
static bool has_params(const struct transformer *net, double n_params, double half_unit)
{
    struct param_count count;
    transformer_count(net, &count);
    double once = (double)count.total;
    double table = net->tie_embeddings ? (double)(net->vocab_size * net->d_embed) : 0;
    double apart = half_unit + 1e-6 * once; /* rotary factors and the like */
    return fabs(n_params - once) <= apart || fabs(n_params - once - table) <= apart;
}

enum status fit_model_by_params(const char *name, double n_params, double half_unit,
                                struct transformer *out, struct err *err)
{
    struct preset_list list;
    struct transformer net;
    bool found = false;
    enum status status = preset_list_open(&list, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < list.n && status == STATUS_OK; i++) {
        if (fabs((double)list.items[i].params / n_params - 1) > 0.6 ||
            preset_open(list.items[i].name, &net, NULL) != STATUS_OK)
            continue;
        bool fits = has_params(&net, n_params, half_unit);
        if (fits && found && !transformer_same_shape(out, &net))
            status = err_set(err, STATUS_NOT_FOUND,
                             "'%s' may be %s or %s (--model '%s=MODEL' says which it is)", name,
                             out->name, net.name, name);
        if (fits && !found) {
            *out = net;
            found = true;
        } else {
            transformer_release(&net);
        }
    }
    preset_list_release(&list);
    if (status == STATUS_OK && !found)
        status = err_set(err, STATUS_NOT_FOUND,
                         "unknown model '%s' of %.4g M parameters (--model '%s=MODEL' says which "
                         "it is)",
                         name, n_params / 1e6, name);
    if (status != STATUS_OK && found)
        transformer_release(out);
    return status;
}
