/* Types of values and of tensors in a GGUF file: what they are called and how large they are. */
#ifndef LATHE_MODEL_GGUF_TYPES_H
#define LATHE_MODEL_GGUF_TYPES_H

#include "model/gguf.h"

int64_t gguf_type_bytes(enum gguf_type type); /* 0: not of fixed size */

/* A type of ggml's: elements and bytes of a block. */
struct gguf_tensor_type {
    const char *name;
    int64_t block_elems, block_bytes;
    int64_t tensor_bytes; /* more for every tensor */
};
/* False: ggml has no such type. */
bool gguf_tensor_type(int ggml_type, struct gguf_tensor_type *out);

#endif
