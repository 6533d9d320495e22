#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/count.h"
#include "model/gguf_architecture.h"
#include "model/gguf_write.h"
#include "model/quantize.h"

static const struct gguf_write_options expanding = {.seed = 1, .expand_shared = true};
static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0, DTYPE_Q4_0};
enum { N_TYPES = sizeof types / sizeof types[0] };

/* A network in memory as gguf_write makes it. */
struct written {
    char *bytes;
    size_t length;
    struct gguf file;
};

static void write_to_memory(const struct transformer *net, const struct gguf_write_options *options,
                            struct text *warnings, struct written *out)
{
    struct err err = {""};
    FILE *stream = open_memstream(&out->bytes, &out->length);
    assert_non_null(stream);
    if (gguf_write_stream(net, stream, options, warnings, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(fclose(stream), 0);
    if (gguf_parse("x", out->bytes, (int64_t)out->length, &out->file, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void release(struct written *written)
{
    gguf_close(&written->file);
    free(written->bytes);
}

static struct transformer small(void)
{
    struct transformer net;
    transformer_init(&net, 64, 3, 4, 2, 16, 96, 300);
    return net;
}

/* Everything that can be written, in dimensions that keep the files small. */
static void random_network(struct rng *rng, struct transformer *net)
{
    int64_t n_kv_heads = rng_between(rng, 1, 4), n_heads = n_kv_heads * rng_between(rng, 1, 4);
    int64_t d_head = 2 * rng_between(rng, 1, 6), d_model = rng_between(rng, 1, 12);
    int64_t d_ff = rng_between(rng, 1, 24);
    bool needs_blocks = false;
    enum dtype chosen[3];
    for (int i = 0; i < 3; i++) {
        chosen[i] = types[rng_between(rng, 0, N_TYPES - 1)];
        needs_blocks = needs_blocks || dtype_is_block(chosen[i]);
    }
    if (needs_blocks) {
        n_kv_heads = n_heads = rng_between(rng, 1, 2);
        d_head = 32;
        d_model = 32;
        d_ff = 32 * rng_between(rng, 1, 2);
    }
    unsigned biases = (unsigned)rng_between(rng, 0, 7);
    bool norms_qk = rng_between(rng, 0, 3) == 0;
    if (!norms_qk && (biases & BIAS_QKV))
        d_model = n_heads * d_head;
    transformer_init(net, d_model, rng_between(rng, 1, 3), n_heads, n_kv_heads, d_head, d_ff,
                     rng_between(rng, 259, 280));
    net->max_context = rng_between(rng, 1, 1 << 20);
    net->biases = norms_qk ? 0 : biases;
    net->qk_norm = norms_qk ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    net->tie_embeddings = rng_between(rng, 0, 1);
    net->block_dtype = chosen[0];
    net->embedding_dtype = chosen[1];
    net->head_dtype = net->tie_embeddings ? chosen[1] : chosen[2];
    net->norm_eps = 1e-6;
    net->rope_theta = (double)rng_between(rng, 10000, 1000000);
    if (rng_between(rng, 0, 2) == 0) {
        net->schedule.sharing = (enum sharing)rng_between(rng, 1, N_SHARINGS - 1);
        net->schedule.repeats = rng_between(rng, 2, 3);
    }
    net->schedule.share_ffn = rng_between(rng, 0, 5) == 0;
}

static void assert_round_trip(const struct transformer *net, uint64_t seed)
{
    struct transformer expected, back;
    struct written written;
    struct err err = {""};
    struct param_count count;
    int64_t n_elements = 0;
    assert_int_equal(transformer_check(net, &err), STATUS_OK);
    assert_int_equal(gguf_expand(net, &expected, &err), STATUS_OK);
    write_to_memory(net, &(struct gguf_write_options){.seed = seed, .expand_shared = true}, NULL,
                    &written);
    if (gguf_architecture(&written.file, &back, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_true(transformer_same_shape(&expected, &back));
    assert_int_equal(back.block_dtype, net->block_dtype);
    assert_int_equal(back.embedding_dtype, net->embedding_dtype);
    assert_int_equal(back.head_dtype, net->head_dtype);
    assert_true(back.norm_eps == net->norm_eps);
    assert_true(back.rope_theta == net->rope_theta);
    transformer_count(&back, &count);
    for (int64_t i = 0; i < written.file.n_tensors; i++)
        n_elements += written.file.tensors[i].n_elements;
    assert_int_equal(count.total, n_elements);
    transformer_release(&back);
    transformer_release(&expected);
    release(&written);
}

static void drawn_networks_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 20);
    for (uint64_t i = 0; i < 10000 / LATHE_FEWER; i++) {
        struct transformer net;
        random_network(&rng, &net);
        assert_round_trip(&net, i);
    }
}

/* Layers that differ, as one of the architectures that hold such holds them. */
static void random_stack(struct rng *rng, struct transformer *net)
{
    enum { DECI, OPENELM, MIMO2, N_KINDS };
    int kind = (int)rng_between(rng, 0, N_KINDS - 1);
    int64_t n = rng_between(rng, 1, 9), d_head = 2 * rng_between(rng, 1, 6);
    int64_t d_ff = rng_between(rng, 1, 24), window = rng_between(rng, 1, 9);
    struct block blocks[9];
    unsigned biases = kind == DECI ? (unsigned)rng_between(rng, 0, 7) : 0;
    int64_t d_model = biases & BIAS_QKV ? 12 * d_head : rng_between(rng, 1, 12);
    for (int64_t i = 0; i < n; i++) {
        static const int64_t counts[] = {1, 2, 3, 4, 6, 12};
        int64_t n_heads = biases & BIAS_QKV ? 12 : counts[rng_between(rng, 0, 5)], n_kv_heads = 0;
        while (n_kv_heads == 0 || n_heads % n_kv_heads != 0)
            n_kv_heads = rng_between(rng, 1, n_heads);
        blocks[i] = (struct block){.n_heads = n_heads,
                                   .n_kv_heads = n_kv_heads,
                                   .d_head = d_head,
                                   .d_ff = kind == MIMO2 ? d_ff : rng_between(rng, 1, 24),
                                   .window = kind == MIMO2 && rng_between(rng, 0, 1) ? window : 0};
        if (kind == DECI && i > 0 && rng_between(rng, 0, 3) == 0)
            blocks[i] = (struct block){.mixer = MIXER_NONE, .d_ff = blocks[i].d_ff};
    }
    if (kind == MIMO2)
        blocks[rng_between(rng, 0, n - 1)].window = window;
    transformer_init(net, d_model, n, 1, 1, 2, 1, rng_between(rng, 259, 280));
    assert_int_equal(stack_set(&net->stack, blocks, n, NULL), STATUS_OK);
    net->qk_norm = kind == OPENELM ? QK_NORM_WEIGHTED : QK_NORM_NONE;
    net->tie_embeddings = kind == OPENELM || rng_between(rng, 0, 1);
    net->biases = biases;
    if (rng_between(rng, 0, 2) == 0) {
        net->schedule.sharing = (enum sharing)rng_between(rng, 1, N_SHARINGS - 1);
        net->schedule.repeats = rng_between(rng, 2, 3);
    }
    net->schedule.share_ffn = kind == MIMO2 && rng_between(rng, 0, 5) == 0;
}

static void stacks_whose_layers_differ_come_back_as_they_went(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 21);
    for (uint64_t i = 0; i < 2000 / LATHE_FEWER; i++) {
        struct transformer net;
        random_stack(&rng, &net);
        assert_round_trip(&net, i);
        transformer_release(&net);
    }
}

static void gemmas_come_back_as_they_went(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 3; kind++) {
        for (int64_t n = 1; n <= 13; n++) {
            struct transformer net;
            struct block blocks[13];
            transformer_init(&net, 24, n, 4, 2, 8, 40, 300);
            for (int64_t i = 0; i < n; i++) {
                blocks[i] = net.stack.first;
                blocks[i].window = (kind == 2 && i % 2 == 0) || (kind == 3 && i % 6 < 5) ? 16 : 0;
            }
            assert_int_equal(stack_set(&net.stack, blocks, n, NULL), STATUS_OK);
            net.ffn = FFN_GEGLU;
            net.embed_scale = sqrt(24);
            net.norm_placement = kind == 1 ? NORM_PRE : NORM_SANDWICH;
            net.qk_norm = kind == 3 ? QK_NORM_WEIGHTED : QK_NORM_NONE;
            net.attention_softcap = kind == 2 ? 50 : 0;
            net.logit_softcap = kind == 2 ? 30 : 0;
            assert_round_trip(&net, 1);
            transformer_release(&net);
        }
    }
}

static void the_tied_head_of_an_architecture_without_one_is_the_token_table_again(void **state)
{
    (void)state;
    struct transformer net = small();
    struct written written;
    struct text warnings = {0};
    net.stack.first.window = 16;
    write_to_memory(&net, &expanding, &warnings, &written);
    const struct gguf_tensor *table = gguf_find_tensor(&written.file, "token_embd.weight");
    const struct gguf_tensor *head = gguf_find_tensor(&written.file, "output.weight");
    assert_memory_equal(table->data, head->data, (size_t)table->n_bytes);
    assert_non_null(strstr(warnings.data, "the tied head is written out a second time"));
    text_release(&warnings);
    release(&written);
}

static void a_written_file_cut_short_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct transformer net;
    struct written written;
    transformer_init(&net, 32, 1, 1, 1, 32, 32, 259);
    transformer_set_dtype(&net, DTYPE_Q4_0);
    write_to_memory(&net, &expanding, NULL, &written);
    const struct gguf_tensor *last = &written.file.tensors[written.file.n_tensors - 1];
    int64_t needed = last->offset + last->n_bytes;
    for (int64_t length = 0; length < needed; length++) {
        struct gguf file;
        struct err err;
        char *copy = malloc((size_t)length + 1);
        assert_non_null(copy);
        memcpy(copy, written.bytes, (size_t)length);
        assert_int_equal(gguf_parse("x", copy, length, &file, &err), STATUS_INPUT);
        gguf_close(&file);
        free(copy);
    }
    release(&written);
}

static void weights_are_finite_and_about_normal_with_variance_1_over_d_in(void **state)
{
    (void)state;
    for (int t = 0; t < N_TYPES; t++) {
        struct transformer net = small();
        struct written written;
        transformer_set_dtype(&net, types[t]);
        write_to_memory(&net, &expanding, NULL, &written);
        for (int64_t i = 0; i < written.file.n_tensors; i++) {
            const struct gguf_tensor *tensor = &written.file.tensors[i];
            int64_t row = tensor->dims[0], rows = tensor->dims[1];
            double sum = 0, squares = 0, n = (double)tensor->n_elements;
            for (int64_t j = 0; j < rows; j++) {
                float values[300];
                int64_t row_bytes = dtype_row_bytes(tensor->dtype, row);
                dequantize_row(tensor->dtype, row, (const char *)tensor->data + j * row_bytes,
                               values);
                for (int64_t k = 0; k < row; k++) {
                    assert_true(isfinite(values[k]));
                    sum += (double)values[k];
                    squares += (double)values[k] * (double)values[k];
                }
            }
            if (tensor->n_dims == 1) {
                assert_int_equal(tensor->dtype, DTYPE_F32);
                assert_true(sum == n);
                continue;
            }
            /* five standard errors: of the mean sigma / sqrt n, of the variance sqrt(2 / n); q4_0
             * moves the variance by a twelfth of its step, about 1 % */
            assert_int_equal(tensor->dtype, types[t]);
            assert_true(fabs(sum / n) < 5 / sqrt((double)row * n) + 0.02 / sqrt((double)row));
            assert_true(fabs(squares / n * (double)row - 1) < 5 * sqrt(2 / n) + 0.02);
        }
        release(&written);
    }
}

static void the_seed_decides_every_byte(void **state)
{
    (void)state;
    struct transformer net = small();
    struct written one, same, other;
    write_to_memory(&net, &expanding, NULL, &one);
    write_to_memory(&net, &expanding, NULL, &same);
    write_to_memory(&net, &(struct gguf_write_options){.seed = 2}, NULL, &other);
    assert_int_equal(one.length, same.length);
    assert_memory_equal(one.bytes, same.bytes, one.length);
    const struct gguf_tensor *a = gguf_find_tensor(&one.file, "blk.1.attn_q.weight");
    const struct gguf_tensor *b = gguf_find_tensor(&one.file, "blk.2.attn_q.weight");
    const struct gguf_tensor *c = gguf_find_tensor(&other.file, "blk.1.attn_q.weight");
    assert_memory_not_equal(a->data, b->data, (size_t)a->n_bytes);
    assert_memory_not_equal(a->data, c->data, (size_t)a->n_bytes);
    release(&one);
    release(&same);
    release(&other);
}

static void executions_of_a_block_have_equal_weights_and_others_do_not(void **state)
{
    (void)state;
    for (int s = SHARING_NONE; s < N_SHARINGS; s++) {
        struct transformer net = small();
        struct written written;
        struct text warnings = {0};
        net.schedule.sharing = (enum sharing)s;
        net.schedule.repeats = s == SHARING_NONE ? 1 : 2;
        net.schedule.share_ffn = s == SHARING_NONE || s == SHARING_REVERSE;
        write_to_memory(&net, &expanding, &warnings, &written);
        assert_non_null(strstr(warnings.data, "are written out as "));
        int64_t n = schedule_executions(&net.schedule);
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < i; j++) {
                bool same = schedule_block(&net.schedule, i) == schedule_block(&net.schedule, j);
                const char *const names[] = {"attn_k", "ffn_down"};
                for (int k = 0; k < 2; k++) {
                    char one[64], other[64];
                    snprintf(one, sizeof one, "blk.%" PRId64 ".%s.weight", i, names[k]);
                    snprintf(other, sizeof other, "blk.%" PRId64 ".%s.weight", j, names[k]);
                    const struct gguf_tensor *a = gguf_find_tensor(&written.file, one);
                    const struct gguf_tensor *b = gguf_find_tensor(&written.file, other);
                    bool equal = memcmp(a->data, b->data, (size_t)a->n_bytes) == 0;
                    assert_int_equal(equal, same || (k == 1 && net.schedule.share_ffn));
                }
            }
        }
        text_release(&warnings);
        release(&written);
    }
}

