#include "fit/bench_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/model_arg.h"

/* Mixes of types carry the name of what most of their weights are. */
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
    lower(file_base_name(name), out, size);
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

static bool is_gguf(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "rb");
    bool found = file != NULL && fread(magic, 1, 4, file) == 4 && memcmp(magic, "GGUF", 4) == 0;
    if (file != NULL)
        fclose(file);
    return found;
}

static const char *alias_of(const struct fit_aliases *aliases, const char *name, const char *bare)
{
    for (size_t i = 0; aliases != NULL && i < aliases->n; i++) {
        const char *alias = aliases->items[i].name;
        if (strcmp(alias, name) == 0 || strcmp(alias, bare) == 0 ||
            strcmp(alias, file_base_name(name)) == 0)
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
    *has_types = is_gguf(arg);
    enum status status = model_open(arg, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        status = model_open(bare, out, NULL, err);
    if (status != STATUS_OK && alias == NULL)
        err_set(err, status, "unknown model '%s' (--model '%s=MODEL' says which it is)", name,
                bare);
    return status;
}
