/* The indexes of a file that was read, which say whether the whole holds together. */
#ifndef LATHE_MODEL_GGUF_INDEX_H
#define LATHE_MODEL_GGUF_INDEX_H

#include "model/gguf.h"

/* Keys and tensors by name; no name is there twice, and no two tensors overlap. Errors: STATUS_INPUT,
 * STATUS_NOMEM. */
enum status gguf_index(struct gguf *file, struct err *err);

#endif