static void the_vocabulary_has_a_piece_for_each_byte_and_no_piece_twice(void **state)
{
    (void)state;
    struct transformer net = small();
    struct written written;
    write_to_memory(&net, &expanding, NULL, &written);
    const struct gguf_key *tokens = gguf_find_key(&written.file, "tokenizer.ggml.tokens");
    assert_int_equal(tokens->count, net.vocab_size);
    assert_int_equal(gguf_find_key(&written.file, "tokenizer.ggml.scores")->count, net.vocab_size);
    const uint8_t *at = tokens->value;
    char pieces[300][32];
    for (int64_t i = 0; i < tokens->count; i++) {
        uint64_t length;
        memcpy(&length, at, 8);
        assert_true(length > 0 && length < 32);
        snprintf(pieces[i], sizeof pieces[i], "%.*s", (int)length, (const char *)at + 8);
        at += 8 + length;
        for (int64_t j = 0; j < i; j++)
            assert_string_not_equal(pieces[i], pieces[j]);
    }
    assert_string_equal(pieces[0], "<unk>");
    assert_string_equal(pieces[3], "<0x00>");
    assert_string_equal(pieces[258], "<0xFF>");
    release(&written);
}

static void assert_refused(const struct transformer *net, const struct gguf_write_options *options,
                           const char *expected)
{
    struct err err = {""};
    char path[] = "refused-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    assert_int_equal(gguf_write(net, path, options, NULL, &err), STATUS_UNSUPPORTED);
    if (strstr(err.message, expected) == NULL)
        fail_msg("'%s', expected '%s'", err.message, expected);
    assert_false(file_exists(path));
}

