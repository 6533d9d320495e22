/* Two families whose config.json says what each layer has, and whose code on the hub trains it.
 *
 * DeciLM (nemotron-nas, Llama-3.1-Nemotron-51B): block_configs, for each layer attention (KV heads by
 * n_heads_in_group, window_length, or none by no_op) and ffn (ffn_mult; widths are multiples of 256).
 * Query heads are as many in every layer, d_model / d_head of them.
 *
 * OpenELM: num_kv_heads and ffn_multipliers by layer. Query heads are not taken from
 * num_query_heads: its code works them out from qkv_multipliers, one number for all layers or the
 * first and the last with a line between.
 *
 * Source: configuration_decilm.py, block_config.py and modeling_decilm.py of
 * nvidia/Llama-3_1-Nemotron-51B-Instruct; configuration_openelm.py and modeling_openelm.py of
 * apple/OpenELM-270M. */
#ifndef LATHE_MODEL_HF_STACKS_H
#define LATHE_MODEL_HF_STACKS_H

#include "base/json.h"
#include "base/status.h"
#include "model/hf_reader.h"
#include "model/transformer.h"

/* Hooks of a family (hf_family.h). Errors beside the reader's: STATUS_UNSUPPORTED for layers with a
 * matrix in place of attention or FFN, without an FFN, or with sink tokens. */
enum status hf_read_decilm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_decilm(struct json_node *out, const struct transformer *net);
enum status hf_read_openelm(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_openelm(struct json_node *out, const struct transformer *net);

#endif
