#include "model/dtype.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Block sizes and bytes: ggml's block_q* structs. Numbers: enum ggml_type (ggml.h) and llama_ftype
 * (llama.h). */
/* clang-format off */
static const struct {
    const char *name;
    int64_t elems, bytes; /* of a block */
    int64_t row_bytes;    /* more for every row that is not empty */
    int ggml, ggml_file;
} traits[N_DTYPES] = {
    [DTYPE_F32]  = {"f32",  1,   4,   0, 0,  0},
    [DTYPE_F16]  = {"f16",  1,   2,   0, 1,  1},
    [DTYPE_BF16] = {"bf16", 1,   2,   0, 30, 32},
    [DTYPE_Q8_0] = {"q8_0", 32,  34,  0, 8,  7},
    [DTYPE_Q6_K] = {"q6_k", 256, 210, 0, 14, 18},
    [DTYPE_Q5_0] = {"q5_0", 32,  22,  0, 6,  8},
    [DTYPE_Q4_0] = {"q4_0", 32,  18,  0, 2,  2},
    [DTYPE_Q4_K] = {"q4_k", 256, 144, 0, 12, 15},
    [DTYPE_Q3_K] = {"q3_k", 256, 110, 0, 11, 12},
    [DTYPE_Q2_K] = {"q2_k", 256, 84,  0, 10, 10},
    [DTYPE_B1]   = {"b1",   8,   1,   4, -1, -1},
};
/* clang-format on */

const char *dtype_name(enum dtype dtype)
{
    assert(dtype < N_DTYPES);
    return traits[dtype].name;
}

const char *dtype_names(bool (*has)(enum dtype dtype), const char *between, const char *last,
                        char buffer[128])
{
    size_t length = 0;
    int n = 0, left = 0;
    for (int i = 0; i < N_DTYPES; i++)
        left += !has || has((enum dtype)i);
    for (int i = 0; i < N_DTYPES; i++) {
        if (has && !has((enum dtype)i))
            continue;
        const char *before = n++ == 0 ? "" : left == 1 ? last : between;
        length += (size_t)snprintf(buffer + length, 128 - length, "%s%s", before, traits[i].name);
        assert(length < 128);
        left--;
    }
    return buffer;
}

enum status dtype_parse(const char *name, enum dtype *out, struct err *err)
{
    const char *names[N_DTYPES];
    char known[128];
    for (int i = 0; i < N_DTYPES; i++) {
        names[i] = traits[i].name;
        if (strcmp(name, names[i]) == 0) {
            *out = (enum dtype)i;
            return STATUS_OK;
        }
    }
    const char *near = text_nearest(name, names, N_DTYPES);
    return err_set(err, STATUS_USAGE, "unknown weight type '%s'%s%s%s (known: %s)", name,
                   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "",
                   dtype_names(NULL, " ", " ", known));
}

int64_t dtype_block_elems(enum dtype dtype)
{
    return traits[dtype].elems;
}

int64_t dtype_block_bytes(enum dtype dtype)
{
    return traits[dtype].bytes;
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
    return traits[dtype].ggml_file;
}

int64_t dtype_row_bytes(enum dtype dtype, int64_t n)
{
    assert(n >= 0);
    int64_t blocks = (n + traits[dtype].elems - 1) / traits[dtype].elems;
    return blocks * traits[dtype].bytes + (n > 0 ? traits[dtype].row_bytes : 0);
}

int64_t dtype_vector_bytes(enum dtype dtype, int64_t n)
{
    return n * (traits[dtype].elems > 1 ? 4 : traits[dtype].bytes);
}