static void what_the_format_cannot_say_is_refused_with_the_reason(void **state)
{
    (void)state;
    struct transformer net = small();
    const struct gguf_write_options strict = {.seed = 1, .expand_shared = false};
    net.schedule.sharing = SHARING_IMMEDIATE;
    net.schedule.repeats = 2;
    assert_refused(&net, &strict, "blocks are shared");
    net = small();
    net.schedule.share_ffn = true;
    assert_refused(&net, &strict, "blocks are shared");

    net = small();
    net.ffn = FFN_GELU;
    assert_refused(&net, &expanding, "the FFN is not SwiGLU");
    net = small();
    net.norm = NORM_LAYER;
    assert_refused(&net, &expanding, "norms other than RMS");
    net = small();
    net.position = POSITION_ALIBI;
    assert_refused(&net, &expanding, "positions other than rotary");
    net = small();
    net.stack.first = (struct block){.mixer = MIXER_NONE, .d_ff = 96};
    assert_refused(&net, &expanding, "no layer has attention");
    net = small();
    net.biases = BIAS_HEAD;
    assert_refused(&net, &expanding, "a bias on the head");
    net = small();
    net.embed_scale = 8;
    assert_refused(&net, &expanding, "scaled embeddings");
    net = small();
    net.d_embed = 32;
    assert_refused(&net, &expanding, "factored");
    net = small();
    net.vocab_size = 258;
    assert_refused(&net, &expanding, "a runtime needs 259 pieces");
}

