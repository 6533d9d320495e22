/* Which architecture of llama.cpp holds a network; see gguf_write.h. */
#ifndef LATHE_MODEL_GGUF_WRITABLE_H
#define LATHE_MODEL_GGUF_WRITABLE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

/* How a file says which layers have the window. */
enum gguf_windows {
    GGUF_WINDOWS_NONE,
    GGUF_WINDOWS_IMPLIED, /* the architecture knows */
    GGUF_WINDOWS_LISTED,
};

/* How the files of an architecture differ from llama's. */
struct gguf_layout {
    const char *architecture;
    bool fuses_qkv; /* q, k and v are one tensor, attn_qkv, row after row */
    bool is_untied; /* the head is a tensor of its own, always */
    enum gguf_windows windows;
};

/* The first architecture that holds the network as its loader in llama.cpp reads it. Lines about
 * what the file cannot say are appended to `warnings`, NULL allowed. Errors: STATUS_UNSUPPORTED with
 * the reason, for layers that no architecture holds with one for each that holds some. */
enum status gguf_writable(const struct transformer *net, bool expand_shared,
                          const struct gguf_layout **layout, struct text *warnings,
                          struct err *err);

#endif
