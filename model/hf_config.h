/* Hugging Face config.json, in and out.
 *
 * Read: llama (SmolLM, TinyLlama, MobiLlama), mobilellm, llama4_text (MobileLLM-R1), mobilellm_p1,
 * mistral, qwen2, qwen3, smollm3, gemma, gemma2, gemma3_text, phi, phi3, opt (Galactica), gpt2
 * (Cerebras-GPT, LaMini-GPT), gpt_neo, gpt_neox (Pythia), bloom, falcon, rwkv (version 4), olmo,
 * nemotron-nas (DeciLM), openelm.
 * model/hf_family.h holds the table. Not read: encoders, vision towers (of a
 * model with a text_config that part alone is read, with a warning).
 *
 * MobileLLM ties through share_embedding and shares layers through layer_sharing. Two facts are in
 * no file: the MobiLlama code shares one FFN between all layers, and the configurations of
 * MobileLLM's training repository are tied by a command-line flag. These are known by name and
 * shape, and always reported as a warning.
 *
 * Write: what stock code trains. LlamaForCausalLM where that class can hold the network; otherwise
 * its own family, or another that fits; MobileLLM's keys where every block runs twice in a row.
 * DeciLM and OpenELM hold many stacks whose layers differ (model/hf_stacks.h). What no class holds
 * (other schedules, one FFN for all, other stacks) goes into keys that start with "lathe_". lathe reads them back; stock code ignores them, and a warning says
 * so.
 *   lathe_sharing    "immediate" "repeat-all" "reverse"
 *   lathe_repeats    executions of a block
 *   lathe_share_ffn  true: one FFN for all blocks
 *   lathe_blocks     [n_layers] objects with mixer ("attention" "none" "rwkv"), n_heads,
 *                    n_kv_heads, d_head, window, d_ff */
#ifndef LATHE_MODEL_HF_CONFIG_H
#define LATHE_MODEL_HF_CONFIG_H

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

/* `path`: the file, or a directory that holds config.json or Meta's params.json
 * (model/meta_params.h). On success `*out` passed
 * transformer_check and is released with transformer_release; on error it is untouched. Types are
 * those of torch_dtype where it names f32, f16 or bf16, else f16. Lines of warnings (keys that were
 * ignored and would change the shape, facts known by name) are appended to `warnings`, NULL
 * allowed. Errors: STATUS_IO, STATUS_INPUT, STATUS_RANGE, STATUS_UNSUPPORTED, STATUS_NOMEM. */
enum status hf_config_read(const char *path, struct transformer *out, struct text *warnings,
                           struct err *err);

/* The same from memory; `name` is how errors call the text and where facts by name look. */
enum status hf_config_parse(const char *name, const char *json, int64_t length,
                            struct transformer *out, struct text *warnings, struct err *err);

/* config.json for `net`, which passed transformer_check. Reading the text back gives the same
 * architecture, or this fails with STATUS_UNSUPPORTED. `*json` is freed with memory_free. */
enum status hf_config_print(const struct transformer *net, char **json, struct text *warnings,
                            struct err *err);

/* The same into a file (whole or not there), "-" for standard output, or into config.json of an
 * existing directory. */
enum status hf_config_write(const struct transformer *net, const char *path, struct text *warnings,
                            struct err *err);

#endif
