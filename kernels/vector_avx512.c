#include "kernels/simd_avx512.h"

#include "kernels/vector_body.h"
