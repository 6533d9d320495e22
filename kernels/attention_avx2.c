#include "kernels/simd_avx2.h"

#include "kernels/attention_body.h"
