/* Tensors of a GGUF file in their places, whatever their family calls them. */
#include "tests/gguf_builder.h"

#include <math.h>
#include <unistd.h>

#include "kernels/cpu.h"
#include "model/gguf_architecture.h"
#include "model/gguf_write.h"
#include "runtime/generate.h"
#include "runtime/weights.h"
#include "tests/temporary_folder.h"

enum { D = 8, F = 20, V = 30, HEADS = 2, KV = 1, HEAD = 4, Q = HEADS * HEAD, K = KV * HEAD };

static char folder[TEMPORARY_MOST];

static int make_folder(void **state)
{
    (void)state;
    return temporary_make(folder);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *file_name(void)
{
    return temporary_path(folder, "x.gguf");
}

/* An f32 tensor, rows 0: a vector. */
static void add_f32(struct builder *b, const char *name, int row, int rows)
{
    add_info(b, name, 0, b->data_bytes, (uint64_t)row, (uint64_t)rows, 0);
    b->data_bytes += (uint64_t)(4 * row * (rows ? rows : 1) + 31) / 32 * 32;
}

static void add_linear(struct builder *b, const char *name, int row, int rows, bool bias)
{
    char full[64];
    snprintf(full, sizeof full, "blk.0.%s.weight", name);
    add_f32(b, full, row, rows);
    snprintf(full, sizeof full, "blk.0.%s.bias", name);
    if (bias)
        add_f32(b, full, rows, 0);
}

static void add_norm(struct builder *b, const char *name, bool bias)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    add_f32(b, full, D, 0);
    snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        add_f32(b, full, D, 0);
}

static void add_metadata(struct builder *b, const char *architecture, int n_kv_heads)
{
    static const char *const names[] = {"context_length",       "embedding_length",
                                        "block_count",          "feed_forward_length",
                                        "attention.head_count", "attention.head_count_kv"};
    const int values[] = {16, D, 1, F, HEADS, n_kv_heads};
    char key[96];
    add_key_string(b, "general.architecture", architecture);
    for (int i = 0; i < 6; i++) {
        snprintf(key, sizeof key, "%s.%s", architecture, names[i]);
        add_key_u32(b, key, (uint32_t)values[i]);
    }
}

