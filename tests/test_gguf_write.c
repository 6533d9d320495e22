/* What stands in a written GGUF file, and that there is none where writing fails. */
#include "tests/written_gguf.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/gguf_architecture.h"
#include "model/quantize.h"
#include "tests/temporary_folder.h"

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

static void set_reruns(struct transformer *net, const int64_t *reruns)
{
    struct block blocks[8];
    for (int64_t i = 0; i < net->schedule.n_layers; i++) {
        blocks[i] = *transformer_block(net, i);
        blocks[i].reruns = reruns[i];
    }
    assert_int_equal(stack_set(&net->stack, blocks, net->schedule.n_layers, NULL), STATUS_OK);
}

static void executions_of_a_block_have_equal_weights_and_others_do_not(void **state)
{
    (void)state;
    for (int s = SHARING_NONE; s < N_SHARINGS; s++) {
        struct transformer net = small();
        struct written written;
        struct text warnings = {0};
        net.schedule.sharing = (enum sharing)s;
        net.schedule.repeats = s == SHARING_NONE || s == SHARING_BY_BLOCK ? 1 : 2;
        if (s == SHARING_BY_BLOCK)
            set_reruns(&net, (const int64_t[]){1, 0, 2});
        net.schedule.share_ffn = s == SHARING_NONE || s == SHARING_REVERSE;
        write_to_memory(&net, &expanding, &warnings, &written);
        assert_non_null(strstr(warnings.data, "are written out as "));
        int64_t n = transformer_executions(&net);
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < i; j++) {
                bool same = transformer_block_of(&net, i) == transformer_block_of(&net, j);
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
        transformer_release(&net);
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

/* Files may grow to a tenth of what is needed: as on a full disk, the write fails half way. */
static void a_write_that_fails_leaves_no_file(void **state)
{
    (void)state;
    struct transformer net = small();
    struct err err = {""};
    struct rlimit before, limit;
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    const char *const path = temporary_path(folder, "x.gguf");
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
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    const char *const path = temporary_path(folder, "x.gguf");
    assert_int_equal(gguf_write(&net, path, &options, NULL, NULL), STATUS_INTERRUPTED);
    assert_true(done > 0);
    assert_int_equal(rmdir(folder), 0); /* nothing is in it */
}

static void a_written_file_is_read_by_name(void **state)
{
    (void)state;
    struct transformer net = small(), back;
    struct err err = {""};
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    const char *const path = temporary_path(folder, "x.gguf");
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
    char folder[TEMPORARY_MOST];
    enum status status = STATUS_NOMEM;
    assert_int_equal(temporary_make(folder), 0);
    const char *const path = temporary_path(folder, "x.gguf");
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
        cmocka_unit_test(the_tied_head_of_an_architecture_without_one_is_the_token_table_again),
        cmocka_unit_test(weights_are_finite_and_about_normal_with_variance_1_over_d_in),
        cmocka_unit_test(the_seed_decides_every_byte),
        cmocka_unit_test(executions_of_a_block_have_equal_weights_and_others_do_not),
        cmocka_unit_test(the_vocabulary_has_a_piece_for_each_byte_and_no_piece_twice),
        cmocka_unit_test(a_write_that_fails_leaves_no_file),
        cmocka_unit_test(a_write_that_is_stopped_leaves_no_file),
        cmocka_unit_test(a_written_file_is_read_by_name),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
