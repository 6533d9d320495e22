/* The list of tensors against what is made from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/count.h"
#include "model/ops.h"
#include "model/tensors.h"
#include "tests/random_net.h"

static void each_tensor_is_listed_once_and_in_the_order_of_a_pass(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (int round = 0; round < 500; round++) {
        struct transformer net;
        struct tensor_list list;
        random_net(&rng, &net);
        if (rng_between(&rng, 0, 3) == 0) {
            net.stack.first = (struct block){.mixer = MIXER_RWKV, .d_ff = net.stack.first.d_ff};
            net.ffn = FFN_RWKV_CHANNEL;
        }
        tensors_of_block(&net, &net.stack.first, &list);
        for (int i = 1; i < list.n; i++)
            assert_true(list.tensors[i - 1].role < list.tensors[i].role);
        assert_null(tensor_find(&list, TENSOR_HEAD));
        assert_int_equal(tensor_find(&list, TENSOR_DOWN)->rows, net.d_model);
    }
}

/* Every weight of a block is read by one operator, and none is read that is not listed. */
static void operators_read_what_is_listed(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 12);
    for (int round = 0; round < 500; round++) {
        struct transformer net;
        struct operator_list ops;
        struct tensor_list list;
        struct param_count count;
        int64_t bytes = 0, params = 0;
        random_net(&rng, &net);
        net.schedule = (struct schedule){.n_layers = 1, .repeats = 1};
        tensors_of_block(&net, &net.stack.first, &list);
        for (int i = 0; i < list.n; i++) {
            bytes += tensor_bytes(&list.tensors[i]);
            params += tensor_params(&list.tensors[i]);
        }
        assert_int_equal(ops_decode(&net, 10, &ops, NULL), STATUS_OK);
        for (int i = 0; i < ops.uniform.n_ops; i++)
            bytes -= ops.uniform.ops[i].weight_bytes;
        transformer_count(&net, &count);
        assert_int_equal(bytes, 0);
        assert_int_equal(params, count.blocks);
    }
}

static void a_matrix_has_a_bias_where_its_kind_has_one(void **state)
{
    (void)state;
    struct transformer net;
    struct tensor_list list;
    transformer_init(&net, 64, 2, 4, 2, 16, 128, 100);
    net.biases = BIAS_O;
    tensors_of_block(&net, &net.stack.first, &list);
    for (int i = 0; i < list.n; i++)
        assert_int_equal(tensor_bias_elements(&list.tensors[i]),
                         list.tensors[i].role == TENSOR_O ? 64 : 0);
    net.biases = BIAS_HEAD;
    tensors_after(&net, &list);
    const struct tensor *head = tensor_find(&list, TENSOR_HEAD);
    assert_false(head->has_weight); /* tied */
    assert_int_equal(tensor_params(head), 100);
}

static void a_shared_ffn_is_stored_with_block_0(void **state)
{
    (void)state;
    struct transformer net;
    struct tensor_list list;
    transformer_init(&net, 64, 2, 4, 2, 16, 128, 100);
    net.schedule.share_ffn = true;
    tensors_of_block(&net, &net.stack.first, &list);
    for (int i = 0; i < list.n; i++) {
        enum tensor_role role = list.tensors[i].role;
        bool is_ffn = role == TENSOR_GATE || role == TENSOR_UP || role == TENSOR_DOWN;
        assert_true(tensor_is_stored(&net, &list.tensors[i], 0));
        assert_int_equal(tensor_is_stored(&net, &list.tensors[i], 1), !is_ffn);
    }
}

static bool is_not_block(enum dtype dtype)
{
    return dtype_block_elems(dtype) == 1;
}

/* Types and mixers are rows: what a row says is found again by its name and number. */
static void rows_of_traits_are_found_by_name_and_number(void **state)
{
    (void)state;
    char names[DTYPE_NAMES_SIZE];
    for (int i = 0; i < N_DTYPES; i++) {
        enum dtype found;
        assert_int_equal(dtype_parse(dtype_name((enum dtype)i), &found, NULL), STATUS_OK);
        assert_int_equal(found, i);
        if (dtype_ggml_type((enum dtype)i) >= 0) {
            assert_true(dtype_of_ggml(dtype_ggml_type((enum dtype)i), &found));
            assert_int_equal(found, i);
        }
    }
    for (int i = 0; i < N_MIXERS; i++) {
        enum mixer found;
        assert_true(mixer_parse(mixer_traits((enum mixer)i)->name, &found));
        assert_int_equal(found, i);
    }
    enum dtype none = DTYPE_F16;
    enum mixer no_mixer = MIXER_NONE;
    assert_false(dtype_of_ggml(-1, &none));
    assert_false(mixer_parse("recurrence", &no_mixer));
    assert_non_null(strstr(mixer_names(names), "attention, rwkv"));
    assert_string_equal(dtype_names(is_not_block, ", ", " and ", names), "f32, f16 and bf16");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tensor_is_listed_once_and_in_the_order_of_a_pass),
        cmocka_unit_test(operators_read_what_is_listed),
        cmocka_unit_test(a_matrix_has_a_bias_where_its_kind_has_one),
        cmocka_unit_test(a_shared_ffn_is_stored_with_block_0),
        cmocka_unit_test(rows_of_traits_are_found_by_name_and_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
