/* Why one candidate and not another, on fixed cases; which bounds candidates lie on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cli/decision_text.h"
#include "search/binding.h"
#include "search/contrast.h"

static struct candidate uniform(int64_t id, int64_t n_layers, int64_t d_model, int64_t n_kv_heads,
                                int64_t d_ff)
{
    struct candidate c = {.stack = NULL};
    record_clear(&candidate_fields, &c.row);
    c.row.run_id = 1;
    c.row.id = id;
    c.row.n_layers = n_layers;
    c.row.repeats = 1;
    c.row.d_model = d_model;
    c.row.n_heads = 8;
    c.row.n_kv_heads = n_kv_heads;
    c.row.d_head = d_model / 8;
    c.row.d_ff = d_ff;
    c.row.vocab_size = 32000;
    c.row.tie_embeddings = 1;
    c.row.share_ffn = 0;
    c.row.sharing = "none";
    c.row.dtype = "f16";
    c.row.price.decode_ns = 10e6;
    c.row.loss.loss_delta_nats = 0.1;
    c.schedule = (struct schedule){SHARING_NONE, n_layers, 1, false};
    c.ffn = FFN_SWIGLU;
    return c;
}

static void expect_why(const struct objectives *objectives, const struct candidate *a,
                       const struct candidate *b, const char *expected)
{
    struct text text = {0};
    decision_why(objectives, a, b, &text);
    assert_string_equal(text.data, expected);
    text_release(&text);
}

static void half_the_kv_heads_are_named_with_what_they_give(void **state)
{
    struct objectives objectives;
    struct candidate a = uniform(7, 12, 512, 2, 1536), b = uniform(9, 12, 512, 4, 1536);
    (void)state;
    objectives_default(&objectives);
    a.row.price.decode_ns = 9.4e6;
    a.row.loss.loss_delta_nats = 0.104;
    expect_why(&objectives, &a, &b,
               "against 1:9: half the KV heads: 6.0 % faster, loss 0.004 nats higher");
    expect_why(&objectives, &b, &a,
               "against 1:7: twice the KV heads: 6.4 % slower, loss 0.004 nats lower");
    expect_why(&objectives, &b, &b,
               "against 1:9: other places of its layers: no difference that shows");
}

static void the_two_dimensions_with_most_effect_are_named(void **state)
{
    struct objectives objectives;
    /* A KV head less has a larger ratio than the FFN, and little effect. */
    struct candidate a = uniform(7, 30, 512, 1, 1024), b = uniform(9, 12, 512, 2, 1536);
    (void)state;
    objectives_default(&objectives);
    a.row.price.decode_ns = 25e6;
    expect_why(&objectives, &a, &b,
               "against 1:9: 30 layers for 12, FFN width 1024 for 1536: 2.5 times as slow");
    a = b;
    a.row.id = 8;
    a.row.tie_embeddings = 0;
    a.schedule.sharing = SHARING_IMMEDIATE;
    a.row.repeats = 3;
    expect_why(&objectives, &a, &b,
               "against 1:9: 3 times the executions of a layer, a head of its own: no difference "
               "that shows");
}

/* Where the cache is an objective its heads count most. */
static void of_caches_the_kv_heads_come_first(void **state)
{
    struct objectives objectives = {0};
    struct candidate a = uniform(7, 12, 512, 1, 768), b = uniform(9, 12, 512, 2, 1536);
    (void)state;
    assert_int_equal(objectives_add(&objectives, "kv_bytes_per_token", NULL), STATUS_OK);
    a.row.kv_bytes_per_token = 1024;
    b.row.kv_bytes_per_token = 4096;
    expect_why(&objectives, &a, &b,
               "against 1:9: half the KV heads, half the FFN width: kv cache a token 75 % less");
    b.row.kv_bytes_per_token = 0;
    expect_why(&objectives, &a, &b,
               "against 1:9: half the KV heads, half the FFN width: kv cache a token 1.02 kB for "
               "none");
}

