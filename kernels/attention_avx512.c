#include "kernels/simd_avx512.h"

#include "kernels/attention_body.h"
