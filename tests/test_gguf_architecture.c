#include "model/count.h"
#include "tests/gguf_builder.h"

#include "base/memory.h"
#include "model/gguf_architecture.h"

enum { D = 8, L = 2, F = 20, V = 30, CONTEXT = 64 };

/* How the files of a family look, as llama.cpp's converter names them. */
struct sample {
    const char *architecture, *family;
    int n_heads, n_kv_heads, d_head; /* d_head 0: no key_length, D / n_heads */
    bool fused_qkv, fused_gate, gated, biases, layer_norm, norm_bias, no_norms;
    bool tied, positions, embed_norm, head_bias, qk_norm, sandwich;
    const char *second_norm; /* NULL: none */
    int rotated;             /* 0: not said */
    int window;
};

static const struct sample samples[] = {
    {"llama", "llama", 4, 2, 0, .gated = true, .tied = true, .second_norm = "ffn_norm"},
    {"llama", "llama", 4, 4, 4, .gated = true, .second_norm = "ffn_norm"},
    {"qwen2", "qwen2", 2, 1, 0, .gated = true, .tied = true, .second_norm = "ffn_norm"},
    {"qwen3", "qwen3", 2, 1, 6, .gated = true, .qk_norm = true, .second_norm = "ffn_norm"},
    {"deci", "nemotron-nas", 4, 2, 0, .gated = true, .second_norm = "ffn_norm"},
    {"openelm", "openelm", 2, 1, 6, .fused_qkv = true, .gated = true, .tied = true, .qk_norm = true,
     .second_norm = "ffn_norm"},
    {"mimo2", "mimo_v2_flash", 2, 1, 6, .gated = true, .second_norm = "ffn_norm", .window = 16},
    {"gemma", "gemma", 2, 1, 6, .gated = true, .tied = true, .second_norm = "ffn_norm"},
    {"gemma2", "gemma2", 2, 1, 6, .gated = true, .tied = true, .sandwich = true,
     .second_norm = "ffn_norm", .window = 16},
    {"gemma3", "gemma3_text", 2, 1, 6, .gated = true, .tied = true, .sandwich = true,
     .qk_norm = true, .second_norm = "ffn_norm", .window = 16},
    {"phi2", "phi", 2, 2, 0, .biases = true, .layer_norm = true, .norm_bias = true,
     .head_bias = true, .rotated = 2},
    {"phi3", "phi3", 2, 2, 0, .fused_qkv = true, .fused_gate = true, .gated = true,
     .second_norm = "ffn_norm", .window = 32},
    {"gptneox", "gpt_neox", 2, 2, 0, .fused_qkv = true, .biases = true, .layer_norm = true,
     .norm_bias = true, .second_norm = "ffn_norm", .rotated = 2},
    {"gpt2", "gpt2", 2, 2, 0, .fused_qkv = true, .biases = true, .layer_norm = true,
     .norm_bias = true, .positions = true, .second_norm = "ffn_norm"},
    {"bloom", "bloom", 2, 2, 0, .fused_qkv = true, .biases = true, .layer_norm = true,
     .norm_bias = true, .embed_norm = true, .second_norm = "ffn_norm"},
    {"falcon", "falcon", 2, 1, 0, .fused_qkv = true, .layer_norm = true, .norm_bias = true},
    {"falcon", "falcon", 2, 1, 0, .fused_qkv = true, .layer_norm = true, .norm_bias = true,
     .second_norm = "attn_norm_2"},
    {"olmo", "olmo", 2, 2, 0, .gated = true, .layer_norm = true, .no_norms = true},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static void add_arch_u32(struct builder *b, const struct sample *s, const char *key, uint32_t value)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", s->architecture, key);
    add_key_u32(b, full, value);
}

static void add_norm(struct builder *b, const struct sample *s, const char *name, uint64_t n)
{
    char full[64];
    if (s->no_norms)
        return;
    snprintf(full, sizeof full, "%s.weight", name);
    add_tensor(b, full, n, 0);
    snprintf(full, sizeof full, "%s.bias", name);
    if (s->norm_bias)
        add_tensor(b, full, n, 0);
}

static void add_matrix(struct builder *b, bool bias, int layer, const char *name, int d_in,
                       int d_out)
{
    char full[64];
    snprintf(full, sizeof full, "blk.%d.%s.weight", layer, name);
    add_tensor(b, full, (uint64_t)d_in, (uint64_t)d_out);
    snprintf(full, sizeof full, "blk.%d.%s.bias", layer, name);
    if (bias)
        add_tensor(b, full, (uint64_t)d_out, 0);
}

