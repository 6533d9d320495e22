/* Rows of numbers in the stored types: to and from f32.
 *
 * Layouts (model/dtype.h) and rounding are those of ggml's reference quantisation, bit for bit for
 * finite input (checked against its text: ggml/src/ggml-quants.c, quantize_row_*_ref).
 * Scales are divided by in f32 and rounded to f16 only when stored, as ggml does.
 *
 * A row is dtype_row_bytes(dtype, n) bytes. The last block of a row that is not a multiple of its
 * block is filled up with zeros, which ggml itself refuses. Little-endian machines only. */
#ifndef LATHE_MODEL_QUANTIZE_H
#define LATHE_MODEL_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/dtype.h"

/* Whether the two functions below know the type. */
bool quantize_supports(enum dtype dtype);

/* x: [n], finite, n >= 0. out: dtype_row_bytes(dtype, n) bytes, any alignment, no overlap. `dtype`
 * is supported. A scale beyond f16 (max|x| / 127 > 65504 for q8_0) is stored as infinity. */
void quantize_row(enum dtype dtype, int64_t n, const float *x, void *out);

/* in: as quantize_row wrote it, any alignment. out: [n]. Every value of a finite scale is exact in
 * f32. */
void dequantize_row(enum dtype dtype, int64_t n, const void *in, float *out);

/* Single numbers. Overflow gives infinity, a NaN stays a (quiet) NaN, subnormals are kept. */
uint16_t f16_from_f32(float x);
float f32_from_f16(uint16_t h);
uint16_t bf16_from_f32(float x);
float f32_from_bf16(uint16_t h);

#endif
