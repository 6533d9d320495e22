/* The tensors of a network: the one list of what it stores, block by block.
 *
 * Counts and bytes (count.h), operators (ops.h), GGUF files and the runtime's weights all walk these
 * lists, so that a matrix added here is counted, priced, written, checked and held in memory. A list
 * holds the tensors of one block, or of what stands before or after the blocks, in the order in
 * which a pass meets them. */
#ifndef LATHE_MODEL_TENSORS_H
#define LATHE_MODEL_TENSORS_H

#include "model/tensor.h"
#include "model/transformer.h"

/* `net` passed transformer_check. A shape's, all matrices of net->block_dtype. The list of a block has its FFN, also where share_ffn stores that
 * with another block: see tensor_is_stored. */
void tensors_of_block(const struct transformer *net, const struct block *block,
                      struct tensor_list *out);
/* Block `layer`'s, each of the type it has there (net->layer_types). */
void tensors_of_layer(const struct transformer *net, int64_t layer, struct tensor_list *out);
/* Which types its matrices have, head and token table included. used: [N_DTYPES], set where a type
 * is. */
void transformer_types(const struct transformer *net, bool *used);
/* Token table, positions, projection and norm before the first block. */
void tensors_before(const struct transformer *net, struct tensor_list *out);
/* Final norm, projection and head. A tied head is listed without a weight. */
void tensors_after(const struct transformer *net, struct tensor_list *out);

#endif
