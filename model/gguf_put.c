#include "model/gguf_put.h"

#include <inttypes.h>
#include <string.h>

void gguf_put(struct gguf_sink *sink, const void *bytes, size_t n)
{
    if (sink->stream != NULL)
        fwrite(bytes, 1, n, sink->stream);
    sink->written += (int64_t)n;
}

/* Little-endian machines only, as quantize.c asserts. */
void gguf_put_u32(struct gguf_sink *sink, uint32_t value)
{
    gguf_put(sink, &value, sizeof value);
}

void gguf_put_u64(struct gguf_sink *sink, uint64_t value)
{
    gguf_put(sink, &value, sizeof value);
}

static void put_f32(struct gguf_sink *sink, double value)
{
    float narrow = (float)value;
    gguf_put(sink, &narrow, sizeof narrow);
}

void gguf_put_string(struct gguf_sink *sink, const char *text)
{
    size_t length = strlen(text);
    gguf_put_u64(sink, length);
    gguf_put(sink, text, length);
}

void gguf_put_key(struct gguf_metadata *m, const char *key, enum gguf_type type)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", key[0] == '.' ? m->architecture : "", key);
    gguf_put_string(m->sink, full);
    gguf_put_u32(m->sink, type);
    m->n_keys++;
}

void gguf_put_key_u32(struct gguf_metadata *m, const char *key, int64_t value)
{
    gguf_put_key(m, key, GGUF_UINT32);
    gguf_put_u32(m->sink, (uint32_t)value);
}

void gguf_put_key_f32(struct gguf_metadata *m, const char *key, double value)
{
    gguf_put_key(m, key, GGUF_FLOAT32);
    put_f32(m->sink, value);
}

static void put_key_bool(struct gguf_metadata *m, const char *key, bool value)
{
    gguf_put_key(m, key, GGUF_BOOL);
    gguf_put(m->sink, &(uint8_t){value}, 1);
}

void gguf_put_key_string(struct gguf_metadata *m, const char *key, const char *value)
{
    gguf_put_key(m, key, GGUF_STRING);
    gguf_put_string(m->sink, value);
}

void gguf_put_key_array(struct gguf_metadata *m, const char *key, enum gguf_type type, int64_t n)
{
    gguf_put_key(m, key, GGUF_ARRAY);
    gguf_put_u32(m->sink, type);
    gguf_put_u64(m->sink, (uint64_t)n);
}

static void put_piece(struct gguf_sink *sink, int64_t id)
{
    static const char *const special[GGUF_SPECIAL_TOKENS] = {"<unk>", "<s>", "</s>"};
    char piece[32];
    if (id < GGUF_SPECIAL_TOKENS)
        snprintf(piece, sizeof piece, "%s", special[id]);
    else if (id < GGUF_SMALLEST_VOCABULARY)
        snprintf(piece, sizeof piece, "<0x%02X>", (unsigned)(id - GGUF_SPECIAL_TOKENS));
    else /* U+2581 is SentencePiece's space */
        snprintf(piece, sizeof piece, "\xe2\x96\x81%" PRId64, id);
    gguf_put_string(sink, piece);
}

void gguf_put_vocabulary(struct gguf_metadata *m, int64_t n)
{
    enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6 };
    gguf_put_key_string(m, "tokenizer.ggml.model", "llama");
    gguf_put_key_array(m, "tokenizer.ggml.tokens", GGUF_STRING, n);
    for (int64_t id = 0; id < n; id++)
        put_piece(m->sink, id);
    gguf_put_key_array(m, "tokenizer.ggml.scores", GGUF_FLOAT32, n);
    for (int64_t id = 0; id < n; id++)
        put_f32(m->sink, id < GGUF_SMALLEST_VOCABULARY ? 0 : (double)-id);
    gguf_put_key_array(m, "tokenizer.ggml.token_type", GGUF_INT32, n);
    for (int64_t id = 0; id < n; id++)
        gguf_put_u32(m->sink, id == 0                         ? UNKNOWN
                              : id < GGUF_SPECIAL_TOKENS      ? CONTROL
                              : id < GGUF_SMALLEST_VOCABULARY ? BYTE
                                                              : NORMAL);
    gguf_put_key_u32(m, "tokenizer.ggml.unknown_token_id", 0);
    gguf_put_key_u32(m, "tokenizer.ggml.bos_token_id", 1);
    gguf_put_key_u32(m, "tokenizer.ggml.eos_token_id", 2);
    put_key_bool(m, "tokenizer.ggml.add_bos_token", true);
    put_key_bool(m, "tokenizer.ggml.add_eos_token", false);
}
