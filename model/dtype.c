#include "model/dtype.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Block sizes and bytes: ggml's block_q* structs; b1 counts the packed bits, its row scale is added
 * in dtype_row_bytes. */
static const struct {
    const char *name;
    bool is_block;
    int64_t elems, bytes;
} traits[N_DTYPES] = {
    [DTYPE_F32] = {"f32", false, 1, 4},      [DTYPE_F16] = {"f16", false, 1, 2},
    [DTYPE_BF16] = {"bf16", false, 1, 2},    [DTYPE_Q8_0] = {"q8_0", true, 32, 34},
    [DTYPE_Q6_K] = {"q6_k", true, 256, 210}, [DTYPE_Q5_0] = {"q5_0", true, 32, 22},
    [DTYPE_Q4_0] = {"q4_0", true, 32, 18},   [DTYPE_Q4_K] = {"q4_k", true, 256, 144},
    [DTYPE_Q3_K] = {"q3_k", true, 256, 110}, [DTYPE_Q2_K] = {"q2_k", true, 256, 84},
    [DTYPE_B1] = {"b1", true, 8, 1},
};

const char *dtype_name(enum dtype dtype)
{
    assert(dtype < N_DTYPES);
    return traits[dtype].name;
}

enum status dtype_parse(const char *name, enum dtype *out, struct err *err)
{
    const char *names[N_DTYPES];
    for (int i = 0; i < N_DTYPES; i++) {
        names[i] = traits[i].name;
        if (strcmp(name, names[i]) == 0) {
            *out = (enum dtype)i;
            return STATUS_OK;
        }
    }
    const char *near = text_nearest(name, names, N_DTYPES);
    return err_set(err, STATUS_USAGE,
                   "unknown weight type '%s'%s%s%s (known: f32 f16 bf16 q8_0 q6_k q5_0 q4_0 q4_k "
                   "q3_k q2_k b1)",
                   name, near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

bool dtype_is_block(enum dtype dtype)
{
    return traits[dtype].is_block;
}

int64_t dtype_block_elems(enum dtype dtype)
{
    return traits[dtype].elems;
}

int64_t dtype_block_bytes(enum dtype dtype)
{
    return traits[dtype].bytes;
}

int64_t dtype_row_bytes(enum dtype dtype, int64_t n)
{
    assert(n >= 0);
    int64_t scale = dtype == DTYPE_B1 && n > 0 ? 4 : 0;
    return (n + traits[dtype].elems - 1) / traits[dtype].elems * traits[dtype].bytes + scale;
}

int64_t dtype_vector_bytes(enum dtype dtype, int64_t n)
{
    return n * (traits[dtype].is_block ? 4 : traits[dtype].bytes);
}
