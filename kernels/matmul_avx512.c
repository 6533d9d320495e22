#include "kernels/simd_avx512.h"

#include "kernels/matmul_body.h"

DEFINE_MATMUL(f32, DTYPE_F32)
DEFINE_MATMUL(f16, DTYPE_F16)
DEFINE_MATMUL(bf16, DTYPE_BF16)
