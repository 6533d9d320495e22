#include "model/dtype.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { QK = 256 }; /* elements of a block of k, i and t types */

/* Block sizes and bytes: ggml's block_q* structs. Numbers: enum ggml_type (ggml.h) and llama_ftype
 * (llama.h); i2_s: Microsoft's fork of it for bitnet.cpp. Instead: the switch at the end of
 * llama_tensor_get_type (llama-quant.cpp). */
/* clang-format off */
static const struct {
    const char *name;
    int64_t elems, bytes;           /* of a block */
    int64_t row_bytes, tensor_bytes; /* more for every row and matrix that is not empty */
    int ggml, ggml_file;
    enum dtype instead;  /* where a block of 256 does not divide a row */
    enum dtype relative; /* f32: none */
} traits[N_DTYPES] = {
    [DTYPE_F32]     = {"f32",     1,   4,   0, 0,  0,  0,  DTYPE_F32,    DTYPE_F32},
    [DTYPE_F16]     = {"f16",     1,   2,   0, 0,  1,  1,  DTYPE_F16,    DTYPE_F32},
    [DTYPE_BF16]    = {"bf16",    1,   2,   0, 0,  30, 32, DTYPE_BF16,   DTYPE_F32},
    [DTYPE_Q8_0]    = {"q8_0",    32,  34,  0, 0,  8,  7,  DTYPE_Q8_0,   DTYPE_F32},
    [DTYPE_Q6_K]    = {"q6_k",    QK,  210, 0, 0,  14, 18, DTYPE_Q8_0,   DTYPE_Q4_K},
    [DTYPE_Q5_1]    = {"q5_1",    32,  24,  0, 0,  7,  9,  DTYPE_Q5_1,   DTYPE_Q5_0},
    [DTYPE_Q5_K]    = {"q5_k",    QK,  176, 0, 0,  13, 17, DTYPE_Q5_1,   DTYPE_Q4_K},
    [DTYPE_Q5_0]    = {"q5_0",    32,  22,  0, 0,  6,  8,  DTYPE_Q5_0,   DTYPE_Q4_0},
    [DTYPE_Q4_1]    = {"q4_1",    32,  20,  0, 0,  3,  3,  DTYPE_Q4_1,   DTYPE_Q4_0},
    [DTYPE_Q4_0]    = {"q4_0",    32,  18,  0, 0,  2,  2,  DTYPE_Q4_0,   DTYPE_F32},
    [DTYPE_Q4_K]    = {"q4_k",    QK,  144, 0, 0,  12, 15, DTYPE_Q5_0,   DTYPE_F32},
    [DTYPE_IQ4_NL]  = {"iq4_nl",  32,  18,  0, 0,  20, 25, DTYPE_IQ4_NL, DTYPE_Q4_0},
    [DTYPE_MXFP4]   = {"mxfp4",   32,  17,  0, 0,  39, 38, DTYPE_MXFP4,  DTYPE_Q4_0},
    [DTYPE_IQ4_XS]  = {"iq4_xs",  QK,  136, 0, 0,  23, 30, DTYPE_IQ4_NL, DTYPE_Q4_K},
    [DTYPE_Q3_K]    = {"q3_k",    QK,  110, 0, 0,  11, 12, DTYPE_IQ4_NL, DTYPE_Q4_K},
    [DTYPE_IQ3_S]   = {"iq3_s",   QK,  110, 0, 0,  21, 26, DTYPE_IQ4_NL, DTYPE_Q3_K},
    [DTYPE_IQ3_XXS] = {"iq3_xxs", QK,  98,  0, 0,  18, 23, DTYPE_IQ4_NL, DTYPE_Q3_K},
    [DTYPE_Q2_K]    = {"q2_k",    QK,  84,  0, 0,  10, 10, DTYPE_IQ4_NL, DTYPE_Q3_K},
    [DTYPE_IQ2_S]   = {"iq2_s",   QK,  82,  0, 0,  22, 28, DTYPE_IQ4_NL, DTYPE_Q2_K},
    [DTYPE_IQ2_XS]  = {"iq2_xs",  QK,  74,  0, 0,  17, 20, DTYPE_IQ4_NL, DTYPE_Q2_K},
    [DTYPE_IQ2_XXS] = {"iq2_xxs", QK,  66,  0, 0,  16, 19, DTYPE_IQ4_NL, DTYPE_Q2_K},
    [DTYPE_TQ2_0]   = {"tq2_0",   QK,  66,  0, 0,  35, 37, DTYPE_Q4_0,   DTYPE_Q2_K},
    [DTYPE_I2_S]    = {"i2_s",    4,   1,   0, 32, 36, 40, DTYPE_I2_S,   DTYPE_TQ2_0},
    [DTYPE_IQ1_M]   = {"iq1_m",   QK,  56,  0, 0,  29, 31, DTYPE_IQ4_NL, DTYPE_Q2_K},
    [DTYPE_TQ1_0]   = {"tq1_0",   QK,  54,  0, 0,  34, 36, DTYPE_Q4_0,   DTYPE_TQ2_0},
    [DTYPE_IQ1_S]   = {"iq1_s",   QK,  50,  0, 0,  19, 24, DTYPE_IQ4_NL, DTYPE_Q2_K},
    [DTYPE_B1]      = {"b1",      8,   1,   4, 0,  -1, -1, DTYPE_B1,     DTYPE_F32},
};

