/* Weight and cache types by the names of GGUF, and what they cost in bytes. docs/HACKING.md
 * says what a new type takes.
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
    DTYPE_F16,  /* rounded to nearest, ties to even */
    DTYPE_BF16, /* the same */
    /* 32 elements: f16 scale d = max|x| / 127, then 32 int8 = round-half-away(x / d) */
    DTYPE_Q8_0,
    DTYPE_Q6_K,
    DTYPE_Q5_0,
    /* 32 elements: f16 scale d = m / -8, m the element of largest magnitude, then 16 bytes; byte j
     * holds element j (low nibble) and j + 16 (high), q = min(15, floor(x / d + 8.5)), x ~ (q - 8) d
     */
    DTYPE_Q4_0,
    DTYPE_Q4_K,
    DTYPE_Q3_K,
    DTYPE_Q2_K,
    /* ceil(n / 8) bytes of signs, element i is bit i % 8 of byte i / 8, set = +; then one f32 scale =
     * mean |x| of the row, at no particular alignment (XNOR-Net, arXiv:1603.05279) */
    DTYPE_B1,
    N_DTYPES,
};

const char *dtype_name(enum dtype dtype);
/* Errors: STATUS_USAGE, with the nearest name. */
enum status dtype_parse(const char *name, enum dtype *out, struct err *err);
/* The names for which `has` says so (NULL: all), as a sentence: "f32, f16 and b1" with ", " and
 * " and ". Returns buffer. */
const char *dtype_names(bool (*has)(enum dtype dtype), const char *between, const char *last,
                        char buffer[128]);
int64_t dtype_block_elems(enum dtype dtype); /* above 1: quantised */
int64_t dtype_block_bytes(enum dtype dtype);

/* ggml's number of the type; -1: it has none. */
int dtype_ggml_type(enum dtype dtype);
/* False: lathe has no such type. */
bool dtype_of_ggml(int ggml_type, enum dtype *out);
/* llama.cpp's number of a file whose matrices mostly have the type; -1: it has none. */
int dtype_ggml_file_type(enum dtype dtype);

/* Bytes of one row of `n` elements, n >= 0, padded to whole blocks. No overflow for n <= 2^48. */
int64_t dtype_row_bytes(enum dtype dtype, int64_t n);
/* Bytes of a norm or bias vector beside weights of `dtype`: f32 beside block types, else the type.
 */
int64_t dtype_vector_bytes(enum dtype dtype, int64_t n);

#endif
