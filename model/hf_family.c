#include "model/hf_family.h"

#include <math.h>
#include <string.h>

/* Hooks */

static enum status read_mobilellm(struct hf_reader *reader, struct transformer *net,
                                  struct err *err)
{
    bool share_embedding = false, layer_sharing = false;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "share_embedding", false, &share_embedding, err)) ||
        (status = hf_bool(reader, "layer_sharing", false, &layer_sharing, err)))
        return status;
    net->tie_embeddings = net->tie_embeddings || share_embedding;
    if (layer_sharing) {
        net->schedule.sharing = SHARING_IMMEDIATE;
        net->schedule.repeats = 2;
    }
    return STATUS_OK;
}

static void write_mobilellm(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "share_embedding", net->tie_embeddings);
    json_add_bool(out, "layer_sharing", net->schedule.sharing == SHARING_IMMEDIATE);
    struct json_node *map = json_add_object(out, "auto_map");
    json_add_string(map, "AutoConfig", "configuration_mobilellm.MobileLLMConfig");
    json_add_string(map, "AutoModelForCausalLM", "modeling_mobilellm.MobileLLMForCausalLM");
}

static enum status read_llama4(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool use_qk_norm = false;
    int64_t experts = 0, step = 0, chunk = 0, unused = 0;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "use_qk_norm", true, &use_qk_norm, err)) ||
        (status = hf_int(reader, "num_local_experts", 0, INT32_MAX, 0, &experts, err)) ||
        (status = hf_int(reader, "interleave_moe_layer_step", 0, INT32_MAX, 1, &step, err)) ||
        (status = hf_int(reader, "attention_chunk_size", 0, INT32_MAX, 0, &chunk, err)) ||
        (status = hf_int(reader, "num_experts_per_tok", 0, INT32_MAX, 0, &unused, err)) ||
        (status = hf_int(reader, "intermediate_size", 0, INT32_MAX, 0, &unused, err)))
        return status;
    struct json layers = hf_find(reader, "moe_layers");
    bool has_experts = json_is_null(&layers) ? step > 0 : json_length(&layers) > 0;
    if (experts > 1 && has_experts)
        return err_set(err, STATUS_UNSUPPORTED,
                       "a mixture of %lld experts ('num_local_experts') is not a shape lathe knows",
                       (long long)experts);
    if (chunk > 0 && chunk < net->max_context)
        hf_warn(
            reader,
            "key 'attention_chunk_size' is ignored: attention is priced over the whole context");
    net->qk_norm = use_qk_norm ? QK_NORM_WEIGHTLESS : QK_NORM_NONE;
    return STATUS_OK;
}

static void write_llama4(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "use_qk_norm", net->qk_norm == QK_NORM_WEIGHTLESS);
    json_add_int(out, "intermediate_size", net->block.d_ff);
    json_add_array(out, "moe_layers");
    json_add_int(out, "interleave_moe_layer_step", 0);
    json_add_int(out, "num_local_experts", 0);
    json_add_null(out, "attention_chunk_size");
}

static enum status read_gemma(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = STATUS_OK;
    double scalar = 0;
    if ((status = hf_number(reader, "query_pre_attn_scalar", 1e-9, 1e9, 0, &scalar, err)))
        return status;
    if (scalar > 0 && scalar != (double)net->block.d_head)
        net->attention_scale = 1 / sqrt(scalar);
    net->embed_scale = sqrt((double)net->d_model);
    return STATUS_OK;
}

static enum status read_gemma2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    enum status status = STATUS_OK;
    struct json attn = hf_find(reader, "attn_logit_softcapping");
    struct json final = hf_find(reader, "final_logit_softcapping");
    net->attention_softcap = attn.item ? 0 : 50;
    net->logit_softcap = final.item ? 0 : 30;
    if ((!json_is_null(&attn) &&
         (status = json_number(&attn, 0, 1e9, &net->attention_softcap, err))) ||
        (!json_is_null(&final) && (status = json_number(&final, 0, 1e9, &net->logit_softcap, err))))
        return status;
    return read_gemma(reader, net, err);
}

static void write_gemma(struct json_node *out, const struct transformer *net)
{
    double scale = net->attention_scale;
    json_add_number(out, "query_pre_attn_scalar",
                    scale > 0 ? 1 / (scale * scale) : (double)net->block.d_head);
}

