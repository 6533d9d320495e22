/* Where in a config.json the language model is, and what it takes from around it: a model of images
 * or sound wraps one as text_config or llm_config, and ties or quantises it from outside. */
#ifndef LATHE_MODEL_HF_ROOT_H
#define LATHE_MODEL_HF_ROOT_H

#include "base/json.h"
#include "base/status.h"
#include "model/hf_family.h"
#include "model/hf_reader.h"
#include "model/transformer.h"

/* Sets root, outer and model_type (NULL: none is said). A part that is left out is a warning. */
enum status hf_choose_root(const struct json *top, struct hf_reader *reader, struct err *err);

/* `architectures` names a class of another family: STATUS_INPUT. One that no family has is a
 * warning: its own code may make another network. */
enum status hf_check_architecture(struct hf_reader *reader, const struct hf_family *family,
                                  struct err *err);

/* tie_word_embeddings: what is around the language model decides, then its own key, then `absent`. */
enum status hf_read_tying(struct hf_reader *reader, bool absent, struct transformer *net,
                          struct err *err);

/* torch_dtype, and what quantization_config (AWQ, GPTQ, ...) or quantization (MLX) makes of the
 * matrices: the lathe type with the nearest bits a weight, with a warning. */
enum status hf_read_types(struct hf_reader *reader, struct transformer *net, struct err *err);

#endif
