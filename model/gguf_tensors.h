/* The tensors of a network in a GGUF file: under which name, and of which shape.
 *
 * A file may hold several tensors of a block in one, row after row (attn_qkv; phi3's ffn_up is the
 * gate, then up): whatever tensors of a list have the same name there follow one another in the
 * order of the list. Source: llama.cpp, src/llama-arch.cpp (names), convert_hf_to_gguf.py (order of
 * fused rows). */
#ifndef LATHE_MODEL_GGUF_TENSORS_H
#define LATHE_MODEL_GGUF_TENSORS_H

#include "base/status.h"
#include "model/gguf.h"
#include "model/gguf_family.h"
#include "model/tensor.h"

struct gguf_place {
    char name[80];             /* "blk.3.attn_qkv", without ".weight" or ".bias" */
    int64_t first_row, n_rows; /* where this tensor's rows start, of how many there are */
};

/* Where tensor i of `list` is, or should be. layer: of a block's list, else -1. `family` NULL: no
 * family's own names. The role has a GGUF name (tensor_traits). */
void gguf_place(const struct gguf *file, const struct gguf_family *family, int64_t layer,
                const struct tensor_list *list, int i, struct gguf_place *out);

/* "weight" or "bias" of what is there; NULL: there is none. Its full name, terminated. */
const struct gguf_tensor *gguf_find_part(const struct gguf *file, const struct gguf_place *place,
                                         const char *part, char full[96]);

/* What the file has of the lists that were checked. */
struct gguf_found {
    int64_t matrix_elements[64]; /* of the blocks' matrices, by ggml type */
    int64_t n_elements;          /* of all tensors */
    unsigned biases;             /* BIAS_* of the last list */
    int types[N_TENSOR_ROLES];   /* ggml types of the last list's matrices; -1: none */
    uint64_t vector_types;       /* bits by ggml type: of all vectors */
};

/* Every tensor of the list is there with its shape, norms with weights and biases as the list says,
 * matrices with or without a bias: found->biases tells. Errors, naming the tensor: STATUS_INPUT;
 * STATUS_UNSUPPORTED when some matrices of one kind have biases and some have none. */
enum status gguf_check_tensors(const struct gguf *file, const struct gguf_family *family,
                               int64_t layer, const struct tensor_list *list,
                               struct gguf_found *found, struct err *err);

#endif
