/* A network as a GGUF file with random weights, for timing a model that was never trained on the
 * runtime that will ship it.
 *
 * Version 3. Gemma's networks (GeGLU, embeddings scaled by sqrt(d_model)) are written as 'gemma',
 * 'gemma2' or 'gemma3', with windows as each has them. RMS pre-norm, rotary attention over the whole head and SwiGLU are written as the first
 * of these that holds the network as llama.cpp's loader of that architecture reads it:
 *   qwen3    one shape of layer, RMS norms of q and k
 *   qwen2    one shape of layer, biases on q, k and v alone
 *   llama    one shape of layer, any of the biases on q/k/v, output and FFN
 *   deci     heads, KV heads and d_ff by layer, layers without attention after the first; biases
 *   openelm  heads, KV heads and d_ff by layer, norms of q and k, tied head
 *   mimo2    heads and KV heads by layer, one window in any of the layers, untied head
 * Anything else is STATUS_UNSUPPORTED with the reason. What differs by layer is an array in the
 * metadata.
 *
 * Matrices are about normal with mean 0 and variance 1 / d_in, so that activations keep their size
 * through any depth: the sum of four uniform numbers, never beyond 3.5 standard deviations. Norms
 * are 1, biases 0, vectors f32. Bytes follow from the seed and a tensor's name alone; blocks that
 * the schedule repeats are equal byte for byte.
 *
 * The format has no schedule: a network with shared blocks is written out, execution by execution,
 * with a note, or refused; so is a tied head where the architecture has none.
 *
 * Vocabulary: <unk>, <s>, </s>, the 256 bytes, then pieces that no text reaches. A runtime turns
 * any text into bytes and any token into text with it; vocab_size is at least 259. */
#ifndef LATHE_MODEL_GGUF_WRITE_H
#define LATHE_MODEL_GGUF_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

struct gguf_write_options {
    uint64_t seed;
    bool expand_shared; /* false: what would be written twice is STATUS_UNSUPPORTED */
    /* Called with `context` after every row of weights; false ends the writing with
     * STATUS_INTERRUPTED. NULL: nobody asks. */
    bool (*go_on)(void *context, int64_t done_bytes, int64_t total_bytes);
    void *context;
};

/* `net` passed transformer_check; block, embedding and head types are f32, f16, bf16, q8_0 or q4_0.
 * Takes the memory of a row; the file is whole or not there. Lines about what the file cannot say
 * are appended to `warnings`, NULL allowed. Errors: STATUS_UNSUPPORTED, STATUS_IO, STATUS_NOMEM,
 * STATUS_INTERRUPTED. */
enum status gguf_write(const struct transformer *net, const char *path,
                       const struct gguf_write_options *options, struct text *warnings,
                       struct err *err);

/* The same into an open stream, pipes too; whether all was written is for the caller to see from
 * fflush and ferror. */
enum status gguf_write_stream(const struct transformer *net, FILE *stream,
                              const struct gguf_write_options *options, struct text *warnings,
                              struct err *err);

#endif