static void write_gemma2(struct json_node *out, const struct transformer *net)
{
    write_gemma(out, net);
    json_add_number(out, "attn_logit_softcapping",
                    net->attention_softcap > 0 ? net->attention_softcap : NAN);
    json_add_number(out, "final_logit_softcapping",
                    net->logit_softcap > 0 ? net->logit_softcap : NAN);
}

static enum status read_phi(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)net;
    bool qk_norm = false;
    enum status status = hf_bool(reader, "qk_layernorm", false, &qk_norm, err);
    if (status == STATUS_OK && qk_norm)
        return err_set(err, STATUS_UNSUPPORTED,
                       "layer norms on queries and keys ('qk_layernorm') are not known");
    return status;
}

static enum status read_opt(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool norm_before = true, remove_final = false, bias = true, affine = true;
    enum status status = STATUS_OK;
    if ((status =
             hf_int(reader, "word_embed_proj_dim", 1, 1 << 20, net->d_model, &net->d_embed, err)) ||
        (status = hf_bool(reader, "do_layer_norm_before", true, &norm_before, err)) ||
        (status = hf_bool(reader, "_remove_final_layer_norm", false, &remove_final, err)) ||
        (status = hf_bool(reader, "enable_bias", true, &bias, err)) ||
        (status = hf_bool(reader, "layer_norm_elementwise_affine", true, &affine, err)))
        return status;
    net->norm_placement = norm_before ? NORM_PRE : NORM_POST;
    net->final_norm = norm_before && !remove_final;
    net->biases = bias ? net->biases : 0;
    net->norm_weight = net->norm_bias = affine;
    return STATUS_OK;
}

static void write_opt(struct json_node *out, const struct transformer *net)
{
    json_add_int(out, "word_embed_proj_dim", net->d_embed);
    json_add_bool(out, "do_layer_norm_before", net->norm_placement == NORM_PRE);
    json_add_bool(out, "_remove_final_layer_norm", !net->final_norm);
    json_add_bool(out, "enable_bias", net->biases != 0);
    json_add_bool(out, "layer_norm_elementwise_affine", net->norm_weight);
}

static enum status read_gpt2(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool scale = true, by_layer = false;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "scale_attn_weights", true, &scale, err)) ||
        (status = hf_bool(reader, "scale_attn_by_inverse_layer_idx", false, &by_layer, err)))
        return status;
    net->attention_scale = scale ? 0 : 1;
    return STATUS_OK;
}

static void write_gpt2(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "scale_attn_weights", net->attention_scale != 1);
}

static enum status read_gpt_neo(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    (void)reader;
    (void)err;
    net->attention_scale = 1;
    return STATUS_OK;
}

static enum status read_gpt_neox(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool bias = true;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "use_parallel_residual", true, &net->parallel_block, err)) ||
        (status = hf_bool(reader, "attention_bias", true, &bias, err)))
        return status;
    net->biases |= bias ? BIAS_QKV | BIAS_O : 0;
    return STATUS_OK;
}

static void write_gpt_neox(struct json_node *out, const struct transformer *net)
{
    json_add_bool(out, "use_parallel_residual", net->parallel_block);
    json_add_bool(out, "attention_bias", (net->biases & BIAS_QKV) != 0);
}

/* One key/value head, all of them, or num_kv_heads; one norm or two; alibi or rotary. */
static enum status read_falcon(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    bool new_decoder = false, multi_query = true, parallel = true, bias = false, alibi = false;
    int64_t kv_heads = 0, n_norms = 0;
    enum status status = STATUS_OK;
    if ((status = hf_bool(reader, "new_decoder_architecture", false, &new_decoder, err)) ||
        (status = hf_bool(reader, "multi_query", true, &multi_query, err)) ||
        (status = hf_bool(reader, "parallel_attn", true, &parallel, err)) ||
        (status = hf_bool(reader, "bias", false, &bias, err)) ||
        (status = hf_bool(reader, "alibi", false, &alibi, err)) ||
        (status = hf_int(reader, "num_kv_heads n_head_kv", 1, 1 << 14, net->block.n_heads,
                         &kv_heads, err)) ||
        (status =
             hf_int(reader, "num_ln_in_parallel_attn", 1, 2, new_decoder ? 2 : 1, &n_norms, err)))
        return status;
    net->block.n_kv_heads = new_decoder ? kv_heads : multi_query ? 1 : net->block.n_heads;
    net->position = alibi ? POSITION_ALIBI : POSITION_ROPE;
    net->biases = bias ? BIAS_QKV | BIAS_O | BIAS_FFN : 0;
    net->parallel_block = new_decoder || parallel;
    net->parallel_shared_norm = net->parallel_block && !(new_decoder && n_norms == 2);
    return STATUS_OK;
}

