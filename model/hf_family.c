#include "model/hf_family.h"

#include <string.h>

#include "model/hf_hooks.h"
#include "model/hf_stacks.h"

/* The table. Key names that llama-like families have in common: */
#define LLAMA_KEYS \
    .d_model = {"hidden_size", HF_REQUIRED}, .n_layers = {"num_hidden_layers", HF_REQUIRED}, \
    .n_heads = {"num_attention_heads", HF_REQUIRED}, .vocab_size = {"vocab_size", HF_REQUIRED}
#define LLAMA_FFN .d_ff = {"intermediate_size", HF_REQUIRED}, .gated = true

#define LLAMA_LIKE \
    LLAMA_KEYS, LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE, \
                           .activation_keys = "hidden_act", .activation = "silu"

#define GEMMA_LIKE \
    LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE, \
               .activation_keys = "hidden_activation hidden_act", \
               .activation = "gelu_pytorch_tanh", .tied = true, \
               .norm_eps = {"rms_norm_eps", 1e-6}, .attention_bias = "attention_bias"

/* clang-format off */
static const struct hf_family families[] = {
    {
        .model_type = "llama",
        .architecture = "LlamaForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .attention_bias = "attention_bias",
        .ffn_bias = "mlp_bias",
    },
    {
        .model_type = "mobilellm",
        .architecture = "MobileLLMForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .attention_bias = "attention_bias",
        .ffn_bias = "mlp_bias",
        .read = hf_read_mobilellm,
        .write = hf_write_mobilellm,
    },
    {
        .model_type = "mistral",
        .architecture = "MistralForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 8},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 131072},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .window = HF_WINDOW_ALL,
        .window_absent = 4096,
    },
    {
        /* The MobileLLM-R1 checkpoints: llama4_text without experts. */
        .model_type = "llama4_text",
        .architecture = "Llama4ForCausalLM",
        LLAMA_KEYS,
        .gated = true,
        .position = POSITION_ROPE,
        .d_ff = {"intermediate_size_mlp", 16384},
        .n_kv_heads = {"num_key_value_heads", 8},
        .d_head = {"head_dim", 128},
        .max_context = {"max_position_embeddings", 131072},
        .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 500000},
        .activation_keys = "hidden_act",
        .activation = "silu",
        .attention_bias = "attention_bias",
        .read = hf_read_llama4,
        .write = hf_write_llama4,
    },
    {
        /* MobileLLM-Pro: of 30 layers 8 see everything. */
        .model_type = "mobilellm_p1",
        .architecture = "MobileLLMP1ForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 131072},
        .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 500000},
        .window = HF_WINDOW_PERIOD,
        .window_period = 4,
        .window_phase = 0,
    },
    {
        .model_type = "smollm3",
        .architecture = "SmolLM3ForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 4},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 32768},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 2000000},
        .tied = true,
        .attention_bias = "attention_bias",
        .ffn_bias = "mlp_bias",
        .window = HF_WINDOW_QWEN,
        .window_absent = 4096,
    },
    {
        .model_type = "qwen2",
        .architecture = "Qwen2ForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 32},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 32768},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .biases = BIAS_QKV,
        .window = HF_WINDOW_QWEN,
        .window_absent = 4096,
    },
    {
        .model_type = "qwen3",
        .architecture = "Qwen3ForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 32},
        .d_head = {"head_dim", 128},
        .max_context = {"max_position_embeddings", 32768},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .qk_norm = QK_NORM_WEIGHTED,
        .attention_bias = "attention_bias",
        .window = HF_WINDOW_QWEN,
        .window_absent = 4096,
    },
    {
        .model_type = "gemma",
        .architecture = "GemmaForCausalLM",
        LLAMA_KEYS,
        GEMMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 16},
        .d_head = {"head_dim", 256},
        .max_context = {"max_position_embeddings", 8192},
        .rope_theta = {"rope_theta", 10000},
        .read = hf_read_gemma,
    },
    {
        .model_type = "gemma2",
        .architecture = "Gemma2ForCausalLM",
        LLAMA_KEYS,
        GEMMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", 4},
        .d_head = {"head_dim", 256},
        .max_context = {"max_position_embeddings", 8192},
        .rope_theta = {"rope_theta", 10000},
        .norm_placement = NORM_SANDWICH,
        .window = HF_WINDOW_PERIOD,
        .window_absent = 4096,
        .window_period = 2,
        .window_phase = 1,
        .read = hf_read_gemma2,
        .write = hf_write_gemma2,
    },
    {
        /* The hub's files of this family leave out what equals the defaults. */
        .model_type = "gemma3_text",
        .architecture = "Gemma3ForCausalLM",
        GEMMA_LIKE,
        .d_model = {"hidden_size", HF_REQUIRED},
        .n_layers = {"num_hidden_layers", HF_REQUIRED},
        .n_heads = {"num_attention_heads", 8},
        .vocab_size = {"vocab_size", 262208},
        .n_kv_heads = {"num_key_value_heads", 4},
        .d_head = {"head_dim", 256},
        .max_context = {"max_position_embeddings", 131072},
        .rope_theta = {"rope_theta", 1000000},
        .norm_placement = NORM_SANDWICH,
        .qk_norm = QK_NORM_WEIGHTED,
        .window = HF_WINDOW_PERIOD,
        .window_absent = 4096,
        .window_period = 6,
        .window_phase = 5,
        .read = hf_read_gemma,
        .write = hf_write_gemma,
    },
    {
        .model_type = "phi",
        .architecture = "PhiForCausalLM",
        LLAMA_KEYS,
        .d_ff = {"intermediate_size", HF_REQUIRED},
        .position = POSITION_ROPE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"layer_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 10000},
        .rope_frac = {"partial_rotary_factor", 0.5},
        .activation_keys = "hidden_act",
        .activation = "gelu_new",
        .norm = NORM_LAYER,
        .norm_bias = true,
        .biases = BIAS_QKV | BIAS_O | BIAS_FFN | BIAS_HEAD,
        .parallel_block = true,
        .parallel_shared_norm = true,
        .read = hf_read_phi,
    },
    {
        .model_type = "phi3",
        .architecture = "Phi3ForCausalLM",
        LLAMA_LIKE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 4096},
        .norm_eps = {"rms_norm_eps", 1e-5},
        .rope_theta = {"rope_theta", 10000},
        .rope_frac = {"partial_rotary_factor", 1},
        .window = HF_WINDOW_ALL,
    },
    {
        .model_type = "olmo",
        .architecture = "OlmoForCausalLM",
        LLAMA_KEYS,
        LLAMA_FFN,
        .position = POSITION_ROPE,
        .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
        .d_head = {"head_dim", HF_DERIVED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {NULL, 1e-5},
        .rope_theta = {"rope_theta", 10000},
        .activation_keys = "hidden_act",
        .activation = "silu",
        .norm = NORM_LAYER,
        .no_norm_weight = true,
        .attention_bias = "attention_bias",
    },
    {
        .model_type = "opt", /* and Galactica */
        .architecture = "OPTForCausalLM",
        .d_model = {"hidden_size", HF_REQUIRED},
        .n_layers = {"num_hidden_layers", HF_REQUIRED},
        .n_heads = {"num_attention_heads", HF_REQUIRED},
        .d_ff = {"ffn_dim", HF_REQUIRED},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {NULL, 1e-5},
        .activation_keys = "activation_function",
        .activation = "relu",
        .tied = true,
        .norm = NORM_LAYER,
        .norm_bias = true,
        .position = POSITION_LEARNED,
        .position_offset = 2,
        .biases = BIAS_QKV | BIAS_O | BIAS_FFN,
        .read = hf_read_opt,
        .write = hf_write_opt,
    },
    {
        .model_type = "gpt2", /* and Cerebras-GPT, LaMini-GPT */
        .architecture = "GPT2LMHeadModel",
        .d_model = {"n_embd hidden_size", HF_REQUIRED},
        .n_layers = {"n_layer num_hidden_layers", HF_REQUIRED},
        .n_heads = {"n_head num_attention_heads", HF_REQUIRED},
        .d_ff = {"n_inner", HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"n_positions max_position_embeddings", 1024},
        .norm_eps = {"layer_norm_epsilon", 1e-5},
        .activation_keys = "activation_function",
        .activation = "gelu_new",
        .tied = true,
        .norm = NORM_LAYER,
        .norm_bias = true,
        .position = POSITION_LEARNED,
        .biases = BIAS_QKV | BIAS_O | BIAS_FFN,
        .read = hf_read_gpt2,
        .write = hf_write_gpt2,
    },
    {
        .model_type = "gpt_neo",
        .architecture = "GPTNeoForCausalLM",
        .d_model = {"hidden_size", HF_REQUIRED},
        .n_layers = {"num_layers num_hidden_layers", HF_REQUIRED},
        .n_heads = {"num_heads num_attention_heads", HF_REQUIRED},
        .d_ff = {"intermediate_size", HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"layer_norm_epsilon", 1e-5},
        .activation_keys = "activation_function",
        .activation = "gelu_new",
        .tied = true,
        .norm = NORM_LAYER,
        .norm_bias = true,
        .position = POSITION_LEARNED,
        .biases = BIAS_O | BIAS_FFN,
        .window = HF_WINDOW_NEO,
        .window_absent = 256,
        .read = hf_read_gpt_neo,
    },
    {
        .model_type = "gpt_neox", /* Pythia */
        .architecture = "GPTNeoXForCausalLM",
        LLAMA_KEYS,
        .d_ff = {"intermediate_size", HF_REQUIRED},
        .position = POSITION_ROPE,
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"layer_norm_eps", 1e-5},
        .rope_theta = {"rotary_emb_base rope_theta", 10000},
        .rope_frac = {"rotary_pct partial_rotary_factor", 0.25},
        .activation_keys = "hidden_act",
        .activation = "gelu",
        .norm = NORM_LAYER,
        .norm_bias = true,
        .biases = BIAS_FFN,
        .read = hf_read_gpt_neox,
        .write = hf_write_gpt_neox,
    },
    {
        .model_type = "bloom",
        .architecture = "BloomForCausalLM",
        .d_model = {"hidden_size n_embed", HF_REQUIRED},
        .n_layers = {"n_layer num_hidden_layers", HF_REQUIRED},
        .n_heads = {"n_head num_attention_heads", HF_REQUIRED},
        .d_ff = {NULL, HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"seq_length", 2048},
        .norm_eps = {"layer_norm_epsilon", 1e-5},
        .activation = "gelu",
        .tied = true,
        .norm = NORM_LAYER,
        .norm_bias = true,
        .embed_norm = true,
        .position = POSITION_ALIBI,
        .biases = BIAS_QKV | BIAS_O | BIAS_FFN,
    },
    {
        .model_type = "falcon",
        .architecture = "FalconForCausalLM",
        .d_model = {"hidden_size", HF_REQUIRED},
        .n_layers = {"num_hidden_layers n_layer", HF_REQUIRED},
        .n_heads = {"num_attention_heads n_head", HF_REQUIRED},
        .d_ff = {"ffn_hidden_size", HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"layer_norm_epsilon", 1e-5},
        .rope_theta = {"rope_theta", 10000},
        .activation_keys = "activation",
        .activation = "gelu",
        .tied = true,
        .norm = NORM_LAYER,
        .norm_bias = true,
        .position = POSITION_ROPE,
        .read = hf_read_falcon,
        .write = hf_write_falcon,
    },
    {
        .model_type = "rwkv", /* version 4 */
        .architecture = "RwkvForCausalLM",
        .d_model = {"hidden_size", HF_REQUIRED},
        .n_layers = {"num_hidden_layers", HF_REQUIRED},
        .d_ff = {"intermediate_size", HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"context_length", 1024},
        .norm_eps = {"layer_norm_epsilon", 1e-5},
        .activation = "relu",
        .norm = NORM_LAYER,
        .norm_bias = true,
        .embed_norm = true,
        .position = POSITION_NONE,
        .read = hf_read_rwkv,
        .write = hf_write_rwkv,
    },
    {
        /* Llama-3.1-Nemotron-51B and its like */
        .model_type = "nemotron-nas",
        .architecture = "DeciLMForCausalLM",
        LLAMA_KEYS,
        .d_ff = {NULL, HF_FOUR_TIMES}, /* by layer, in block_configs */
        .gated = true,
        .norm = NORM_RMS,
        .position = POSITION_ROPE,
        .activation_keys = "hidden_act",
        .activation = "silu",
        .max_context = {"max_position_embeddings", 2048},
        .norm_eps = {"rms_norm_eps", 1e-6},
        .rope_theta = {"rope_theta", 10000},
        .attention_bias = "attention_bias",
        .ffn_bias = "mlp_bias",
        .read = hf_read_decilm,
        .write = hf_write_decilm,
    },
    {
        .model_type = "openelm",
        .architecture = "OpenELMForCausalLM",
        .d_model = {"model_dim", HF_REQUIRED},
        .n_layers = {"num_transformer_layers", HF_REQUIRED},
        .d_head = {"head_dim", 128}, /* heads and widths are by layer: hf_stacks.c */
        .d_ff = {NULL, HF_FOUR_TIMES},
        .vocab_size = {"vocab_size", HF_REQUIRED},
        .max_context = {"max_context_length", 2048},
        .norm_eps = {NULL, 1e-6},
        .rope_theta = {"rope_freq_constant", 10000},
        .gated = true,
        .norm = NORM_RMS,
        .position = POSITION_ROPE,
        .activation_keys = "activation_fn_name",
        .activation = "swish",
        .read = hf_read_openelm,
        .write = hf_write_openelm,
    },
};
/* clang-format on */

enum { N_FAMILIES = sizeof families / sizeof *families };

const struct hf_family *hf_family_find(const char *model_type)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        if (strcmp(families[i].model_type, model_type) == 0)
            return &families[i];
    }
    return NULL;
}

const struct hf_family *hf_family_row(int i)
{
    return i < N_FAMILIES ? &families[i] : NULL;
}

void hf_family_names(struct text *out)
{
    for (int i = 0; i < N_FAMILIES; i++)
        text_addf(out, "%s%s", i > 0 ? ", " : "", families[i].model_type);
}

const char *hf_family_nearest(const char *model_type)
{
    const char *names[N_FAMILIES];
    for (int i = 0; i < N_FAMILIES; i++)
        names[i] = families[i].model_type;
    return text_nearest(model_type, names, N_FAMILIES);
}