/* Element i of tensor t holds 1000 t + i. Returns the status of loading what was written. */
static enum status load(struct builder *b, struct transformer *net, struct weights *weights,
                        struct err *err)
{
    struct gguf file;
    build_file(b);
    assert_int_equal(gguf_parse("x", b->file, b->file_length, &file, err), STATUS_OK);
    for (int64_t t = 0; t < file.n_tensors; t++)
        for (int64_t i = 0; i < file.tensors[t].n_elements; i++)
            ((float *)(uintptr_t)file.tensors[t].data)[i] = (float)(1000 * t + i);
    gguf_close(&file);
    FILE *stream = fopen(file_name(), "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(b->file, 1, (size_t)b->file_length, stream), b->file_length);
    fclose(stream);
    enum status status = gguf_read_architecture(file_name(), net, NULL, err);
    if (status == STATUS_OK && (status = weights_open_gguf(file_name(), net, weights, err)))
        transformer_release(net);
    remove(file_name());
    return status;
}

/* Where a tensor's numbers start, from row `row` of width `width` on. */
static float start_of(const struct builder *b, const char *name, int row, int width)
{
    struct gguf file;
    assert_int_equal(gguf_parse("x", b->file, b->file_length, &file, NULL), STATUS_OK);
    const struct gguf_tensor *tensor = gguf_find_tensor(&file, name);
    assert_non_null(tensor);
    float start = (float)(1000 * (tensor - file.tensors) + row * width);
    gguf_close(&file);
    return start;
}

static void assert_run(const void *data, int64_t n, float start)
{
    assert_non_null(data);
    for (int64_t i = 0; i < n; i++)
        assert_true(((const float *)data)[i] == start + (float)i);
}

static void assert_matrix(const struct builder *b, const struct matrix *m, const char *name,
                          int first, bool bias)
{
    char full[64];
    snprintf(full, sizeof full, "blk.0.%s.weight", name);
    assert_run(m->data, m->n * m->k, start_of(b, full, first, (int)m->k));
    snprintf(full, sizeof full, "blk.0.%s.bias", name);
    if (bias)
        assert_run(m->bias, m->n, start_of(b, full, first, 1));
    else
        assert_null(m->bias);
}

static void add_edges(struct builder *b, bool bias)
{
    add_f32(b, "token_embd.weight", D, V);
    add_norm(b, "output_norm", bias);
}

static void fused_rows_are_split_and_biases_with_them(void **state)
{
    (void)state;
    struct builder *b = calloc(1, sizeof *b);
    struct transformer net;
    struct weights w;
    struct err err = {""};
    add_metadata(b, "gptneox", HEADS);
    add_edges(b, true);
    add_f32(b, "output.weight", D, V);
    add_norm(b, "blk.0.attn_norm", true);
    add_norm(b, "blk.0.ffn_norm", true);
    add_linear(b, "attn_qkv", D, 3 * Q, true);
    add_linear(b, "attn_output", Q, D, true);
    add_linear(b, "ffn_up", D, F, true);
    add_linear(b, "ffn_down", F, D, true);
    if (load(b, &net, &w, &err))
        fail_msg("%s", err.message);
    assert_matrix(b, &w.blocks[0].q, "attn_qkv", 0, true);
    assert_matrix(b, &w.blocks[0].k, "attn_qkv", Q, true);
    assert_matrix(b, &w.blocks[0].v, "attn_qkv", 2 * Q, true);
    assert_matrix(b, &w.blocks[0].o, "attn_output", 0, true);
    assert_matrix(b, &w.blocks[0].up, "ffn_up", 0, true);
    assert_matrix(b, &w.blocks[0].down, "ffn_down", 0, true);
    assert_run(w.blocks[0].ffn_norm.bias, D, start_of(b, "blk.0.ffn_norm.bias", 0, 1));
    assert_run(w.head.data, V * D, start_of(b, "output.weight", 0, 1));
    assert_false(w.rope_in_pairs);
    weights_release(&w);
    transformer_release(&net);
    build_release(b);
    free(b);
}

static void a_fused_gate_comes_before_up(void **state)
{
    (void)state;
    struct builder *b = calloc(1, sizeof *b);
    struct transformer net;
    struct weights w;
    struct err err = {""};
    add_metadata(b, "phi3", KV);
    add_edges(b, false);
    add_norm(b, "blk.0.attn_norm", false);
    add_norm(b, "blk.0.ffn_norm", false);
    add_linear(b, "attn_qkv", D, Q + 2 * K, false);
    add_linear(b, "attn_output", Q, D, false);
    add_linear(b, "ffn_up", D, 2 * F, false);
    add_linear(b, "ffn_down", F, D, false);
    if (load(b, &net, &w, &err))
        fail_msg("%s", err.message);
    assert_matrix(b, &w.blocks[0].k, "attn_qkv", Q, false);
    assert_matrix(b, &w.blocks[0].v, "attn_qkv", Q + K, false);
    assert_matrix(b, &w.blocks[0].gate, "ffn_up", 0, false);
    assert_matrix(b, &w.blocks[0].up, "ffn_up", F, false);
    assert_ptr_equal(w.head.data, w.embedding.data);
    weights_release(&w);
    transformer_release(&net);
    build_release(b);
    free(b);
}

/* llama without one of its tensors, and with one of a type that has no kernel. */
static void add_llama(struct builder *b, const char *without, const char *odd)
{
    static const struct {
        const char *name;
        int row, rows;
    } tensors[] = {
        {"attn_norm", D, 0}, {"ffn_norm", D, 0}, {"attn_q", D, Q},
        {"attn_k", D, K},    {"attn_v", D, K},   {"attn_output", Q, D},
        {"ffn_gate", D, F},  {"ffn_up", D, F},   {"ffn_down", F, D},
    };
    add_metadata(b, "llama", KV);
    add_edges(b, false);
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        char full[64];
        snprintf(full, sizeof full, "blk.0.%s.weight", tensors[i].name);
        if (without && strcmp(without, tensors[i].name) == 0)
            continue;
        add_f32(b, full, tensors[i].row, tensors[i].rows);
        if (odd && strcmp(odd, tensors[i].name) == 0) { /* i32, number 26: as wide as f32 */
            uint32_t type = 26;
            memcpy(b->infos.bytes + b->infos.length - 12, &type, sizeof type);
        }
    }
}

static void llama_rotates_pairs_and_keeps_every_tensor(void **state)
{
    (void)state;
    struct builder *b = calloc(1, sizeof *b);
    struct transformer net;
    struct weights w;
    struct err err = {""};
    add_llama(b, NULL, NULL);
    if (load(b, &net, &w, &err))
        fail_msg("%s", err.message);
    assert_true(w.rope_in_pairs);
    assert_matrix(b, &w.blocks[0].q, "attn_q", 0, false);
    assert_matrix(b, &w.blocks[0].gate, "ffn_gate", 0, false);
    assert_matrix(b, &w.blocks[0].down, "ffn_down", 0, false);
    assert_run(w.final_norm.weight, D, start_of(b, "output_norm.weight", 0, 1));
    weights_release(&w);
    transformer_release(&net);
    build_release(b);
    free(b);
}