/* Blocks 0 and 1 of two. */
static void assert_stack_refused(struct block first, struct block second,
                                 void (*change)(struct transformer *), const char *expected)
{
    struct transformer net = small();
    net.schedule.n_layers = 2;
    assert_int_equal(stack_set(&net.stack, (struct block[]){first, second}, 2, NULL), STATUS_OK);
    if (change != NULL)
        change(&net);
    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_refused(&net, &expanding, expected);
    transformer_release(&net);
}

static void norm_queries(struct transformer *net)
{
    net->qk_norm = QK_NORM_WEIGHTED;
}

static void norm_queries_untied(struct transformer *net)
{
    norm_queries(net);
    net->tie_embeddings = false;
}

static void become_gemma3(struct transformer *net)
{
    net->ffn = FFN_GEGLU;
    net->embed_scale = 8;
    net->norm_placement = NORM_SANDWICH;
    net->qk_norm = QK_NORM_WEIGHTED;
}

static void add_biases(struct transformer *net)
{
    net->biases = BIAS_FFN;
}

static void layers_that_no_architecture_holds_are_refused_with_each_ones_reason(void **state)
{
    (void)state;
    const struct block a = small().stack.first, none = {.mixer = MIXER_NONE, .d_ff = 96};
    struct block b = a;
    b.d_head = 32;
    assert_stack_refused(a, b, NULL, "d_head differs by layer");
    b = a;
    b.window = 16;
    assert_stack_refused(
        b, none, NULL,
        "no architecture of llama.cpp holds these layers: llama has one shape of "
        "layer, deci has no windows, openelm has no windows, mimo2 needs attention "
        "in every layer");
    assert_stack_refused(a, b, norm_queries, "openelm has no windows, mimo2 has no norms of q");
    assert_stack_refused(a, b, add_biases, "mimo2 has no biases");
    b.d_ff = 64;
    assert_stack_refused(a, b, NULL, "mimo2 has one d_ff for all layers");
    b = a;
    b.window = 8;
    struct block c = a;
    c.window = 16;
    assert_stack_refused(b, c, NULL, "mimo2 has one window for all layers that have one");
    assert_stack_refused(none, a, NULL, "deci needs attention in the first layer");
    assert_stack_refused(a, none, norm_queries,
                         "deci has no norms of q and k, openelm needs attention in every layer");
    b = a;
    b.n_kv_heads = 4;
    c.window = 16;
    assert_stack_refused(a, c, become_gemma3,
                         "gemma has no norms after attention and FFN or of q and k, gemma2 has "
                         "norms after attention and FFN, not of q and k, gemma3 has one shape of "
                         "layer, and a window in five of six");
    assert_stack_refused(a, b, norm_queries_untied, "openelm needs a head tied to the token table");
}

