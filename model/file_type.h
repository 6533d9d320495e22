/* Types of files, as people say them ("Q4_K_M"): which type each tensor gets.
 *
 * The rules are those of llama.cpp's quantizer, src/llama-quant.cpp of 2025-11-18 (commit 10e9780):
 * values and the way down get more bits in some layers, a tied token table has the head's type, and
 * a row that blocks of 256 do not divide gets another type (dtype_for_row). Norms and biases are f32
 * and so are learned positions, as its converter writes them. tests/data/file_types.csv holds them
 * to what that quantizer wrote.
 *
 * An importance matrix, which changes some rules, is taken to be there for the types that need one
 * (IQ1, IQ2, IQ3_XXS, Q2_K_S) and for no other. Layers are those that the network stores; where one
 * FFN serves all it has the types of the first. Rows that blocks of 32 do not divide are padded in
 * types of 32, where llama.cpp makes no file. */
#ifndef LATHE_MODEL_FILE_TYPE_H
#define LATHE_MODEL_FILE_TYPE_H

#include "model/transformer.h"

/* Sets the types of all weights: a type of tensors as transformer_set_dtype, or a file's. The
 * schedule, the stack and tie_embeddings of `net` are those it will have. Errors: STATUS_NOMEM, for
 * files only; nothing changed. */
enum status transformer_set_weights(struct transformer *net, enum dtype weights, struct err *err);

/* Matrices whose rows cannot have the type that they were to have. */
struct fallbacks {
    int64_t n, of; /* so many of all */
    int64_t row;   /* elements of a row of the first of them */
};
void transformer_fallbacks(const struct transformer *net, struct fallbacks *out);

#endif
