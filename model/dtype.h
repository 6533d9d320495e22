/* Weight and cache types by the names of GGUF, and what they cost in bytes.
 *
 * A block type stores `block_elems` consecutive elements of a row in `block_bytes`, scales included
 * (ggml's layouts: q8_0 is 32 int8 and one f16 scale, 34 bytes). Rows are padded to whole blocks.
 */
#ifndef LATHE_MODEL_DTYPE_H
#define LATHE_MODEL_DTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_Q8_0,
    DTYPE_Q6_K,
    DTYPE_Q5_0,
    DTYPE_Q4_0,
    DTYPE_Q4_K,
    DTYPE_Q3_K,
    DTYPE_Q2_K,
    DTYPE_B1, /* sign bits, one f32 scale a row (XNOR-Net); 1 bit an element, rows padded to bytes
               */
    N_DTYPES,
};

const char *dtype_name(enum dtype dtype);
/* Errors: STATUS_USAGE, with the nearest name. */
enum status dtype_parse(const char *name, enum dtype *out, struct err *err);
bool dtype_is_block(enum dtype dtype); /* quantised: a vector (norm, bias) beside it stays f32 */
int64_t dtype_block_elems(enum dtype dtype);
int64_t dtype_block_bytes(enum dtype dtype);

/* Bytes of one row of `n` elements, n >= 0, padded to whole blocks. No overflow for n <= 2^48. */
int64_t dtype_row_bytes(enum dtype dtype, int64_t n);
/* Bytes of a norm or bias vector beside weights of `dtype`: f32 beside block types, else the type.
 */
int64_t dtype_vector_bytes(enum dtype dtype, int64_t n);

#endif