/* Base types and numbers: llama_model_quantize_impl (llama-quant.cpp). */
static const struct {
    const char *name;
    enum dtype base;
    int ggml_file;
} files[N_WEIGHT_TYPES - N_DTYPES] = {
#define FILE_ROW(file) [(file) - N_DTYPES]
    FILE_ROW(FILE_F32)       = {"F32",       DTYPE_F32,     0},
    FILE_ROW(FILE_F16)       = {"F16",       DTYPE_F16,     1},
    FILE_ROW(FILE_BF16)      = {"BF16",      DTYPE_BF16,    32},
    FILE_ROW(FILE_Q8_0)      = {"Q8_0",      DTYPE_Q8_0,    7},
    FILE_ROW(FILE_Q6_K)      = {"Q6_K",      DTYPE_Q6_K,    18},
    FILE_ROW(FILE_Q5_K_M)    = {"Q5_K_M",    DTYPE_Q5_K,    17},
    FILE_ROW(FILE_Q5_K_S)    = {"Q5_K_S",    DTYPE_Q5_K,    16},
    FILE_ROW(FILE_Q5_1)      = {"Q5_1",      DTYPE_Q5_1,    9},
    FILE_ROW(FILE_Q5_0)      = {"Q5_0",      DTYPE_Q5_0,    8},
    FILE_ROW(FILE_Q4_K_M)    = {"Q4_K_M",    DTYPE_Q4_K,    15},
    FILE_ROW(FILE_Q4_K_S)    = {"Q4_K_S",    DTYPE_Q4_K,    14},
    FILE_ROW(FILE_Q4_1)      = {"Q4_1",      DTYPE_Q4_1,    3},
    FILE_ROW(FILE_Q4_0)      = {"Q4_0",      DTYPE_Q4_0,    2},
    FILE_ROW(FILE_IQ4_NL)    = {"IQ4_NL",    DTYPE_IQ4_NL,  25},
    FILE_ROW(FILE_IQ4_XS)    = {"IQ4_XS",    DTYPE_IQ4_XS,  30},
    FILE_ROW(FILE_MXFP4_MOE) = {"MXFP4_MOE", DTYPE_Q8_0,    38}, /* mxfp4 for experts alone */
    FILE_ROW(FILE_Q3_K_L)    = {"Q3_K_L",    DTYPE_Q3_K,    13},
    FILE_ROW(FILE_Q3_K_M)    = {"Q3_K_M",    DTYPE_Q3_K,    12},
    FILE_ROW(FILE_Q3_K_S)    = {"Q3_K_S",    DTYPE_Q3_K,    11},
    FILE_ROW(FILE_IQ3_M)     = {"IQ3_M",     DTYPE_IQ3_S,   27},
    FILE_ROW(FILE_IQ3_S)     = {"IQ3_S",     DTYPE_IQ3_S,   26},
    FILE_ROW(FILE_IQ3_XS)    = {"IQ3_XS",    DTYPE_IQ3_S,   22},
    FILE_ROW(FILE_IQ3_XXS)   = {"IQ3_XXS",   DTYPE_IQ3_XXS, 23},
    FILE_ROW(FILE_Q2_K)      = {"Q2_K",      DTYPE_Q2_K,    10},
    FILE_ROW(FILE_Q2_K_S)    = {"Q2_K_S",    DTYPE_Q2_K,    21},
    FILE_ROW(FILE_IQ2_M)     = {"IQ2_M",     DTYPE_IQ2_S,   29},
    FILE_ROW(FILE_IQ2_S)     = {"IQ2_S",     DTYPE_IQ2_XS,  28},
    FILE_ROW(FILE_IQ2_XS)    = {"IQ2_XS",    DTYPE_IQ2_XS,  20},
    FILE_ROW(FILE_IQ2_XXS)   = {"IQ2_XXS",   DTYPE_IQ2_XXS, 19},
    FILE_ROW(FILE_TQ2_0)     = {"TQ2_0",     DTYPE_TQ2_0,   37},
    FILE_ROW(FILE_TQ1_0)     = {"TQ1_0",     DTYPE_TQ1_0,   36},
    FILE_ROW(FILE_IQ1_M)     = {"IQ1_M",     DTYPE_IQ1_M,   31},
    FILE_ROW(FILE_IQ1_S)     = {"IQ1_S",     DTYPE_IQ1_S,   24},
};
/* clang-format on */

