/* Rows of numbers in the stored types: to and from f32.
 *
 * Layouts and rounding are those of ggml's reference quantisation, bit for bit for finite input
 * (checked against its text: ggml/src/ggml-quants.c, quantize_row_*_ref):
 *   f16, bf16  round to nearest, ties to even
 *   q8_0       32 elements: f16 scale d = max|x| / 127, then 32 int8 = round-half-away(x / d)
 *   q4_0       32 elements: f16 scale d = m / -8, m the element of largest magnitude, then 16
 * bytes; byte j holds element j (low nibble) and j + 16 (high), q = min(15, floor(x / d + 8.5)), x
 * ~ (q - 8) d b1         ceil(n / 8) bytes of signs, element i is bit i % 8 of byte i / 8, set = +;
 * then one f32 scale = mean |x| of the row, at no particular alignment (XNOR-Net, arXiv:1603.05279)
 * Scales are divided by in f32 and rounded to f16 only when stored, as ggml does.
 *
 * A row is dtype_row_bytes(dtype, n) bytes. The last block of a row that is not a multiple of its
 * block is filled up with zeros, which ggml itself refuses. Little-endian machines only. */
#ifndef LATHE_MODEL_QUANTIZE_H
#define LATHE_MODEL_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/dtype.h"

/* Types the two functions below know: f32 f16 bf16 q8_0 q4_0 b1. */
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