static void rows_that_are_no_whole_blocks_are_refused_by_their_dimension(void **state)
{
    (void)state;
    struct transformer net;
    transformer_init(&net, 96, 2, 3, 3, 32, 100, 300);
    transformer_set_dtype(&net, DTYPE_Q4_0);
    assert_refused(&net, &expanding, "d_ff is 100, not a multiple of 32");
    transformer_init(&net, 96, 2, 3, 3, 20, 96, 300);
    net.block_dtype = DTYPE_Q8_0;
    assert_refused(&net, &expanding, "n_heads * d_head is 60, not a multiple of 32");
    transformer_init(&net, 90, 2, 3, 3, 30, 96, 300);
    net.embedding_dtype = net.head_dtype = DTYPE_Q8_0;
    assert_refused(&net, &expanding, "the token table of type q8_0");
    transformer_set_dtype(&net, DTYPE_B1);
    assert_refused(&net, &expanding, "type b1 of the token table");
}

/* Files may grow to a tenth of what is needed: as on a full disk, the write fails half way. */
static void a_write_that_fails_leaves_no_file(void **state)
{
    (void)state;
    struct transformer net = small();
    struct err err = {""};
    struct rlimit before, limit;
    char folder[] = "full-disk-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 20000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum status status = gguf_write(&net, path, &expanding, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "cannot write "));
    assert_int_equal(rmdir(folder), 0); /* nothing is in it */
}