static void stacks_are_compared_by_kinds_and_sums(void **state)
{
    struct objectives objectives = {0};
    const struct block full = {
        .mixer = MIXER_ATTENTION, .n_heads = 8, .n_kv_heads = 2, .d_head = 64, .d_ff = 512};
    const struct block none = {.mixer = MIXER_NONE, .d_ff = 1024};
    const struct block of_a[] = {full, none, none, none}, of_b[] = {full, full, full, full};
    struct stack x = {.others = NULL}, y = {.others = NULL};
    struct candidate a = uniform(0, 4, 512, 2, 512), b = uniform(1, 4, 512, 2, 512);
    (void)state;
    assert_int_equal(objectives_add(&objectives, "decode_ns", NULL), STATUS_OK);
    assert_int_equal(stack_set(&x, of_a, 4, NULL), STATUS_OK);
    assert_int_equal(stack_set(&y, of_b, 4, NULL), STATUS_OK);
    a.stack = &x;
    b.stack = &y;
    a.row.n_windowed = b.row.n_windowed = b.row.n_without_attention = 0;
    a.row.n_without_attention = 3;
    a.row.price.decode_ns = 8e6;
    expect_why(&objectives, &a, &b,
               "against 1:1: FFN width of all layers 3584 for 2048, 3 layers without attention for "
               "0: 20 % faster");
    stack_release(&x);
    stack_release(&y);
}

static const struct binding *find(const struct binding *bindings, int n, enum bound_kind kind)
{
    for (int i = 0; i < n; i++)
        if (bindings[i].kind == kind)
            return &bindings[i];
    return NULL;
}

static void bounds_are_found_where_candidates_lie_on_them(void **state)
{
    struct binding found[MAX_BINDINGS];
    struct candidate front[] = {uniform(0, 30, 512, 2, 1536), uniform(1, 20, 512, 2, 1536),
                                uniform(2, 12, 512, 2, 1536)};
    struct bounds *bounds = memory_new(1, sizeof *bounds);
    (void)state;
    space_default(&bounds->space);
    bounds->space.min_layers = 4;
    bounds->space.max_layers = 30;
    bounds->budget = (struct budget){95000000, 100000000, 100000000};
    assert_int_equal(
        filter_parse("decode_ms<20 and d_head=64 and params>1M", &bounds->filter, NULL), STATUS_OK);
    front[0].row.params = 99600000; /* within half a percent */
    front[1].row.params = 99400000;
    front[2].row.params = 97000000;
    front[2].row.price.decode_ns = 19.95e6;
    int n = bindings_find(bounds, front, 3, found);
    assert_int_equal(n, 3);
    const struct binding *most = find(found, n, BOUND_MOST_PARAMS);
    const struct binding *limit = find(found, n, BOUND_CONDITION);
    const struct binding *layers = find(found, n, BOUND_MOST_LAYERS);
    assert_non_null(most);
    assert_non_null(limit);
    assert_non_null(layers);
    assert_int_equal(most->n_on_it, 1);
    assert_float_equal(most->loosened, 105000000, 0);
    assert_true(binding_holds(bounds, limit, &front[2]));
    assert_false(binding_holds(bounds, limit, &front[1]));
    assert_float_equal(limit->loosened, 21, 1e-9);
    assert_float_equal(layers->loosened, 31, 0);
    binding_loosen(most, bounds);
    binding_loosen(limit, bounds);
    binding_loosen(layers, bounds);
    assert_int_equal(bounds->budget.max, 105000000);
    assert_int_equal(bounds->budget.min, 95000000);
    assert_float_equal(bounds->filter.condition[0].value, 21, 1e-9);
    assert_float_equal(bounds->filter.condition[1].value, 64, 0);
    assert_int_equal(bounds->space.max_layers, 31);
    memory_free(bounds);
}

/* No width is beyond what the space lists, and one layer is the fewest. */
static void the_ends_of_the_world_are_not_loosened(void **state)
{
    struct binding found[MAX_BINDINGS];
    struct candidate one = uniform(0, 1, 512, 2, 1536);
    struct bounds *bounds = memory_new(1, sizeof *bounds);
    (void)state;
    space_default(&bounds->space);
    bounds->space.min_layers = 1;
    bounds->space.d_model = (struct axis){2, {256, 512}};
    bounds->budget = (struct budget){1, 1000000000, 1000000000};
    one.row.params = 500000;
    int n = bindings_find(bounds, &one, 1, found);
    assert_int_equal(n, 2);
    assert_true(isnan(find(found, n, BOUND_LEAST_LAYERS)->loosened));
    assert_true(isnan(find(found, n, BOUND_WIDEST)->loosened));
    memory_free(bounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_kv_heads_are_named_with_what_they_give),
        cmocka_unit_test(the_two_dimensions_with_most_effect_are_named),
        cmocka_unit_test(of_caches_the_kv_heads_come_first),
        cmocka_unit_test(stacks_are_compared_by_kinds_and_sums),
        cmocka_unit_test(bounds_are_found_where_candidates_lie_on_them),
        cmocka_unit_test(the_ends_of_the_world_are_not_loosened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
