/* Layer-wise scaling: heads and FFN widths that change with the depth of a layer, on two lines.
 *
 * OpenELM, arXiv:2404.14619, section 2.1, equation 1: layer i of N has alpha_min + (alpha_max -
 * alpha_min) i / (N - 1) times the width in its query heads, and as much of beta in its FFN. Rounded as
 * configuration_openelm.py of apple/OpenELM-270M has it: multipliers to two digits, widths by its
 * make_divisible. */
#ifndef LATHE_MODEL_LAYER_SCALING_H
#define LATHE_MODEL_LAYER_SCALING_H

#include <stdint.h>

/* Python's round(value, digits). */
double round_decimals(double value, int digits);
/* The multiplier of layer i of n: numpy's linspace, rounded to two digits. One layer has the first. */
double layer_multiplier(double first, double last, int64_t i, int64_t n);
/* Query heads, a multiple of n_groups: so many query heads share a KV head. */
int64_t scaled_heads(int64_t d_model, int64_t d_head, int64_t n_groups, double multiplier);
/* A multiple of `multiple`. */
int64_t scaled_d_ff(int64_t d_model, int64_t multiple, double multiplier);

#endif