static bool stop_half_way(void *context, int64_t done_bytes, int64_t total_bytes)
{
    int64_t *last = context;
    assert_true(done_bytes >= *last && done_bytes <= total_bytes);
    *last = done_bytes;
    return done_bytes < total_bytes / 2;
}

static void a_write_that_is_stopped_leaves_no_file(void **state)
{
    (void)state;
    struct transformer net = small();
    int64_t done = 0;
    const struct gguf_write_options options = {.go_on = stop_half_way, .context = &done};
    char folder[] = "stopped-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    assert_int_equal(gguf_write(&net, path, &options, NULL, NULL), STATUS_INTERRUPTED);
    assert_true(done > 0);
    assert_int_equal(rmdir(folder), 0); /* nothing is in it */
}

static void a_written_file_is_read_by_name(void **state)
{
    (void)state;
    struct transformer net = small(), back;
    struct err err = {""};
    char folder[] = "written-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    net.block_dtype = DTYPE_Q8_0;
    snprintf(net.name, sizeof net.name, "small");
    if (gguf_write(&net, path, &expanding, NULL, &err) != STATUS_OK ||
        gguf_read_architecture(path, &back, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_true(transformer_same_shape(&net, &back));
    assert_string_equal(back.name, "small");
    transformer_release(&back);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void every_failed_allocation_is_reported_and_nothing_is_left(void **state)
{
    (void)state;
    struct transformer net = small();
    char folder[] = "memory-XXXXXX", path[64];
    enum status status = STATUS_NOMEM;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.gguf", folder);
    for (int64_t n = 1; status == STATUS_NOMEM; n++) {
        memory_fail_after(n);
        status = gguf_write(&net, path, &expanding, NULL, NULL);
        memory_fail_after(-1);
        assert_int_equal(file_exists(path), status == STATUS_OK);
        assert_true(n < 100);
    }
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_networks_come_back_as_they_went),
        cmocka_unit_test(stacks_whose_layers_differ_come_back_as_they_went),
        cmocka_unit_test(gemmas_come_back_as_they_went),
        cmocka_unit_test(the_tied_head_of_an_architecture_without_one_is_the_token_table_again),
        cmocka_unit_test(a_written_file_cut_short_at_any_byte_is_refused),
        cmocka_unit_test(weights_are_finite_and_about_normal_with_variance_1_over_d_in),
        cmocka_unit_test(the_seed_decides_every_byte),
        cmocka_unit_test(executions_of_a_block_have_equal_weights_and_others_do_not),
        cmocka_unit_test(the_vocabulary_has_a_piece_for_each_byte_and_no_piece_twice),
        cmocka_unit_test(what_the_format_cannot_say_is_refused_with_the_reason),
        cmocka_unit_test(layers_that_no_architecture_holds_are_refused_with_each_ones_reason),
        cmocka_unit_test(rows_that_are_no_whole_blocks_are_refused_by_their_dimension),
        cmocka_unit_test(a_write_that_fails_leaves_no_file),
        cmocka_unit_test(a_write_that_is_stopped_leaves_no_file),
        cmocka_unit_test(a_written_file_is_read_by_name),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
