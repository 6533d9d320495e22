/* The enumerator against nested loops that try everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/count.h"
#include "search/enumerate.h"
#include "tests/random_net.h"

struct list {
    size_t n, capacity;
    struct candidate *row;
    int64_t stop_after;
    volatile sig_atomic_t stop;
};

static enum status keep(const struct candidate *candidates, int64_t n, void *user, struct err *err)
{
    struct list *list = user;
    void *array = list->row;
    enum status status =
        memory_grow(&array, &list->capacity, list->n + (size_t)n, sizeof *list->row, err);
    list->row = array;
    if (status)
        return status;
    memcpy(list->row + list->n, candidates, (size_t)n * sizeof *candidates);
    list->n += (size_t)n;
    if (list->stop_after > 0 && (int64_t)list->n >= list->stop_after)
        list->stop = 1;
    return STATUS_OK;
}

static const struct workload workload = {128, 128};

static enum status run(const struct space *space, struct budget budget,
                       const struct machine *machine, struct enumerate_options options,
                       struct list *out, struct err *err)
{
    struct enumeration e;
    enum status status = enumeration_start(space, &budget, &e, err);
    if (status)
        return status;
    int64_t expected = e.count - options.first_id;
    status = enumerate_candidates(&e, machine, &workload, &options, keep, out, err);
    if (!status)
        assert_int_equal(out->n, expected);
    enumeration_end(&e);
    return status;
}

static void draw_axis(struct rng *rng, struct axis *axis, int64_t step, int64_t most)
{
    axis->n = 0;
    for (int64_t v = step; v <= most; v += step) {
        if (rng_between(rng, 0, 2) == 0)
            axis->value[axis->n++] = v;
    }
    if (axis->n == 0)
        axis->value[axis->n++] = step;
}

/* 1/4, 1/3, 1/2, 1, some of them. */
static void draw_kv_ratios(struct rng *rng, struct layer_axis *kv)
{
    for (int64_t groups = 4; groups >= 1; groups--)
        if (rng_between(rng, 0, 1))
            kv->ratio[kv->n_ratios++] = 1.0 / (double)groups;
}

static void draw_space(struct rng *rng, struct space *space)
{
    space_default(space);
    draw_axis(rng, &space->d_model, 32, 256);
    draw_axis(rng, &space->d_head, 16, 64);
    space->n_heads.n = space->n_kv_heads.values.n = space->n_kv_heads.n_ratios = 0;
    if (rng_between(rng, 0, 1))
        draw_axis(rng, &space->n_heads, 1, 8);
    if (rng_between(rng, 0, 1))
        draw_axis(rng, &space->n_kv_heads.values, 1, 4);
    if (rng_between(rng, 0, 1))
        draw_kv_ratios(rng, &space->n_kv_heads);
    if (rng_between(rng, 0, 1))
        draw_axis(rng, &space->d_ff, 64, 512);
    space->d_ff_rule_256 = rng_between(rng, 0, 1);
    space->n_ff_ratios = (int)rng_between(rng, space->d_ff_rule_256 || space->d_ff.n ? 0 : 1, 3);
    space->d_ff_multiple = rng_between(rng, 1, 64);
    space->min_layers = rng_between(rng, 1, 4);
    space->max_layers = rng_between(rng, 4, 30);
    space->n_schedules = (int)rng_between(rng, 1, 5);
    space->schedule[rng_between(rng, 0, space->n_schedules - 1)].share_ffn = rng_between(rng, 0, 1);
    space->vocab_size.value[0] = rng_between(rng, 100, 4000);
    space->n_dtypes = 2;
    space->dtype[1] = space->d_ff_multiple % 2 ? DTYPE_Q8_0 : FILE_Q4_K_M;
    space->n_kv_dtypes = (int)rng_between(rng, 1, 2);
    space->kv_dtype[1] = DTYPE_F32;
}

