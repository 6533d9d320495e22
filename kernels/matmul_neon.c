#include "kernels/simd_neon.h"

#include "kernels/matmul_body.h"

DEFINE_MATMUL(f32, DTYPE_F32)
DEFINE_MATMUL(f16, DTYPE_F16)
DEFINE_MATMUL(bf16, DTYPE_BF16)
DEFINE_MATMUL(q8_0, DTYPE_Q8_0)
DEFINE_MATMUL(q4_0, DTYPE_Q4_0)
