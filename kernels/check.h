/* Does a kernel compute what its portable definition computes? Asked before anything is timed. */
#ifndef LATHE_KERNELS_CHECK_H
#define LATHE_KERNELS_CHECK_H

#include "base/status.h"
#include "kernels/kernel.h"

/* Runs a matvec, matmul or attention row beside the portable one on a small random problem; other
 * operators pass. Errors: STATUS_INPUT (disagrees by more than the order of f32 additions
 * explains), STATUS_NOMEM. */
enum status kernel_check(const struct kernel *kernel, struct err *err);

#endif
