/* The operator list against counts made another way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/count.h"
#include "model/ops.h"
#include "tests/random_net.h"

static int64_t gathered_row_bytes(const struct transformer *net, int64_t n)
{
    return dtype_row_bytes(dtype_for_row(net->embedding_dtype, n), n);
}

/* Everything stored is read once in an unshared pass, but for the table's rows that are not looked
 * up (an untied or a position table) and the gathered rows that the list counts besides. */
static void an_unshared_pass_reads_the_stored_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int i = 0; i < 500; i++) {
        struct transformer net;
        struct operator_list list;
        struct op_totals totals;
        struct weight_bytes bytes;
        random_net(&rng, &net);
        int64_t prompt = rng_between(&rng, 1, 300);
        transformer_weight_bytes(&net, &bytes);
        assert_int_equal(ops_prefill(&net, prompt, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        int64_t row = gathered_row_bytes(&net, net.d_embed);
        int64_t at = gathered_row_bytes(&net, net.d_model);
        int64_t table = dtype_matrix_bytes(dtype_for_row(net.embedding_dtype, net.d_embed),
                                           net.vocab_size, net.d_embed);
        int64_t positions = dtype_matrix_bytes(dtype_for_row(net.position_dtype, net.d_model),
                                               net.position_rows, net.d_model);
        int64_t stored = bytes.total - positions - (net.tie_embeddings ? 0 : table);
        int64_t gathered = prompt * (row + (net.position_rows ? at : 0));
        assert_int_equal(totals.distinct_weight_bytes, stored + gathered);
        if (net.schedule.sharing == SHARING_NONE && !net.schedule.share_ffn)
            assert_int_equal(totals.weight_read_bytes, stored + gathered);
        ops_release(&list);
    }
}

/* A prefill of n tokens multiplies and attends as much as n decodes after 0 .. n-1 tokens, heads
 * apart. */
static void a_prefill_is_the_sum_of_its_decodes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int i = 0; i < 100; i++) {
        struct transformer net;
        struct operator_list list;
        random_net(&rng, &net);
        int64_t prompt = rng_between(&rng, 1, 40), decodes = 0, writes = 0, prefill = 0;
        for (int64_t t = 0; t < prompt; t++) {
            assert_int_equal(ops_decode(&net, t, &list, NULL), STATUS_OK);
            for (int o = 0; o < list.uniform.n_ops; o++) {
                decodes += list.uniform.ops[o].flop;
                writes += list.uniform.ops[o].kv_write_bytes;
            }
        }
        assert_int_equal(ops_prefill(&net, prompt, &list, NULL), STATUS_OK);
        for (int o = 0; o < list.uniform.n_ops; o++) {
            prefill += list.uniform.ops[o].flop;
            writes -= list.uniform.ops[o].kv_write_bytes;
        }
        assert_int_equal(prefill, decodes);
        assert_int_equal(writes, 0);
    }
}

static void decode_reads_the_whole_cache_and_writes_one_row(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < 300; i++) {
        struct transformer net;
        struct operator_list list;
        struct op_totals totals;
        random_net(&rng, &net);
        int64_t context = rng_between(&rng, 0, 1000);
        if (net.stack.first.window > 0 && context >= net.stack.first.window)
            context = net.stack.first.window - 1;
        assert_int_equal(ops_decode(&net, context, &list, NULL), STATUS_OK);
        ops_totals(&list, &totals);
        assert_int_equal(totals.kv_read_bytes, transformer_kv_bytes(&net, context));
        assert_int_equal(totals.kv_write_bytes, transformer_kv_bytes_per_token(&net));
        ops_release(&list);
    }
}

static void blocks_of_equal_shape_form_one_class(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list, uniform;
    struct block blocks[12];
    transformer_init(&net, 256, 12, 4, 2, 64, 512, 1000);
    for (int i = 0; i < 12; i++) {
        blocks[i] = net.stack.first;
        blocks[i].window = i % 3 == 2 ? 0 : 64;
        blocks[i].d_ff = i == 7 ? 640 : 512;
    }
    assert_int_equal(ops_decode(&net, 10, &uniform, NULL), STATUS_OK);
    assert_int_equal(stack_set(&net.stack, blocks, 12, NULL), STATUS_OK);
    assert_int_equal(ops_decode(&net, 10, &list, NULL), STATUS_OK);
    assert_int_equal(list.n_classes, 3);
    assert_ptr_equal(ops_class(&list, 0), ops_class(&list, 1));
    assert_ptr_not_equal(ops_class(&list, 1), ops_class(&list, 2));
    assert_int_equal(ops_class(&list, 0)->n_blocks, 7);
    assert_int_equal(ops_class(&list, 0)->ops[0].weight_bytes, uniform.uniform.ops[0].weight_bytes);
    ops_release(&list);
    transformer_release(&net);
}

static void running_out_of_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    struct block blocks[6];
    transformer_init(&net, 256, 6, 4, 2, 64, 512, 1000);
    for (int i = 0; i < 6; i++) {
        blocks[i] = net.stack.first;
        blocks[i].window = 16 * i;
    }
    assert_int_equal(stack_set(&net.stack, blocks, 6, NULL), STATUS_OK);
    for (int64_t n = 1;; n++) {
        memory_fail_after(n);
        enum status status = ops_decode(&net, 10, &list, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NOMEM);
        assert_true(n < 10);
    }
    ops_release(&list);
    transformer_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unshared_pass_reads_the_stored_bytes),
        cmocka_unit_test(a_prefill_is_the_sum_of_its_decodes),
        cmocka_unit_test(decode_reads_the_whole_cache_and_writes_one_row),
        cmocka_unit_test(blocks_of_equal_shape_form_one_class),
        cmocka_unit_test(running_out_of_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
