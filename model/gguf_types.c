#include "model/gguf_types.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    int64_t bytes; /* 0: not of fixed size */
} value_types[N_GGUF_TYPES] = {
    [GGUF_UINT8] = {"u8", 1},    [GGUF_INT8] = {"i8", 1},    [GGUF_UINT16] = {"u16", 2},
    [GGUF_INT16] = {"i16", 2},   [GGUF_UINT32] = {"u32", 4}, [GGUF_INT32] = {"i32", 4},
    [GGUF_FLOAT32] = {"f32", 4}, [GGUF_BOOL] = {"bool", 1},  [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_UINT64] = {"u64", 8}, [GGUF_INT64] = {"i64", 8},
    [GGUF_FLOAT64] = {"f64", 8},
};

/* Those that no weights are stored in (model/dtype.c has the others): ggml.h's numbering,
 * ggml-common.h's structs. Numbers that ggml has withdrawn (4, 5, 31 to 33, 37, 38) have no row. */
static const struct gguf_tensor_type foreign_types[] = {
    [9] = {"q8_1", 32, 36, 0}, [15] = {"q8_k", 256, 292, 0}, [24] = {"i8", 1, 1, 0},
    [25] = {"i16", 1, 2, 0},   [26] = {"i32", 1, 4, 0},      [27] = {"i64", 1, 8, 0},
    [28] = {"f64", 1, 8, 0},
};
enum { N_FOREIGN_TYPES = sizeof foreign_types / sizeof foreign_types[0] };

bool gguf_tensor_type(int ggml_type, struct gguf_tensor_type *out)
{
    enum dtype dtype;
    if (dtype_of_ggml(ggml_type, &dtype)) {
        *out = (struct gguf_tensor_type){dtype_name(dtype), dtype_block_elems(dtype),
                                         dtype_block_bytes(dtype), dtype_tensor_bytes(dtype)};
        return true;
    }
    if (ggml_type < 0 || ggml_type >= N_FOREIGN_TYPES || foreign_types[ggml_type].name == NULL)
        return false;
    *out = foreign_types[ggml_type];
    return true;
}

const char *gguf_type_name(enum gguf_type type)
{
    assert(type < N_GGUF_TYPES);
    return value_types[type].name;
}

int64_t gguf_type_bytes(enum gguf_type type)
{
    return value_types[type].bytes;
}

const char *gguf_tensor_type_name(int ggml_type)
{
    struct gguf_tensor_type type;
    return gguf_tensor_type(ggml_type, &type) ? type.name : NULL;
}
