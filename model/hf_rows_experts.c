/* Decoders with a mixture of experts in place of the FFN. Source: the configuration classes and the
 * modelling code of transformers 4.56 and 5. */
#include "model/hf_hooks.h"
#include "model/hf_rows.h"

#define EXPERTS(names, absent) .n_experts = {names, absent}
#define USED(names, absent)    .n_experts_used = {names, absent}

/* clang-format off */
const struct hf_family hf_rows_experts[] = {
    {
        .model_type = "mixtral", .architecture = "MixtralForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", 8}, .d_head = {"head_dim", HF_DERIVED},
        EXPERTS("num_local_experts", 8), USED("num_experts_per_tok", 2),
        .max_context = {"max_position_embeddings", 131072}, .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 1000000}, .window = HF_WINDOW_ALL,
    },
    {
        .model_type = "qwen2_moe", .architecture = "Qwen2MoeForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", 16}, .biases = BIAS_QKV,
        EXPERTS("num_experts", 60), USED("num_experts_per_tok", 4),
        .d_expert = {"moe_intermediate_size", 1408},
        .max_context = {"max_position_embeddings", 32768}, .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000}, .window = HF_WINDOW_QWEN, .window_absent = 4096,
        .read = hf_read_qwen2_moe, .write = hf_write_qwen2_moe,
    },
    {
        .model_type = "qwen3_moe", .architecture = "Qwen3MoeForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", 4}, .d_head = {"head_dim", HF_DERIVED},
        EXPERTS("num_experts num_local_experts", 128), USED("num_experts_per_tok", 8),
        .d_expert = {"moe_intermediate_size", 768}, .qk_norm = QK_NORM_WEIGHTED,
        .attention_bias = "attention_bias",
        .max_context = {"max_position_embeddings", 32768}, .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000}, .window = HF_WINDOW_QWEN, .window_absent = 4096,
        .read = hf_read_qwen3_moe, .write = hf_write_qwen3_moe,
    },
    {
        .model_type = "olmoe", .architecture = "OlmoeForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        EXPERTS("num_experts num_local_experts", 64), USED("num_experts_per_tok", 8),
        .qk_norm = QK_NORM_WHOLE, .attention_bias = "attention_bias",
        .max_context = {"max_position_embeddings", 4096}, .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 10000},
    },
    {
        .model_type = "granitemoe", .architecture = "GraniteMoeForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        EXPERTS("num_local_experts", 8), USED("num_experts_per_tok", 2),
        .attention_bias = "attention_bias",
        .max_context = {"max_position_embeddings", 2048}, .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .read = hf_read_granite, .write = hf_write_granite,
    },
    {
        .model_type = "phimoe", .architecture = "PhimoeForCausalLM", /* Phi-3.5-MoE */
        LLAMA_KEYS, LLAMA_FFN, .norm = NORM_LAYER, .norm_bias = true, .position = POSITION_ROPE,
        .activation_keys = "hidden_act", .activation = "silu",
        .n_kv_heads = {"num_key_value_heads", 8},
        EXPERTS("num_local_experts", 16), USED("num_experts_per_tok", 2),
        .attention_bias = "attention_bias",
        .max_context = {"max_position_embeddings", 131072}, .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 1000000}, .window = HF_WINDOW_ALL,
        .read = hf_read_phimoe, .write = hf_write_phimoe,
    },
    {
        .model_type = "ernie4_5_moe", .architecture = "Ernie4_5_MoeForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", 4}, .d_head = {"head_dim", HF_DERIVED},
        EXPERTS("moe_num_experts", 64), USED("moe_k", 6),
        .d_expert = {"moe_intermediate_size", 1536}, .tied = true,
        .attention_bias = "use_bias", .ffn_bias = "use_bias",
        .max_context = {"max_position_embeddings", 131072}, .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 500000},
        .read = hf_read_ernie_moe, .write = hf_write_ernie_moe,
    },
    {
        .model_type = "gpt_oss", .architecture = "GptOssForCausalLM",
        LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", 8}, .d_head = {"head_dim", 64},
        EXPERTS("num_local_experts", 128), USED("num_experts_per_tok experts_per_token", 4),
        .biases = BIAS_FFN | BIAS_ROUTER,
        .max_context = {"max_position_embeddings", 131072}, .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 150000},
        .window = HF_WINDOW_PERIOD, .window_absent = 128, .window_period = 2, .window_phase = 1,
        .read = hf_read_gpt_oss, .write = hf_write_gpt_oss,
    },
    {.model_type = NULL},
};
/* clang-format on */