static void write_falcon(struct json_node *out, const struct transformer *net)
{
    const struct block *b = &net->block;
    bool two_norms = net->parallel_block && !net->parallel_shared_norm;
    bool few_heads = b->n_kv_heads != 1 && b->n_kv_heads != b->n_heads;
    bool new_decoder = two_norms || (net->parallel_block && few_heads);
    json_add_bool(out, "new_decoder_architecture", new_decoder);
    json_add_bool(out, "multi_query", b->n_kv_heads == 1);
    json_add_int(out, "num_kv_heads", b->n_kv_heads);
    json_add_bool(out, "parallel_attn", net->parallel_block);
    if (new_decoder)
        json_add_int(out, "num_ln_in_parallel_attn", two_norms ? 2 : 1);
    json_add_bool(out, "bias", net->biases != 0);
    json_add_bool(out, "alibi", net->position == POSITION_ALIBI);
}

static enum status read_rwkv(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    int64_t width = 0;
    enum status status =
        hf_int(reader, "attention_hidden_size", 1, 1 << 20, net->d_model, &width, err);
    if (status != STATUS_OK)
        return status;
    if (width != net->d_model)
        return err_set(err, STATUS_UNSUPPORTED,
                       "'attention_hidden_size' other than 'hidden_size' is not known");
    net->block.mixer = MIXER_RWKV;
    net->ffn = FFN_RWKV_CHANNEL;
    return STATUS_OK;
}

static void write_rwkv(struct json_node *out, const struct transformer *net)
{
    json_add_int(out, "attention_hidden_size", net->d_model);
}

/* The table. Key names that llama-like families have in common: */
#define LLAMA_KEYS                                                                                 \
    .d_model = {"hidden_size", HF_REQUIRED}, .n_layers = {"num_hidden_layers", HF_REQUIRED},       \
    .n_heads = {"num_attention_heads", HF_REQUIRED}, .vocab_size = {"vocab_size", HF_REQUIRED}
#define LLAMA_FFN  .d_ff = {"intermediate_size", HF_REQUIRED}, .gated = true

#define LLAMA_LIKE LLAMA_KEYS, LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE

#define GEMMA_LIKE                                                                                 \
    LLAMA_FFN, .norm = NORM_RMS, .position = POSITION_ROPE,                                        \
               .activation_keys = "hidden_activation hidden_act",                                  \
               .activation = "gelu_pytorch_tanh", .tied = true,                                    \
               .norm_eps = {"rms_norm_eps", 1e-6}, .attention_bias = "attention_bias"

