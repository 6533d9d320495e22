/* Weight and cache types by the names of GGUF, and what they cost in bytes. docs/HACKING.md
 * says what a new type takes.
 *
 * A block type stores `block_elems` consecutive elements of a row in `block_bytes`, scales included
 * (ggml's layouts: q8_0 is 32 int8 and one f16 scale, 34 bytes). Rows are padded to whole blocks,
 * but for types with blocks of 256, which a row of another length cannot have (dtype_for_row).
 *
 * Names in lower case are types of tensors. Those in capitals are types of files, "Q4_K_M", as
 * llama.cpp's quantizer makes them: each tensor of a network has a type of its own
 * (model/file_type.h).
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
    DTYPE_Q5_1,
    DTYPE_Q5_K,
    DTYPE_Q5_0,
    DTYPE_Q4_1,
    /* 32 elements: f16 scale d = m / -8, m the element of largest magnitude, then 16 bytes; byte j
     * holds element j (low nibble) and j + 16 (high), q = min(15, floor(x / d + 8.5)), x ~ (q - 8) d
     */
    DTYPE_Q4_0,
    DTYPE_Q4_K,
    DTYPE_IQ4_NL,
    DTYPE_MXFP4,
    DTYPE_IQ4_XS,
    DTYPE_Q3_K,
    DTYPE_IQ3_S,
    DTYPE_IQ3_XXS,
    DTYPE_Q2_K,
    DTYPE_IQ2_S,
    DTYPE_IQ2_XS,
    DTYPE_IQ2_XXS,
    DTYPE_TQ2_0,
    DTYPE_I2_S, /* bitnet.cpp: two bits a weight, 32 bytes more for every matrix */
    DTYPE_IQ1_M,
    DTYPE_TQ1_0,
    DTYPE_IQ1_S,
    /* ceil(n / 8) bytes of signs, element i is bit i % 8 of byte i / 8, set = +; then one f32 scale =
     * mean |x| of the row, at no particular alignment (XNOR-Net, arXiv:1603.05279) */
    DTYPE_B1,
    N_DTYPES,

    /* Types of files. */
    FILE_F32 = N_DTYPES,
    FILE_F16,
    FILE_BF16,
    FILE_Q8_0,
    FILE_Q6_K,
    FILE_Q5_K_M,
    FILE_Q5_K_S,
    FILE_Q5_1,
    FILE_Q5_0,
    FILE_Q4_K_M,
    FILE_Q4_K_S,
    FILE_Q4_1,
    FILE_Q4_0,
    FILE_IQ4_NL,
    FILE_IQ4_XS,
    FILE_MXFP4_MOE,
    FILE_Q3_K_L,
    FILE_Q3_K_M,
    FILE_Q3_K_S,
    FILE_IQ3_M,
    FILE_IQ3_S,
    FILE_IQ3_XS,
    FILE_IQ3_XXS,
    FILE_Q2_K,
    FILE_Q2_K_S,
    FILE_IQ2_M,
    FILE_IQ2_S,
    FILE_IQ2_XS,
    FILE_IQ2_XXS,
    FILE_TQ2_0,
    FILE_TQ1_0,
    FILE_IQ1_M,
    FILE_IQ1_S,
    N_WEIGHT_TYPES,
};

static inline bool is_file_type(enum dtype dtype)
{
    return dtype >= N_DTYPES;
}

enum { DTYPE_NAMES_SIZE = 512 };

const char *dtype_name(enum dtype dtype);
/* A type of tensors. Errors: STATUS_USAGE, with the nearest name. */
enum status dtype_parse(const char *name, enum dtype *out, struct err *err);
/* A type of tensors or of files. Where both have the name, lower case is that of tensors; where only
 * a file has it ("q4_k_m"), any case will do; "Q4_K" is "Q4_K_M". Errors: as above. */
enum status weight_type_parse(const char *name, enum dtype *out, struct err *err);
/* The names of tensor types for which `has` says so (NULL: all), as a sentence: "f32, f16 and b1"
 * with ", " and " and ". Returns buffer. */
const char *dtype_names(bool (*has)(enum dtype dtype), const char *between, const char *last,
                        char buffer[DTYPE_NAMES_SIZE]);
/* Of a type of files: the one that llama.cpp's quantizer starts from, which most matrices of blocks
 * have. Of any other: itself. */
enum dtype dtype_base(enum dtype dtype);

/* The rest is for types of tensors. */
int64_t dtype_block_elems(enum dtype dtype); /* above 1: quantised */
int64_t dtype_block_bytes(enum dtype dtype);
int64_t dtype_tensor_bytes(enum dtype dtype); /* more for every matrix */

/* ggml's number of the type; -1: it has none. */
int dtype_ggml_type(enum dtype dtype);
/* False: lathe has no such type. */
bool dtype_of_ggml(int ggml_type, enum dtype *out);
/* llama.cpp's number of a file of this type, or whose matrices mostly have it; -1: it has none. */
int dtype_ggml_file_type(enum dtype dtype);
/* The type of files of that number. False: lathe has none. */
bool dtype_of_ggml_file(int64_t number, enum dtype *out);

/* The type that a matrix with rows of `n` elements gets where this one is asked for: itself, or where
 * a block of 256 does not divide the row what llama.cpp's quantizer takes instead, q4_k -> q5_0,
 * f16 where 32 does not divide it either. */
enum dtype dtype_for_row(enum dtype dtype, int64_t n);

/* The type whose rate stands for this one's where a device has none of its own: q5_1's is q5_0's. The
 * type itself: there is none. */
enum dtype dtype_relative(enum dtype dtype);

/* Bytes of one row of `n` elements, n >= 0, padded to whole blocks. No overflow for n <= 2^48. */
int64_t dtype_row_bytes(enum dtype dtype, int64_t n);
/* Of a matrix. */
int64_t dtype_matrix_bytes(enum dtype dtype, int64_t rows, int64_t n);
/* Bytes of a norm or bias vector beside weights of `dtype`: f32 beside block types, else the type.
 */
int64_t dtype_vector_bytes(enum dtype dtype, int64_t n);

#endif
