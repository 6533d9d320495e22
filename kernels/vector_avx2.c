#include "kernels/simd_avx2.h"

#include "kernels/vector_body.h"