static const struct hf_family families[] = {
    {
     .model_type = "llama",
     .architecture = "LlamaForCausalLM",
     LLAMA_LIKE,                                                    .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 2048},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 10000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .attention_bias = "attention_bias",
     .ffn_bias = "mlp_bias",
     },
    {
     .model_type = "mobilellm",
     .architecture = "MobileLLMForCausalLM",
     LLAMA_LIKE, .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 2048},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 10000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .attention_bias = "attention_bias",
     .ffn_bias = "mlp_bias",
     .read = read_mobilellm,
     .write = write_mobilellm,
     },
    {
     .model_type = "mistral",
     .architecture = "MistralForCausalLM",
     LLAMA_LIKE,                                                    .n_kv_heads = {"num_key_value_heads", 8},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 131072},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 10000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .window = HF_WINDOW_ALL,
     .window_absent = 4096,
     },
    {
     /* The MobileLLM-R1 checkpoints: llama4_text without experts. */
        .model_type = "llama4_text",
     .architecture = "Llama4ForCausalLM",
     LLAMA_KEYS,                                     .gated = true,
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
     .read = read_llama4,
     .write = write_llama4,
     },
    {
     /* MobileLLM-Pro: of 30 layers 8 see everything. */
        .model_type = "mobilellm_p1",
     .architecture = "MobileLLMP1ForCausalLM",
     LLAMA_LIKE,                               .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 131072},
     .norm_eps = {"rms_norm_eps", 1e-5},
     .rope_theta = {"rope_theta", 500000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .window = HF_WINDOW_PERIOD,
     .window_period = 4,
     .window_phase = 0,
     },
    {
     .model_type = "smollm3",
     .architecture = "SmolLM3ForCausalLM",
     LLAMA_LIKE,                                       .n_kv_heads = {"num_key_value_heads", 4},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 32768},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 2000000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .tied = true,
     .attention_bias = "attention_bias",
     .ffn_bias = "mlp_bias",
     .window = HF_WINDOW_QWEN,
     .window_absent = 4096,
     },
    {
     .model_type = "qwen2",
     .architecture = "Qwen2ForCausalLM",
     LLAMA_LIKE,                                                             .n_kv_heads = {"num_key_value_heads", 32},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 32768},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 10000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .biases = BIAS_QKV,
     .window = HF_WINDOW_QWEN,
     .window_absent = 4096,
     },
    {
     .model_type = "qwen3",
     .architecture = "Qwen3ForCausalLM",
     LLAMA_LIKE,                                                             .n_kv_heads = {"num_key_value_heads", 32},
     .d_head = {"head_dim", 128},
     .max_context = {"max_position_embeddings", 32768},
     .norm_eps = {"rms_norm_eps", 1e-6},
     .rope_theta = {"rope_theta", 10000},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .qk_norm = QK_NORM_WEIGHTED,
     .attention_bias = "attention_bias",
     .window = HF_WINDOW_QWEN,
     .window_absent = 4096,
     },
    {
     .model_type = "gemma",
     .architecture = "GemmaForCausalLM",
     LLAMA_KEYS,                                        GEMMA_LIKE,
     .n_kv_heads = {"num_key_value_heads", 16},
     .d_head = {"head_dim", 256},
     .max_context = {"max_position_embeddings", 8192},
     .rope_theta = {"rope_theta", 10000},
     .read = read_gemma,
     },
    {
     .model_type = "gemma2",
     .architecture = "Gemma2ForCausalLM",
     LLAMA_KEYS,                           GEMMA_LIKE,
     .n_kv_heads = {"num_key_value_heads", 4},
     .d_head = {"head_dim", 256},
     .max_context = {"max_position_embeddings", 8192},
     .rope_theta = {"rope_theta", 10000},
     .norm_placement = NORM_SANDWICH,
     .window = HF_WINDOW_PERIOD,
     .window_absent = 4096,
     .window_period = 2,
     .window_phase = 1,
     .read = read_gemma2,
     .write = write_gemma2,
     },
    {
     /* The hub's files of this family leave out what equals the defaults. */
        .model_type = "gemma3_text",
     .architecture = "Gemma3ForCausalLM",
     GEMMA_LIKE,                                                                   .d_model = {"hidden_size", HF_REQUIRED},
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
     .read = read_gemma,
     .write = write_gemma,
     },
    {
     .model_type = "phi",
     .architecture = "PhiForCausalLM",
     LLAMA_KEYS,                                         .d_ff = {"intermediate_size", HF_REQUIRED},
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
     .read = read_phi,
     },
    {
     .model_type = "phi3",
     .architecture = "Phi3ForCausalLM",
     LLAMA_LIKE,                          .n_kv_heads = {"num_key_value_heads", HF_DERIVED},
     .d_head = {"head_dim", HF_DERIVED},
     .max_context = {"max_position_embeddings", 4096},
     .norm_eps = {"rms_norm_eps", 1e-5},
     .rope_theta = {"rope_theta", 10000},
     .rope_frac = {"partial_rotary_factor", 1},
     .activation_keys = "hidden_act",
     .activation = "silu",
     .window = HF_WINDOW_ALL,
     },
    {
     .model_type = "olmo",
     .architecture = "OlmoForCausalLM",
     LLAMA_KEYS,                                                    LLAMA_FFN,
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
     .model_type = "opt",                         /* and Galactica */
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
     .read = read_opt,
     .write = write_opt,
     },
    {
     .model_type = "gpt2",                                                               /* and Cerebras-GPT, LaMini-GPT */
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
     .read = read_gpt2,
     .write = write_gpt2,
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
     .read = read_gpt_neo,
     },
    {
     .model_type = "gpt_neox",                  /* Pythia */
        .architecture = "GPTNeoXForCausalLM",
     LLAMA_KEYS,                                      .d_ff = {"intermediate_size", HF_REQUIRED},
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
     .read = read_gpt_neox,
     .write = write_gpt_neox,
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
     .read = read_falcon,
     .write = write_falcon,
     },
    {
     .model_type = "rwkv",                                         /* version 4 */
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
     .read = read_rwkv,
     .write = write_rwkv,
     },
};

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
