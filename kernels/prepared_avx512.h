/* Quantised activations as the AVX-512 rows take them. */
#ifndef LATHE_KERNELS_PREPARED_AVX512_H
#define LATHE_KERNELS_PREPARED_AVX512_H

#include <stdint.h>

/* Four blocks of 32 elements; blocks beyond the end are zeros. */
struct q8_group {
    _Alignas(64) int8_t low[64]; /* elements 0..15 of each block */
    int8_t high[64];             /* elements 16..31 */
    int32_t bias[16]; /* at 4 b: minus the weights' shift times the sum of block b; 0 elsewhere */
    float scale[16];  /* of block b in 4 b .. 4 b + 3 */
};

#endif