static void add_layer(struct builder *b, const struct sample *s, int layer)
{
    int d_head = s->d_head ? s->d_head : D / s->n_heads;
    int q = s->n_heads * d_head, kv = s->n_kv_heads * d_head;
    bool qkv_bias = s->biases || strcmp(s->architecture, "qwen2") == 0;
    char name[64];
    snprintf(name, sizeof name, "blk.%d.attn_norm", layer);
    add_norm(b, s, name, D);
    snprintf(name, sizeof name, "blk.%d.%s", layer, s->second_norm ? s->second_norm : "");
    if (s->second_norm)
        add_norm(b, s, name, D);
    for (int post = 0; post < (s->sandwich ? 2 : 0); post++) {
        snprintf(name, sizeof name, "blk.%d.%s", layer,
                 post ? "post_ffw_norm" : "post_attention_norm");
        add_norm(b, s, name, D);
    }
    for (int k = 0; k < (s->qk_norm ? 2 : 0); k++) {
        snprintf(name, sizeof name, "blk.%d.attn_%c_norm", layer, k ? 'k' : 'q');
        add_norm(b, s, name, (uint64_t)d_head);
    }
    if (s->fused_qkv) {
        add_matrix(b, qkv_bias, layer, "attn_qkv", D, q + 2 * kv);
    } else {
        add_matrix(b, qkv_bias, layer, "attn_q", D, q);
        add_matrix(b, qkv_bias, layer, "attn_k", D, kv);
        add_matrix(b, qkv_bias, layer, "attn_v", D, kv);
    }
    add_matrix(b, s->biases, layer, "attn_output", q, D);
    add_matrix(b, s->biases, layer, "ffn_up", D, s->fused_gate ? 2 * F : F);
    if (s->gated && !s->fused_gate)
        add_matrix(b, s->biases, layer, "ffn_gate", D, F);
    add_matrix(b, s->biases, layer, "ffn_down", F, D);
}

static void add_sample(struct builder *b, const struct sample *s)
{
    char key[96];
    add_key_string(b, "general.architecture", s->architecture);
    add_key_string(b, "general.name", "a sample");
    add_arch_u32(b, s, "context_length", CONTEXT);
    add_arch_u32(b, s, "embedding_length", D);
    add_arch_u32(b, s, "block_count", L);
    add_arch_u32(b, s, "feed_forward_length", F);
    add_arch_u32(b, s, "attention.head_count", (uint32_t)s->n_heads);
    if (s->n_kv_heads != s->n_heads)
        add_arch_u32(b, s, "attention.head_count_kv", (uint32_t)s->n_kv_heads);
    if (s->d_head) {
        add_arch_u32(b, s, "attention.key_length", (uint32_t)s->d_head);
        add_arch_u32(b, s, "attention.value_length", (uint32_t)s->d_head);
    }
    if (s->rotated)
        add_arch_u32(b, s, "rope.dimension_count", (uint32_t)s->rotated);
    if (s->window)
        add_arch_u32(b, s, "attention.sliding_window", (uint32_t)s->window);
    snprintf(key, sizeof key, "%s.attention.layer_norm_%sepsilon", s->architecture,
             s->layer_norm ? "" : "rms_");
    add_key_f32(b, key, 0.25f);

    add_tensor(b, "token_embd.weight", D, V);
    if (s->embed_norm)
        add_norm(b, s, "token_embd_norm", D);
    if (s->positions)
        add_tensor(b, "position_embd.weight", D, CONTEXT);
    add_norm(b, s, "output_norm", D);
    if (!s->tied)
        add_tensor(b, "output.weight", D, V);
    if (s->head_bias)
        add_tensor(b, "output.bias", V, 0);
    for (int layer = 0; layer < L; layer++)
        add_layer(b, s, layer);
    build_file(b);
}

static enum status read_built(const struct builder *b, struct transformer *net,
                              struct text *warnings, struct err *err)
{
    struct gguf file;
    enum status status = gguf_parse("x.gguf", b->file, b->file_length, &file, err);
    if (status == STATUS_OK)
        status = gguf_architecture(&file, net, warnings, err);
    gguf_close(&file);
    return status;
}

static int64_t elements_of(const struct builder *b)
{
    struct gguf file;
    int64_t n = 0;
    assert_int_equal(gguf_parse("x.gguf", b->file, b->file_length, &file, NULL), STATUS_OK);
    for (int64_t i = 0; i < file.n_tensors; i++)
        n += file.tensors[i].n_elements;
    gguf_close(&file);
    return n;
}