const char *dtype_name(enum dtype dtype)
{
    assert(dtype < N_WEIGHT_TYPES);
    return is_file_type(dtype) ? files[dtype - N_DTYPES].name : traits[dtype].name;
}

const char *dtype_names(bool (*has)(enum dtype dtype), const char *between, const char *last,
                        char buffer[DTYPE_NAMES_SIZE])
{
    size_t length = 0;
    int n = 0, left = 0;
    for (int i = 0; i < N_DTYPES; i++)
        left += !has || has((enum dtype)i);
    for (int i = 0; i < N_DTYPES; i++) {
        if (has && !has((enum dtype)i))
            continue;
        const char *before = n++ == 0 ? "" : left == 1 ? last : between;
        length += (size_t)snprintf(buffer + length, DTYPE_NAMES_SIZE - length, "%s%s", before,
                                   traits[i].name);
        assert(length < DTYPE_NAMES_SIZE);
        left--;
    }
    return buffer;
}

static enum status unknown_name(const char *name, int n_names, struct err *err)
{
    const char *names[N_WEIGHT_TYPES];
    struct text known = {0};
    for (int i = 0; i < n_names; i++) {
        names[i] = dtype_name((enum dtype)i);
        text_addf(&known, "%s%s", i > 0 ? " " : "", names[i]);
    }
    const char *near = text_nearest(name, names, (size_t)n_names);
    enum status status = err_set(err, STATUS_USAGE, "unknown weight type '%s'%s%s%s (known: %s)",
                                 name, near ? ": did you mean '" : "", near ? near : "",
                                 near ? "'?" : "", known.data != NULL ? known.data : "");
    text_release(&known);
    return status;
}

static bool find_name(const char *name, int (*compare)(const char *a, const char *b), int first,
                      int end, enum dtype *out)
{
    for (int i = first; i < end; i++) {
        if (compare(name, dtype_name((enum dtype)i)) == 0) {
            *out = (enum dtype)i;
            return true;
        }
    }
    return false;
}

