#include "kernels/simd_neon.h"

#include "kernels/vector_body.h"