/* The count is that of the file: no tensor was missed and none was invented. */
static void every_family_is_recovered_to_the_last_parameter(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        const struct sample *s = &samples[i];
        struct builder *b = calloc(1, sizeof *b);
        struct transformer net;
        struct text warnings = {0};
        struct err err = {""};
        struct param_count count;
        add_sample(b, s);
        enum status status = read_built(b, &net, &warnings, &err);
        if (status != STATUS_OK)
            fail_msg("%s: %s", s->architecture, err.message);
        assert_string_equal(net.family, s->family);
        assert_string_equal(net.name, "a sample");
        assert_int_equal(net.d_model, D);
        assert_int_equal(net.schedule.n_layers, L);
        assert_int_equal(net.stack.first.n_heads, s->n_heads);
        assert_int_equal(net.stack.first.n_kv_heads, s->n_kv_heads);
        assert_int_equal(net.stack.first.d_head, s->d_head ? s->d_head : D / s->n_heads);
        assert_int_equal(net.stack.first.d_ff, F);
        assert_int_equal(net.vocab_size, V);
        assert_int_equal(net.max_context, CONTEXT);
        assert_int_equal(net.tie_embeddings, s->tied);
        assert_int_equal(net.norm, s->layer_norm ? NORM_LAYER : NORM_RMS);
        assert_true(net.norm_eps == 0.25);
        assert_int_equal(net.block_dtype, DTYPE_F16);
        transformer_count(&net, &count);
        assert_int_equal(count.total, elements_of(b));
        assert_int_equal(warnings.length, 0);
        transformer_release(&net);
        text_release(&warnings);
        build_release(b);
        free(b);
    }
}

static void read_sample(int i, struct transformer *net)
{
    struct builder *b = calloc(1, sizeof *b);
    add_sample(b, &samples[i]);
    assert_int_equal(read_built(b, net, NULL, NULL), STATUS_OK);
    build_release(b);
    free(b);
}

static void kinds_follow_from_the_family(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        const char *name = samples[i].architecture;
        struct transformer net;
        read_sample(i, &net);
        if (strcmp(name, "gemma2") == 0) {
            assert_int_equal(net.norm_placement, NORM_SANDWICH);
            assert_int_equal(net.ffn, FFN_GEGLU);
            assert_int_equal(transformer_block(&net, 0)->window, 16);
            assert_int_equal(transformer_block(&net, 1)->window, 0);
        } else if (strcmp(name, "gemma3") == 0) {
            assert_int_equal(net.qk_norm, QK_NORM_WEIGHTED);
            assert_true(stack_is_uniform(&net.stack)); /* of two layers none is the sixth */
            assert_int_equal(net.stack.first.window, 16);
        } else if (strcmp(name, "phi2") == 0) {
            assert_true(net.parallel_block && net.parallel_shared_norm);
            assert_int_equal(net.biases, BIAS_QKV | BIAS_O | BIAS_FFN | BIAS_HEAD);
            assert_true(net.rope_frac == 0.5);
        } else if (strcmp(name, "gptneox") == 0) {
            assert_true(net.parallel_block && !net.parallel_shared_norm);
        } else if (strcmp(name, "falcon") == 0) {
            assert_int_equal(net.parallel_shared_norm, samples[i].second_norm == NULL);
        } else if (strcmp(name, "bloom") == 0) {
            assert_int_equal(net.position, POSITION_ALIBI);
            assert_true(net.embed_norm);
        } else if (strcmp(name, "gpt2") == 0) {
            assert_int_equal(net.position_rows, CONTEXT);
        } else if (strcmp(name, "olmo") == 0) {
            assert_false(net.norm_weight);
        } else if (strcmp(name, "qwen2") == 0) {
            assert_int_equal(net.biases, BIAS_QKV);
        }
        transformer_release(&net);
    }
}

/* Renames tensor i to something else: whatever it was, it is missed. Biases may be missing, which
 * is a matrix without one beside others that have theirs. */