static void what_is_missing_misshapen_or_odd_is_named(void **state)
{
    (void)state;
    struct transformer net, wide;
    struct weights w;
    struct err err = {""};
    struct builder *b = calloc(1, sizeof *b);
    add_llama(b, "attn_v", NULL);
    assert_int_equal(load(b, &net, &w, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "'blk.0.attn_v.weight' is missing"));
    build_release(b);
    memset(b, 0, sizeof *b);
    add_llama(b, NULL, "ffn_up");
    enum status status = load(b, &net, &w, &err);
    assert_int_equal(status, STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "ffn_up"));
    build_release(b);
    free(b);

    /* a network that is not the file's */
    transformer_init(&net, 64, 2, 2, 2, 32, 96, 300);
    assert_int_equal(
        gguf_write(&net, file_name(), &(struct gguf_write_options){.seed = 1}, NULL, &err),
        STATUS_OK);
    wide = net;
    wide.stack.first.d_ff = 128;
    assert_int_equal(weights_open_gguf(file_name(), &wide, &w, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "ffn_gate"));
    assert_null(w.memory);
    remove(file_name());
}

static void generate_from(const struct transformer *net, const struct weights *w,
                          struct generated out[8])
{
    static const int32_t prompt[] = {1, 20, 33, 4};
    struct runner *runner;
    struct err err;
    struct runner_options options = {.n_threads = 1, .max_context = 16};
    assert_int_equal(cpu_isa(NULL, &options.isa, &err), STATUS_OK);
    if (runner_create(net, w, &options, &runner, &err) ||
        generate_greedy(runner, prompt, 4, 8, out, NULL, NULL, &err))
        fail_msg("%s", err.message);
    runner_free(runner);
}

static void a_wider_type_at_load_changes_nothing(void **state)
{
    (void)state;
    struct transformer net;
    struct weights narrow, wide;
    struct generated a[8], b[8];
    struct err err;
    transformer_init(&net, 64, 2, 2, 2, 32, 96, 300);
    assert_int_equal(
        gguf_write(&net, file_name(), &(struct gguf_write_options){.seed = 1}, NULL, &err),
        STATUS_OK);
    if (weights_open_gguf(file_name(), &net, &narrow, &err))
        fail_msg("%s", err.message);
    generate_from(&net, &narrow, a);
    transformer_set_dtype(&net, DTYPE_F32);
    if (weights_open_gguf(file_name(), &net, &wide, &err))
        fail_msg("%s", err.message);
    generate_from(&net, &wide, b);
    remove(file_name());
    for (int i = 0; i < 8; i++) {
        assert_int_equal(a[i].token, b[i].token);
        assert_true(fabsf(a[i].margin - b[i].margin) < 1e-4f && a[i].margin >= 0);
    }
    weights_release(&narrow);
    weights_release(&wide);
}

static void a_file_whose_layers_differ_runs_as_the_network_it_was_made_of(void **state)
{
    (void)state;
    const struct block a = {.n_heads = 2, .n_kv_heads = 1, .d_head = 32, .d_ff = 96};
    const struct block b = {.n_heads = 4, .n_kv_heads = 4, .d_head = 32, .d_ff = 64};
    const struct block c = {.n_heads = 4, .n_kv_heads = 2, .d_head = 32, .d_ff = 96, .window = 3};
    const struct block none = {.mixer = MIXER_NONE, .d_ff = 32};
    const struct gguf_write_options options = {.seed = 1, .expand_shared = true};
    const struct block stacks[][3] = {{a, none, b}, {a, b, a}, {a, c, a}};
    for (int i = 0; i < 3; i++) {
        struct transformer net, back;
        struct weights w;
        struct generated out[8];
        struct err err = {""};
        transformer_init(&net, 64, 3, 1, 1, 32, 1, 300);
        assert_int_equal(stack_set(&net.stack, stacks[i], 3, &err), STATUS_OK);
        net.qk_norm = i == 1 ? QK_NORM_WEIGHTED : QK_NORM_NONE;
        if (gguf_write(&net, file_name(), &options, NULL, &err) ||
            gguf_read_architecture(file_name(), &back, NULL, &err) ||
            weights_open_gguf(file_name(), &back, &w, &err))
            fail_msg("%s", err.message);
        remove(file_name());
        assert_int_equal(w.rope_in_pairs, i == 0); /* deci */
        generate_from(&back, &w, out);
        for (int t = 0; t < 8; t++)
            assert_true(isfinite(out[t].margin) && out[t].margin >= 0);
        weights_release(&w);
        transformer_release(&back);
        transformer_release(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_rows_are_split_and_biases_with_them),
        cmocka_unit_test(a_fused_gate_comes_before_up),
        cmocka_unit_test(llama_rotates_pairs_and_keeps_every_tensor),
        cmocka_unit_test(what_is_missing_misshapen_or_odd_is_named),
        cmocka_unit_test(a_wider_type_at_load_changes_nothing),
        cmocka_unit_test(a_file_whose_layers_differ_runs_as_the_network_it_was_made_of),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
