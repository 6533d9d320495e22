/* The architecture of a GGUF file: from its metadata, checked against the shapes of its tensors.
 *
 * Families: llama (mistral, smollm, tinyllama are llama there), qwen2, qwen3, deci, openelm, mimo2,
 * gemma, gemma2, gemma3, phi2, phi3, gptneox, gpt2, bloom, falcon, olmo.
 *
 * Every matrix that the architecture needs must be in the file with the shape that follows from the
 * metadata. The token table gives vocab_size and its type; the head is tied when output.weight is
 * absent; biases are those that are there; the type of the blocks is the one that most of their
 * weights have. A file has no schedule: its blocks all run once.
 *
 * Not recovered: the type of the KV cache (f16 is assumed, a runtime's default), rope scaling, and
 * a head that was tied before the converter wrote it twice (gpt2: it counts as a head of its own).
 */
#ifndef LATHE_MODEL_GGUF_ARCHITECTURE_H
#define LATHE_MODEL_GGUF_ARCHITECTURE_H

#include "base/status.h"
#include "base/text.h"
#include "model/gguf.h"
#include "model/transformer.h"

/* *net passes transformer_check; release with transformer_release. `warnings` (NULL allowed) gets a
 * line, ended by a newline, for everything that had to be left out or assumed. Errors: STATUS_INPUT
 * and STATUS_RANGE (wrong or missing, by key or tensor), STATUS_UNSUPPORTED (another family,
 * mixture of experts, a split file), STATUS_NOMEM. */
enum status gguf_architecture(const struct gguf *file, struct transformer *net,
                              struct text *warnings, struct err *err);

/* The same for a file by name. */
enum status gguf_read_architecture(const char *path, struct transformer *net, struct text *warnings,
                                   struct err *err);

#endif