static void a_tensor_that_is_missing_is_an_error_that_names_it(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        struct builder *b = calloc(1, sizeof *b);
        struct gguf file;
        add_sample(b, &samples[i]);
        assert_int_equal(gguf_parse("x", b->file, b->file_length, &file, NULL), STATUS_OK);
        for (int64_t t = 0; t < file.n_tensors; t++) {
            struct gguf_string name = file.tensors[t].name;
            char *letter = (char *)b->file + (name.data - (const char *)b->file), was = *letter;
            char quoted[80];
            struct transformer net;
            struct err err = {""};
            snprintf(quoted, sizeof quoted, "'%.*s'", (int)name.length, name.data);
            *letter = 'X';
            enum status status = read_built(b, &net, NULL, &err);
            *letter = was;
            bool optional =
                strcmp(quoted, "'output.weight'") == 0 || strcmp(quoted, "'output.bias'") == 0;
            if (optional) {
                assert_int_equal(status, STATUS_OK);
                transformer_release(&net);
            } else if (strstr(quoted, ".bias") && !strstr(quoted, "norm")) {
                assert_int_equal(status, STATUS_UNSUPPORTED);
            } else if (strstr(quoted, "attn_qkv.weight") == NULL) {
                if (status != STATUS_INPUT || strstr(err.message, quoted) == NULL)
                    fail_msg("without %s of %s: status %d '%s'", quoted, samples[i].architecture,
                             (int)status, err.message);
            } else {
                assert_int_not_equal(status, STATUS_OK);
            }
        }
        gguf_close(&file);
        build_release(b);
        free(b);
    }
}

static void assert_error(struct builder *b, enum status expected, const char *text)
{
    struct transformer net;
    struct err err = {""};
    build_file(b);
    enum status status = read_built(b, &net, NULL, &err);
    if (status != expected || strstr(err.message, text) == NULL)
        fail_msg("status %d '%s', expected '%s'", (int)status, err.message, text);
    build_release(b);
    free(b);
}

static struct builder *llama_with(const char *architecture, uint32_t n_layers)
{
    struct builder *b = calloc(1, sizeof *b);
    const struct sample s = {.architecture = architecture};
    assert_non_null(b);
    add_key_string(b, "general.architecture", architecture);
    add_arch_u32(b, &s, "embedding_length", D);
    add_arch_u32(b, &s, "block_count", n_layers);
    add_arch_u32(b, &s, "context_length", CONTEXT);
    add_arch_u32(b, &s, "feed_forward_length", F);
    return b;
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    struct builder *b = calloc(1, sizeof *b);
    assert_error(b, STATUS_INPUT, "metadata key 'general.architecture' is missing");
    assert_error(llama_with("mamba", 1), STATUS_UNSUPPORTED,
                 "architecture 'mamba' is not one of the known: llama, qwen2");
    b = llama_with("llama", 1);
    add_key_u32(b, "llama.expert_count", 8);
    assert_error(b, STATUS_UNSUPPORTED, "a mixture of 8 experts");
    b = llama_with("llama", 1);
    add_key_u32(b, "split.count", 3);
    assert_error(b, STATUS_UNSUPPORTED, "one of 3 parts");
    assert_error(llama_with("llama", 1), STATUS_INPUT, "there are no tensors in it");
    b = llama_with("llama", 60000);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_INPUT, "the block count is 60000, but there are only 1 tensors");
    assert_error(llama_with("llama", 70000), STATUS_RANGE, "'llama.block_count' is 70000");
    b = llama_with("llama", 1);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_INPUT, "'llama.attention.head_count' is missing");
    b = llama_with("deci", 1);
    add_key_u32(b, "deci.attention.head_count", 2);
    add_key_u32(b, "deci.attention.head_count_kv", 0);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_UNSUPPORTED, "block 0 has a matrix in place of attention (2 heads, no");
    b = llama_with("deci", 1);
    add_key_u32(b, "deci.attention.head_count", 0);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_UNSUPPORTED, "no layer has attention heads");
    b = calloc(1, sizeof *b);
    add_key_string(b, "general.architecture", "deci");
    add_key_u32(b, "deci.context_length", CONTEXT);
    add_key_u32(b, "deci.embedding_length", D);
    add_key_u32(b, "deci.block_count", 1);
    add_key_u32(b, "deci.feed_forward_length", 0);
    add_key_u32(b, "deci.attention.head_count", 2);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_UNSUPPORTED, "block 0 has no FFN");
    b = llama_with("llama", 1);
    add_key_u32(b, "llama.attention.head_count", 3);
    add_tensor(b, "token_embd.weight", D, V);
    assert_error(b, STATUS_INPUT, "8 is not a multiple of the 3 heads");
    b = llama_with("llama", 1);
    add_key_u32(b, "llama.attention.head_count", 2);
    add_tensor(b, "token_embd.weight", D + 1, V);
    assert_error(b, STATUS_INPUT, "tensor 'token_embd.weight' is 9 x 30, the metadata says 8 x 30");
}

