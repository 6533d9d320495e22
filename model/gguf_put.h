/* The bytes of a GGUF file, in the order in which it has them: numbers, strings, metadata keys and a
 * vocabulary. Little-endian machines only, as model/quantize.c asserts. */
#ifndef LATHE_MODEL_GGUF_PUT_H
#define LATHE_MODEL_GGUF_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model/gguf.h"

/* Counts what it writes, since a pipe cannot be asked. Errors are seen at the commit. */
struct gguf_sink {
    FILE *stream;           /* NULL: counts only */
    int64_t written, total; /* total: 0 until it is known */
    bool stopped;
};

void gguf_put(struct gguf_sink *sink, const void *bytes, size_t n);
void gguf_put_u32(struct gguf_sink *sink, uint32_t value);
void gguf_put_u64(struct gguf_sink *sink, uint64_t value);
void gguf_put_string(struct gguf_sink *sink, const char *text);

struct gguf_metadata {
    struct gguf_sink *sink;
    const char *architecture; /* put in front of keys that start with a dot */
    uint64_t n_keys;          /* so far */
};

/* The key and its type; the value follows. */
void gguf_put_key(struct gguf_metadata *m, const char *key, enum gguf_type type);
void gguf_put_key_u32(struct gguf_metadata *m, const char *key, int64_t value);
void gguf_put_key_f32(struct gguf_metadata *m, const char *key, double value);
void gguf_put_key_string(struct gguf_metadata *m, const char *key, const char *value);
/* An array of n elements of the type, which follow. */
void gguf_put_key_array(struct gguf_metadata *m, const char *key, enum gguf_type type, int64_t n);

/* n tokens: <unk>, <s>, </s>, the 256 bytes, then pieces that no text reaches. */
enum {
    GGUF_SPECIAL_TOKENS = 3,
    GGUF_SMALLEST_VOCABULARY = GGUF_SPECIAL_TOKENS + 256,
};
void gguf_put_vocabulary(struct gguf_metadata *m, int64_t n);

#endif
