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
void hf_write_gpt_bigcode(struct json_node *out, const struct transformer *net);
enum status hf_read_gpt_neo(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_gpt_neox(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_gpt_neox(struct json_node *out, const struct transformer *net);
enum status hf_read_falcon(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_falcon(struct json_node *out, const struct transformer *net);
enum status hf_read_rwkv(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_rwkv(struct json_node *out, const struct transformer *net);

/* hf_hooks_dense.c */
enum status hf_read_granite(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_granite(struct json_node *out, const struct transformer *net);
enum status hf_read_minicpm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_minicpm(struct json_node *out, const struct transformer *net);
enum status hf_read_hunyuan(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_seed_oss(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_seed_oss(struct json_node *out, const struct transformer *net);
enum status hf_read_internlm2(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_internlm2(struct json_node *out, const struct transformer *net);
enum status hf_read_internlm3(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_internlm3(struct json_node *out, const struct transformer *net);
enum status hf_read_glm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_glm(struct json_node *out, const struct transformer *net);
enum status hf_read_baichuan(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_phi4mm(struct hf_reader *reader, struct transformer *net, struct err *err);
enum status hf_read_stablelm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_stablelm(struct json_node *out, const struct transformer *net);
enum status hf_read_starcoder2(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_starcoder2(struct json_node *out, const struct transformer *net);
enum status hf_read_cohere2(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_cohere2(struct json_node *out, const struct transformer *net);
enum status hf_read_cohere(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_cohere(struct json_node *out, const struct transformer *net);

/* hf_hooks_experts.c */
enum status hf_read_qwen2_moe(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_qwen2_moe(struct json_node *out, const struct transformer *net);
enum status hf_read_qwen3_moe(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_qwen3_moe(struct json_node *out, const struct transformer *net);
enum status hf_read_phimoe(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_phimoe(struct json_node *out, const struct transformer *net);
enum status hf_read_ernie_moe(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_ernie_moe(struct json_node *out, const struct transformer *net);
enum status hf_read_gpt_oss(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_gpt_oss(struct json_node *out, const struct transformer *net);

#endif