/* Everything a candidate is, as text: two are the same architecture exactly when these are. */
static void describe(const struct candidate *c, char *out, size_t size)
{
    const struct candidate_row *r = &c->row;
    snprintf(out, size, "%d %d %lld %lld %lld %lld %lld %lld %d %d %lld %d %lld", (int)c->dtype,
             (int)c->kv_dtype, (long long)r->vocab_size, (long long)r->d_model,
             (long long)r->d_head, (long long)r->n_heads, (long long)r->n_kv_heads,
             (long long)r->d_ff, (int)r->tie_embeddings, (int)c->schedule.sharing,
             (long long)c->schedule.repeats, c->schedule.share_ffn,
             (long long)c->schedule.n_layers);
}

static bool on_axis(const struct axis *axis, int64_t value)
{
    for (int i = 0; i < axis->n; i++) {
        if (axis->value[i] == value)
            return true;
    }
    return false;
}

/* No axis at all: every divisor. */
static bool on_kv_axis(const struct layer_axis *axis, int64_t heads, int64_t kv)
{
    bool is_on = on_axis(&axis->values, kv) || (axis->values.n == 0 && axis->n_ratios == 0);
    for (int i = 0; i < axis->n_ratios; i++)
        is_on |= llround(axis->ratio[i] * (double)heads) == kv;
    return is_on;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum { TEXT = 128, MOST = 400000 };

/* Scans every value of every axis and every depth, and keeps what the budget holds. */
static size_t brute_force(const struct space *s, const struct budget *budget, char (*out)[TEXT])
{
    size_t n = 0;
    struct candidate c;
    for (int t = 0; t < s->n_dtypes * s->n_kv_dtypes; t++)
        for (int64_t d = 1; d <= 256; d++)
            for (int64_t dh = 1; on_axis(&s->d_model, d) && dh <= 64; dh++)
                for (int64_t h = 1; on_axis(&s->d_head, dh) && h <= 256; h++)
                    for (int64_t kv = 1; kv <= h; kv++) {
                        if (s->n_heads.n ? !on_axis(&s->n_heads, h) : h * dh != d)
                            continue;
                        if (h % kv || !on_kv_axis(&s->n_kv_heads, h, kv))
                            continue;
                        struct axis d_ff;
                        space_d_ff(s, d, &d_ff);
                        for (int f = 0; f < d_ff.n; f++)
                            for (int tie = 0; tie < 2; tie++)
                                for (int k = 0; k < s->n_schedules; k++)
                                    for (int64_t l = s->min_layers; l <= s->max_layers; l++) {
                                        struct transformer net;
                                        struct param_count count;
                                        transformer_init(&net, d, l, h, kv, dh, d_ff.value[f],
                                                         s->vocab_size.value[0]);
                                        net.tie_embeddings = tie;
                                        net.schedule = s->schedule[k];
                                        net.schedule.n_layers = l;
                                        transformer_count(&net, &count);
                                        if (count.total < budget->min || count.total > budget->max)
                                            continue;
                                        c = (struct candidate){
                                            .row.vocab_size = net.vocab_size,
                                            .row.d_model = d,
                                            .row.d_head = dh,
                                            .row.n_heads = h,
                                            .row.n_kv_heads = kv,
                                            .row.d_ff = d_ff.value[f],
                                            .row.tie_embeddings = tie,
                                            .dtype = s->dtype[t / s->n_kv_dtypes],
                                            .kv_dtype = s->kv_dtype[t % s->n_kv_dtypes],
                                            .schedule = net.schedule};
                                        assert_true(n < MOST);
                                        describe(&c, out[n++], TEXT);
                                    }
                    }
    return n;
}

static void equals_brute_force_on_small_spaces(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    struct err err;
    char(*expected)[TEXT] = malloc((size_t)MOST * TEXT),
    (*found)[TEXT] = malloc((size_t)MOST * TEXT);
    rng_init(&rng, 21);
    random_machine(&rng, &machine);
    int met = 0;
    for (int round = 0; round < 40; round++) {
        static struct space space;
        struct list list = {0};
        draw_space(&rng, &space);
        int64_t target = rng_between(&rng, 100000, 8000000);
        struct budget budget = {target * 9 / 10, target * 11 / 10, target};
        enum status status =
            run(&space, budget, &machine, (struct enumerate_options){0}, &list, &err);
        size_t n = brute_force(&space, &budget, expected);
        assert_int_equal(status, n > 0 ? STATUS_OK : STATUS_RANGE);
        assert_int_equal(list.n, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(list.row[i].row.id, i);
            describe(&list.row[i], found[i], TEXT);
        }
        qsort(expected, n, TEXT, by_text);
        qsort(found, n, TEXT, by_text);
        for (size_t i = 0; i < n; i++) {
            assert_string_equal(found[i], expected[i]);
            if (i > 0)
                assert_string_not_equal(found[i], found[i - 1]);
        }
        met += n > 0;
        memory_free(list.row);
    }
    assert_true(met > 20);
    free(expected);
    free(found);
}

static void counts_and_prices_are_those_of_the_network(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    rng_init(&rng, 22);
    random_machine(&rng, &machine);
    for (int round = 0; round < 10; round++) {
        static struct space space;
        struct list list = {0};
        draw_space(&rng, &space);
        struct budget budget = {100000, 20000000, 1000000};
        enum status status =
            run(&space, budget, &machine, (struct enumerate_options){0}, &list, NULL);
        if (status == STATUS_RANGE) /* the space drawn is empty */
            continue;
        assert_int_equal(status, STATUS_OK);
        for (int k = 0; k < 300; k++) {
            const struct candidate *c = &list.row[rng_between(&rng, 0, (int64_t)list.n - 1)];
            struct transformer net;
            struct param_count count;
            struct weight_bytes bytes;
            struct price price;
            struct operator_list ops;
            struct op_totals totals;
            assert_int_equal(candidate_transformer(c, &net, NULL), STATUS_OK);
            assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
            transformer_count(&net, &count);
            transformer_weight_bytes(&net, &bytes);
            assert_int_equal(c->row.params, count.total);
            assert_int_equal(c->row.params_blocks, count.blocks);
            assert_int_equal(c->row.params_embedding, count.embedding);
            assert_int_equal(c->row.weight_bytes, bytes.total);
            assert_int_equal(c->row.kv_bytes_per_token, transformer_kv_bytes_per_token(&net));
            assert_int_equal(ops_decode(&net, 0, &ops, NULL), STATUS_OK);
            ops_totals(&ops, &totals);
            assert_int_equal(c->row.flop_per_token, totals.flop);
            ops_release(&ops);
            assert_int_equal(price_network(&net, &machine, &workload, &price, NULL, NULL),
                             STATUS_OK);
            assert_true(price.decode_ns == c->row.price.decode_ns);
            assert_true(price.prefill_ns == c->row.price.prefill_ns);
            assert_true(price.ttft_cold_ns == c->row.price.ttft_cold_ns);
            assert_int_equal(price.peak_bytes, c->row.price.peak_bytes);
            transformer_release(&net);
        }
        memory_free(list.row);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* With the type, as a stored candidate is called. */
static void names_tell_the_candidates_of_a_space_apart(void **state)
{
    (void)state;
    enum { NAME = 128 };
    struct rng rng;
    struct machine machine;
    static struct space space;
    struct list list = {0};
    rng_init(&rng, 24);
    random_machine(&rng, &machine);
    draw_space(&rng, &space);
    space.d_model = (struct axis){2, {128, 256}};
    space.d_head = (struct axis){2, {32, 64}};
    space.n_heads = (struct axis){2, {2, 4}};
    space.n_kv_heads.values.n = space.n_kv_heads.n_ratios = 0;
    space.vocab_size = (struct axis){2, {1000, 2000}};
    space.n_dtypes = 2;
    space.dtype[0] = DTYPE_F16;
    space.dtype[1] = DTYPE_Q8_0;
    struct budget budget = {100000, 20000000, 1000000};
    assert_int_equal(run(&space, budget, &machine, (struct enumerate_options){0}, &list, NULL),
                     STATUS_OK);
    char(*names)[NAME] = calloc(list.n, NAME);
    assert_non_null(names);
    for (size_t i = 0; i < list.n; i++) {
        struct transformer net;
        assert_int_equal(candidate_transformer(&list.row[i], &net, NULL), STATUS_OK);
        snprintf(names[i], NAME, "%s-%s", net.name, dtype_name(list.row[i].dtype));
    }
    qsort(names, list.n, NAME, by_name);
    assert_true(list.n > 1000);
    for (size_t i = 1; i < list.n; i++)
        assert_string_not_equal(names[i - 1], names[i]);
    free(names);
    memory_free(list.row);
}

static void a_candidate_carries_its_stack(void **state)
{
    (void)state;
    const struct block full = {
        .mixer = MIXER_ATTENTION, .n_heads = 8, .n_kv_heads = 2, .d_head = 32, .d_ff = 512};
    struct block blocks[] = {full, full, {.mixer = MIXER_NONE, .d_ff = 1024}, full};
    struct stack stack = {0};
    struct candidate candidate = {.row = {.d_model = 256,
                                          .vocab_size = 1000,
                                          .d_head = 32,
                                          .n_heads = 8,
                                          .n_kv_heads = 2,
                                          .d_ff = 512},
                                  .schedule = {SHARING_NONE, 4, 1, false},
                                  .ffn = FFN_SWIGLU,
                                  .max_context = 512};
    struct transformer uniform, net, other;
    assert_int_equal(candidate_transformer(&candidate, &uniform, NULL), STATUS_OK);
    assert_string_equal(uniform.name, "d256-l4-h8x32-kv2-f512-v1000-untied");
    assert_true(stack_is_uniform(&uniform.stack));

    candidate.stack = &stack;
    assert_int_equal(stack_set(&stack, blocks, 4, NULL), STATUS_OK);
    assert_int_equal(candidate_transformer(&candidate, &net, NULL), STATUS_OK);
    blocks[1].window = 64;
    assert_int_equal(stack_set(&stack, blocks, 4, NULL), STATUS_OK);
    assert_int_equal(candidate_transformer(&candidate, &other, NULL), STATUS_OK);
    stack_release(&stack);

    assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
    assert_int_equal(transformer_block(&net, 2)->mixer, MIXER_NONE);
    assert_int_equal(transformer_block(&other, 1)->window, 64);
    assert_true(strncmp(net.name, "d256-l4-c2-", 11) == 0);
    assert_true(strncmp(other.name, "d256-l4-c3-", 11) == 0);
    assert_non_null(strstr(net.name, "-v1000-untied"));
    transformer_release(&net);
    transformer_release(&other);
}

static bool same_rows(const struct list *a, const struct list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        char x[TEXT], y[TEXT];
        describe(&a->row[i], x, TEXT);
        describe(&b->row[i], y, TEXT);
        if (strcmp(x, y) != 0 || a->row[i].row.id != b->row[i].row.id ||
            a->row[i].row.price.decode_ns != b->row[i].row.price.decode_ns ||
            a->row[i].row.price.energy_pj_per_token != b->row[i].row.price.energy_pj_per_token)
            return false;
    }
    return a->n == b->n;
}

static void rows_do_not_depend_on_threads_or_batches(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    static struct space space;
    struct budget budget = {1000000, 5000000, 3000000};
    struct list one = {0}, many = {0}, small = {0};
    rng_init(&rng, 23);
    random_machine(&rng, &machine);
    draw_space(&rng, &space);
    assert_int_equal(
        run(&space, budget, &machine, (struct enumerate_options){.n_jobs = 1}, &one, NULL),
        STATUS_OK);
    assert_int_equal(
        run(&space, budget, &machine, (struct enumerate_options){.n_jobs = 4}, &many, NULL),
        STATUS_OK);
    assert_int_equal(run(&space, budget, &machine,
                         (struct enumerate_options){.n_jobs = 3, .batch = 7}, &small, NULL),
                     STATUS_OK);
    assert_true(same_rows(&one, &many));
    assert_true(same_rows(&one, &small));
    memory_free(one.row);
    memory_free(many.row);
    memory_free(small.row);
}

static void an_interrupted_search_resumes_where_it_stopped(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    static struct space space;
    struct budget budget = {1000000, 5000000, 3000000};
    struct list whole = {0}, parts = {.stop_after = 100};
    rng_init(&rng, 26);
    random_machine(&rng, &machine);
    draw_space(&rng, &space);
    assert_int_equal(run(&space, budget, &machine, (struct enumerate_options){0}, &whole, NULL),
                     STATUS_OK);
    struct enumerate_options options = {.batch = 50, .stop = &parts.stop};
    assert_int_equal(run(&space, budget, &machine, options, &parts, NULL), STATUS_INTERRUPTED);
    assert_true(parts.n >= 100 && parts.n < whole.n);
    options.first_id = (int64_t)parts.n - 13; /* the last rows were lost */
    parts.n -= 13;
    parts.stop = 0, parts.stop_after = 0;
    struct enumeration e;
    assert_int_equal(enumeration_start(&space, &budget, &e, NULL), STATUS_OK);
    assert_int_equal(enumerate_candidates(&e, &machine, &workload, &options, keep, &parts, NULL),
                     STATUS_OK);
    enumeration_end(&e);
    assert_true(same_rows(&whole, &parts));
    memory_free(whole.row);
    memory_free(parts.row);
}

static void the_default_space_holds_mobilellm_125m_and_ls_125m(void **state)
{
    (void)state;
    static struct space space;
    struct rng rng;
    struct machine machine;
    struct budget budget;
    struct list list = {0};
    int found = 0, shared = 0;
    rng_init(&rng, 25);
    random_machine(&rng, &machine);
    space_default(&space);
    assert_int_equal(parse_budget("125M", &budget, NULL), STATUS_OK);
    assert_int_equal(run(&space, budget, &machine, (struct enumerate_options){0}, &list, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < list.n; i++) {
        const struct candidate *c = &list.row[i];
        assert_in_range(c->row.params, budget.min, budget.max);
        if (c->row.d_model == 576 && c->row.n_heads == 9 && c->row.n_kv_heads == 3 &&
            c->row.d_head == 64 && c->row.d_ff == 1536 && c->schedule.n_layers == 30 &&
            c->row.tie_embeddings) {
            assert_int_equal(c->row.params, 124635456);
            found += c->schedule.sharing == SHARING_NONE;
            shared += c->schedule.sharing == SHARING_IMMEDIATE && c->schedule.repeats == 2;
        }
    }
    assert_int_equal(found, 1);
    assert_int_equal(shared, 1);
    memory_free(list.row);
}

static void an_impossible_budget_names_the_nearest(void **state)
{
    (void)state;
    static struct space space;
    struct enumeration e;
    struct budget budget = {1, 1000, 500};
    struct err err;
    space_default(&space);
    assert_int_equal(enumeration_start(&space, &budget, &e, &err), STATUS_RANGE);
    /* 128 wide, two layers, tied, four kv heads of the smallest: exact count of the smallest shape
     */
    assert_non_null(strstr(err.message, "the nearest has 4."));
    assert_non_null(strstr(err.message, "at d_model 128"));
}

static void running_out_of_memory_ends_the_search_cleanly(void **state)
{
    (void)state;
    struct rng rng;
    struct machine machine;
    static struct space space;
    struct budget budget = {1000000, 2000000, 1500000};
    rng_init(&rng, 26);
    random_machine(&rng, &machine);
    draw_space(&rng, &space);
    for (int64_t n = 1; n < 200; n++) {
        struct list list = {0};
        memory_fail_after(n);
        enum status status =
            run(&space, budget, &machine, (struct enumerate_options){.n_jobs = 1}, &list, NULL);
        memory_fail_after(-1);
        memory_free(list.row);
        if (status == STATUS_OK)
            return;
        assert_int_equal(status, STATUS_NOMEM);
    }
    fail_msg("never enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_brute_force_on_small_spaces),
        cmocka_unit_test(counts_and_prices_are_those_of_the_network),
        cmocka_unit_test(names_tell_the_candidates_of_a_space_apart),
        cmocka_unit_test(a_candidate_carries_its_stack),
        cmocka_unit_test(rows_do_not_depend_on_threads_or_batches),
        cmocka_unit_test(an_interrupted_search_resumes_where_it_stopped),
        cmocka_unit_test(the_default_space_holds_mobilellm_125m_and_ls_125m),
        cmocka_unit_test(an_impossible_budget_names_the_nearest),
        cmocka_unit_test(running_out_of_memory_ends_the_search_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
