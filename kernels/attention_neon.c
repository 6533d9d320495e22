#include "kernels/simd_neon.h"

#include "kernels/attention_body.h"
