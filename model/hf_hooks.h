/* The parts of a family's config.json that do not fit a row of the table in hf_family.c. A family
 * has a function to read them, called after its row has been applied to the network, and one to
 * write them. */
#ifndef LATHE_MODEL_HF_HOOKS_H
#define LATHE_MODEL_HF_HOOKS_H

#include "base/json.h"
#include "base/status.h"
#include "model/hf_reader.h"
#include "model/transformer.h"

enum status hf_read_mobilellm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_mobilellm(struct json_node *out, const struct transformer *net);
enum status hf_read_llama4(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_llama4(struct json_node *out, const struct transformer *net);
enum status hf_read_gemma(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_gemma2(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_gemma(struct json_node *out, const struct transformer *net);
void hf_write_gemma2(struct json_node *out, const struct transformer *net);
enum status hf_read_phi(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_opt(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_opt(struct json_node *out, const struct transformer *net);
enum status hf_read_gpt2(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_gpt2(struct json_node *out, const struct transformer *net);
enum status hf_read_gpt_neo(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_gpt_neox(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_gpt_neox(struct json_node *out, const struct transformer *net);
enum status hf_read_falcon(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_falcon(struct json_node *out, const struct transformer *net);
enum status hf_read_rwkv(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_rwkv(struct json_node *out, const struct transformer *net);

#endif
