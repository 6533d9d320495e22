/* A quantity of a stack as whole numbers that add up: what each block has of it, and what stands beside
 * the blocks. Units: ps, fJ, bytes, parameters. */
#ifndef LATHE_EXACT_STACK_VALUES_H
#define LATHE_EXACT_STACK_VALUES_H

#include "exact/exact_front.h"
#include "exact/stack_costs.h"

/* Of a block; 0 of STACK_SCORE, which is the place's too. Without what an init takes for the square of
 * the number of blocks.
 *   place  by enum phase */
int64_t stack_block_value(const struct stack_costs *costs, enum stack_quantity quantity, int class,
                          const struct stack_place place[2]);
/* Of all that is no block; 0 of STACK_SCORE. STACK_PEAK is without live activations.
 *   place     by enum phase; only the bytes of the pass are read
 *   n_blocks  whose square an init takes time for */
int64_t stack_edge_value(const struct stack_costs *costs, enum stack_quantity quantity,
                         const struct stack_place place[2], int64_t n_blocks);

#endif