static void layers_may_differ_where_the_metadata_is_an_array(void **state)
{
    (void)state;
    struct builder *b = llama_with("llama", 2);
    const struct sample first = {.architecture = "llama",
                                 .n_heads = 2,
                                 .n_kv_heads = 2,
                                 .gated = true,
                                 .second_norm = "ffn_norm",
                                 .d_head = 4};
    struct sample second = first;
    struct transformer net;
    struct err err;
    second.n_heads = 4;
    add_key_u32(b, "llama.attention.key_length", 4);
    add_key_u32(b, "llama.attention.value_length", 4);
    add_key_array(b, "llama.attention.head_count", GGUF_INT32, 2);
    add_u32(&b->keys, 2);
    add_u32(&b->keys, 4);
    add_key_u32(b, "llama.attention.head_count_kv", 2);
    add_tensor(b, "token_embd.weight", D, V);
    add_tensor(b, "output_norm.weight", D, 0);
    add_layer(b, &first, 0);
    add_layer(b, &second, 1);
    build_file(b);
    assert_int_equal(read_built(b, &net, NULL, &err), STATUS_OK);
    assert_false(stack_is_uniform(&net.stack));
    assert_int_equal(transformer_block(&net, 0)->n_heads, 2);
    assert_int_equal(transformer_block(&net, 1)->n_heads, 4);
    transformer_release(&net);
    build_release(b);
    free(b);
}

static void mixed_types_are_read_tensor_by_tensor(void **state)
{
    (void)state;
    const char *const names[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                 "ffn_gate", "ffn_up", "ffn_down"};
    struct builder *b = calloc(1, sizeof *b);
    struct transformer net;
    struct text warnings = {0};
    struct err err = {""};
    add_key_string(b, "general.architecture", "llama");
    add_key_u32(b, "llama.embedding_length", 256);
    add_key_u32(b, "llama.block_count", 1);
    add_key_u32(b, "llama.context_length", 256);
    add_key_u32(b, "llama.feed_forward_length", 256);
    add_key_u32(b, "llama.attention.head_count", 4);
    add_tensor(b, "token_embd.weight", 256, 4);
    add_tensor(b, "output_norm.weight", 256, 0);
    add_tensor(b, "blk.0.attn_norm.weight", 256, 0);
    add_tensor(b, "blk.0.ffn_norm.weight", 256, 0);
    add_tensor(b, "rope_freqs.weight", 16, 0);
    for (int i = 0; i < 7; i++) {
        char name[64];
        snprintf(name, sizeof name, "blk.0.%s.weight", names[i]);
        add_info(b, name, i == 2 ? 14 : 13, b->data_bytes, 256, 256, 0);
        b->data_bytes += i == 2 ? 210 * 256 : 176 * 256;
        b->data_bytes = (b->data_bytes + 31) / 32 * 32;
    }
    build_file(b);
    if (read_built(b, &net, &warnings, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(net.block_dtype, DTYPE_Q5_K);
    assert_int_equal(net.embedding_dtype, DTYPE_F16);
    struct weight_bytes bytes;
    transformer_weight_bytes(&net, &bytes);
    assert_int_equal(bytes.blocks, 256 * (6 * 176 + 210) + 2 * 256 * 4);
    assert_non_null(strstr(warnings.data, "of other types than f32 are counted as f32"));
    assert_non_null(strstr(warnings.data, "rope scaling is not modelled"));
    assert_non_null(strstr(warnings.data, "16 of the file's "));
    transformer_release(&net);
    text_release(&warnings);
    build_release(b);
    free(b);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct builder *b = calloc(1, sizeof *b);
    enum status status = STATUS_NOMEM;
    add_sample(b, &samples[5]);
    for (int64_t n = 1; status == STATUS_NOMEM; n++) {
        struct transformer net;
        struct text warnings = {0};
        memory_fail_after(n);
        status = read_built(b, &net, &warnings, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK)
            transformer_release(&net);
        text_release(&warnings);
        assert_true(n < 1000);
    }
    assert_int_equal(status, STATUS_OK);
    build_release(b);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_is_recovered_to_the_last_parameter),
        cmocka_unit_test(kinds_follow_from_the_family),
        cmocka_unit_test(a_tensor_that_is_missing_is_an_error_that_names_it),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(layers_may_differ_where_the_metadata_is_an_array),
        cmocka_unit_test(mixed_types_are_read_tensor_by_tensor),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
