/* Dense decoders that are llama but for where norms stand, what is scaled, or the activation. Source:
 * the configuration classes of transformers 4.56 and 5, and the hub's own code for minicpm,
 * internlm2, internlm3 and baichuan. */
#include "model/hf_hooks.h"
#include "model/hf_rows.h"

/* What most of them have beside LLAMA_LIKE. */
#define CONTEXT(tokens)  .max_context = {"max_position_embeddings", tokens}
#define KV_HEADS(absent) .n_kv_heads = {"num_key_value_heads", absent}
#define HEAD_DIM(absent) .d_head = {"head_dim", absent}
#define RMS_EPS(absent)  .norm_eps = {"rms_norm_eps", absent}
#define THETA(absent)    .rope_theta = {"rope_theta", absent}
#define PLAIN_BIASES     .attention_bias = "attention_bias", .ffn_bias = "mlp_bias"

/* Layer norms, two or three matrices, rotary. */
#define LAYER_NORMED .norm = NORM_LAYER, .position = POSITION_ROPE, .activation_keys = "hidden_act"

/* clang-format off */
const struct hf_family hf_rows_dense[] = {
    {
        /* Granite 2 to 4 without experts: branches, logits, embeddings and scores are scaled. */
        .model_type = "granite", .architecture = "GraniteForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-6),
        THETA(10000), PLAIN_BIASES,
        .read = hf_read_granite, .write = hf_write_granite,
    },
    {
        .model_type = "minicpm", .architecture = "MiniCPMForCausalLM", /* MiniCPM 1, 2 and 4 */
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-6), THETA(10000), PLAIN_BIASES,
        .tied = true, .read = hf_read_minicpm, .write = hf_write_minicpm,
    },
    {
        .model_type = "ernie4_5", .architecture = "Ernie4_5ForCausalLM",
        LLAMA_LIKE, KV_HEADS(2), HEAD_DIM(128), CONTEXT(131072), RMS_EPS(1e-5), THETA(500000),
        .attention_bias = "use_bias", .ffn_bias = "use_bias", .tied = true,
    },
    {
        .model_type = "hunyuan_v1_dense", .architecture = "HunYuanDenseV1ForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), .d_head = {"head_dim attention_head_dim", HF_DERIVED},
        CONTEXT(2048), RMS_EPS(1e-5), THETA(10000), .qk_norm = QK_NORM_WEIGHTED,
        .attention_bias = "attention_bias", .read = hf_read_hunyuan,
    },
    {
        .model_type = "ministral3", .architecture = "Ministral3ForCausalLM",
        LLAMA_LIKE, KV_HEADS(8), HEAD_DIM(128), CONTEXT(262144), RMS_EPS(1e-5), THETA(1000000),
        .window = HF_WINDOW_ALL,
    },
    {
        .model_type = "seed_oss", .architecture = "SeedOssForCausalLM",
        LLAMA_LIKE, KV_HEADS(8), HEAD_DIM(128), CONTEXT(524288), RMS_EPS(1e-6), THETA(10000),
        .ffn_bias = "mlp_bias", .read = hf_read_seed_oss, .write = hf_write_seed_oss,
    },
    {
        .model_type = "olmo2", .architecture = "Olmo2ForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-5), THETA(10000),
        .attention_bias = "attention_bias", .norm_placement = NORM_BRANCH,
        .qk_norm = QK_NORM_WHOLE,
    },
    {
        .model_type = "olmo3", .architecture = "Olmo3ForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-5), THETA(10000),
        .attention_bias = "attention_bias", .norm_placement = NORM_BRANCH,
        .qk_norm = QK_NORM_WHOLE,
        .window = HF_WINDOW_PERIOD, .window_absent = 4096, .window_period = 4, .window_phase = 3,
    },
    {
        /* Where some layers have a window, those without have no rotary positions. */
        .model_type = "exaone4", .architecture = "Exaone4ForCausalLM",
        LLAMA_LIKE, KV_HEADS(32), HEAD_DIM(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-5), THETA(10000),
        .norm_placement = NORM_BRANCH, .qk_norm = QK_NORM_WEIGHTED,
        .window = HF_WINDOW_PERIOD, .window_absent = 4096, .window_period = 4, .window_phase = 3,
        .turn = HF_TURN_WINDOWED,
    },
    {
        .model_type = "internlm2", .architecture = "InternLM2ForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), CONTEXT(2048), RMS_EPS(1e-6), THETA(10000),
        .read = hf_read_internlm2, .write = hf_write_internlm2,
    },
    {
        .model_type = "internlm3", .architecture = "InternLM3ForCausalLM",
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(32768), RMS_EPS(1e-6),
        THETA(10000), .read = hf_read_internlm3, .write = hf_write_internlm3,
    },
    {
        .model_type = "glm", .architecture = "GlmForCausalLM", /* GLM-4-9B, GLM-Edge */
        LLAMA_LIKE, KV_HEADS(2), HEAD_DIM(128), CONTEXT(131072), RMS_EPS(1.5625e-07), THETA(10000),
        .rope_frac = {"partial_rotary_factor", 0.5}, .read = hf_read_glm, .write = hf_write_glm,
    },
    {
        .model_type = "glm4", .architecture = "Glm4ForCausalLM", /* GLM-4-0414 */
        LLAMA_LIKE, KV_HEADS(2), HEAD_DIM(128), CONTEXT(131072), RMS_EPS(1.5625e-07), THETA(10000),
        .rope_frac = {"partial_rotary_factor", 0.5}, .norm_placement = NORM_SANDWICH,
        .read = hf_read_glm, .write = hf_write_glm,
    },
    {
        .model_type = "baichuan", .architecture = "BaichuanForCausalLM",
        LLAMA_LIKE, .max_context = {"max_position_embeddings model_max_length", 4096},
        RMS_EPS(1e-6), THETA(10000), .read = hf_read_baichuan,
    },
    {
        .model_type = "phi4mm", .architecture = "Phi4MMForCausalLM", /* Phi-4-multimodal */
        LLAMA_LIKE, KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(4096), RMS_EPS(1e-5),
        THETA(10000), .rope_frac = {"partial_rotary_factor", 1}, .window = HF_WINDOW_ALL,
        .read = hf_read_phi4mm,
    },
    {
        .model_type = "arcee", .architecture = "ArceeForCausalLM",
        LLAMA_KEYS, .d_ff = {"intermediate_size", HF_REQUIRED}, .norm = NORM_RMS,
        .position = POSITION_ROPE, .activation_keys = "hidden_act", .activation = "relu2",
        KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(4096), RMS_EPS(1e-5), THETA(10000),
        PLAIN_BIASES,
    },
    {
        .model_type = "apertus", .architecture = "ApertusForCausalLM",
        LLAMA_KEYS, .d_ff = {"intermediate_size", HF_REQUIRED}, .norm = NORM_RMS,
        .position = POSITION_ROPE, .activation_keys = "hidden_act", .activation = "xielu",
        KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(65536), RMS_EPS(1e-5), THETA(12000000),
        .qk_norm = QK_NORM_WEIGHTED, .attention_bias = "attention_bias",
    },
    {
        .model_type = "nemotron", .architecture = "NemotronForCausalLM", /* Nemotron 3 and 4, Minitron */
        LLAMA_KEYS, .d_ff = {"intermediate_size", HF_REQUIRED}, LAYER_NORMED,
        .activation = "relu2", .norm_bias = true,
        KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(4096), .norm_eps = {"norm_eps", 1e-5},
        THETA(10000), .rope_frac = {"partial_rotary_factor rope_percent", 0.5}, PLAIN_BIASES,
    },
    {
        .model_type = "stablelm", .architecture = "StableLmForCausalLM",
        LLAMA_KEYS, LLAMA_FFN, LAYER_NORMED, .activation = "silu", .norm_bias = true,
        KV_HEADS(32), CONTEXT(4096), .norm_eps = {"layer_norm_eps", 1e-5}, THETA(10000),
        .rope_frac = {"partial_rotary_factor rope_pct", 0.25},
        .read = hf_read_stablelm, .write = hf_write_stablelm,
    },
    {
        .model_type = "starcoder2", .architecture = "Starcoder2ForCausalLM",
        LLAMA_KEYS, .d_ff = {"intermediate_size", HF_REQUIRED}, LAYER_NORMED,
        .activation = "gelu_pytorch_tanh", .norm_bias = true, .tied = true,
        KV_HEADS(2), CONTEXT(4096), .norm_eps = {"norm_epsilon", 1e-5}, THETA(10000),
        .window = HF_WINDOW_ALL, .read = hf_read_starcoder2, .write = hf_write_starcoder2,
    },
    {
        .model_type = "cohere", .architecture = "CohereForCausalLM",
        LLAMA_KEYS, LLAMA_FFN, LAYER_NORMED, .activation = "silu", .tied = true,
        .parallel_block = true, .parallel_shared_norm = true,
        KV_HEADS(HF_DERIVED), CONTEXT(8192), .norm_eps = {"layer_norm_eps", 1e-5}, THETA(10000),
        .attention_bias = "attention_bias", .read = hf_read_cohere, .write = hf_write_cohere,
    },
    {
        .model_type = "cohere2", .architecture = "Cohere2ForCausalLM",
        LLAMA_KEYS, LLAMA_FFN, LAYER_NORMED, .activation = "silu", .tied = true,
        .parallel_block = true, .parallel_shared_norm = true,
        KV_HEADS(HF_DERIVED), HEAD_DIM(HF_DERIVED), CONTEXT(8192),
        .norm_eps = {"layer_norm_eps", 1e-5}, THETA(10000), .attention_bias = "attention_bias",
        .window = HF_WINDOW_PERIOD, .window_absent = 4096, .window_period = 4, .window_phase = 3,
        .turn = HF_TURN_WINDOWED, .read = hf_read_cohere2, .write = hf_write_cohere2,
    },
    {.model_type = NULL},
};
/* clang-format on */