enum status dtype_parse(const char *name, enum dtype *out, struct err *err)
{
    return find_name(name, strcmp, 0, N_DTYPES, out) ? STATUS_OK
                                                     : unknown_name(name, N_DTYPES, err);
}

/* llama-quantize's. */
static const struct {
    const char *name;
    enum dtype file;
} short_names[] = {
    {"Q5_K", FILE_Q5_K_M},
    {"Q4_K", FILE_Q4_K_M},
    {"Q3_K", FILE_Q3_K_M},
};

enum status weight_type_parse(const char *name, enum dtype *out, struct err *err)
{
    if (find_name(name, strcmp, 0, N_WEIGHT_TYPES, out))
        return STATUS_OK;
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++) {
        if (strcmp(name, short_names[i].name) == 0) {
            *out = short_names[i].file;
            return STATUS_OK;
        }
    }
    enum dtype tensors;
    bool is_ambiguous = find_name(name, strcasecmp, 0, N_DTYPES, &tensors);
    if (!is_ambiguous && find_name(name, strcasecmp, N_DTYPES, N_WEIGHT_TYPES, out))
        return STATUS_OK;
    return unknown_name(name, N_WEIGHT_TYPES, err);
}

enum dtype dtype_base(enum dtype dtype)
{
    assert(dtype < N_WEIGHT_TYPES);
    return is_file_type(dtype) ? files[dtype - N_DTYPES].base : dtype;
}

int64_t dtype_block_elems(enum dtype dtype)
{
    return traits[dtype].elems;
}

int64_t dtype_block_bytes(enum dtype dtype)
{
    return traits[dtype].bytes;
}

int64_t dtype_tensor_bytes(enum dtype dtype)
{
    return traits[dtype].tensor_bytes;
}

int dtype_ggml_type(enum dtype dtype)
{
    return traits[dtype].ggml;
}

bool dtype_of_ggml(int ggml_type, enum dtype *out)
{
    for (int i = 0; i < N_DTYPES; i++) {
        if (traits[i].ggml == ggml_type && ggml_type >= 0) {
            *out = (enum dtype)i;
            return true;
        }
    }
    return false;
}

int dtype_ggml_file_type(enum dtype dtype)
{
    return is_file_type(dtype) ? files[dtype - N_DTYPES].ggml_file : traits[dtype].ggml_file;
}

bool dtype_of_ggml_file(int64_t number, enum dtype *out)
{
    for (int i = N_DTYPES; i < N_WEIGHT_TYPES; i++) {
        if (files[i - N_DTYPES].ggml_file == number) {
            *out = (enum dtype)i;
            return true;
        }
    }
    return false;
}

enum dtype dtype_for_row(enum dtype dtype, int64_t n)
{
    if (traits[dtype].elems != QK || n % QK == 0)
        return dtype;
    enum dtype instead = traits[dtype].instead;
    return n % traits[instead].elems == 0 ? instead : DTYPE_F16;
}

enum dtype dtype_relative(enum dtype dtype)
{
    enum dtype relative = traits[dtype].relative;
    return relative == DTYPE_F32 ? dtype : relative;
}

int64_t dtype_row_bytes(enum dtype dtype, int64_t n)
{
    assert(n >= 0);
    int64_t blocks = (n + traits[dtype].elems - 1) / traits[dtype].elems;
    return blocks * traits[dtype].bytes + (n > 0 ? traits[dtype].row_bytes : 0);
}

int64_t dtype_matrix_bytes(enum dtype dtype, int64_t rows, int64_t n)
{
    int64_t bytes = rows * dtype_row_bytes(dtype, n);
    return bytes + (bytes > 0 ? traits[dtype].tensor_bytes : 0);
}

int64_t dtype_vector_bytes(enum dtype dtype, int64_t n)
{
    return n * (traits[dtype].elems > 1 ? 4 : traits[dtype].bytes);
}
