/* Fronts and best-N against the definition; filters and metrics by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "search/front.h"

enum { N = 200 };

/* Few distinct values, so that ties are common. */
static void draw(struct rng *rng, struct candidate *rows)
{
    for (int i = 0; i < N; i++) {
        rows[i] = (struct candidate){.row = {.id = i, .params_blocks = rng_between(rng, 1, 12)}};
        rows[i].schedule = (struct schedule){SHARING_NONE, 1, 1, false};
        rows[i].row.price.decode_ns = (double)rng_between(rng, 1, 12);
        rows[i].row.price.prefill_ns = (double)rng_between(rng, 1, 12);
        rows[i].row.price.energy_pj_per_token = NAN;
    }
}

static double score(const struct objectives *o, int i, const struct candidate *c)
{
    return o->sign[i] * metric_value(&o->metric[i], c);
}

static bool beats(const struct objectives *o, const struct candidate *a, const struct candidate *b)
{
    bool better = false;
    for (int i = 0; i < o->n; i++) {
        if (score(o, i, a) > score(o, i, b))
            return false;
        better |= score(o, i, a) < score(o, i, b);
    }
    return better || a->row.id < b->row.id;
}

static bool is_known(const struct objectives *o, const struct candidate *c)
{
    bool known = true;
    for (int i = 0; i < o->n; i++)
        known &= !isnan(score(o, i, c));
    return known;
}

static void shuffle(struct rng *rng, struct candidate *rows)
{
    for (int i = N - 1; i > 0; i--) {
        int j = (int)rng_between(rng, 0, i);
        struct candidate keep = rows[i];
        rows[i] = rows[j];
        rows[j] = keep;
    }
}

static void the_front_is_what_nobody_beats_in_any_order(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 31);
    for (int round = 0; round < 60; round++) {
        struct objectives o = {0};
        static struct candidate rows[N];
        struct front front;
        objectives_add(&o, "decode_ns", NULL);
        objectives_add(&o, "max:params_blocks", NULL);
        if (round % 2)
            objectives_add(&o, "prefill_ms", NULL);
        draw(&rng, rows);
        shuffle(&rng, rows);
        front_init(&front, &o);
        size_t expected = 0;
        for (int i = 0; i < N; i++) {
            assert_int_equal(front_add(&front, &rows[i], NULL), STATUS_OK);
            bool beaten = false;
            for (int j = 0; j < N; j++)
                beaten |= j != i && beats(&o, &rows[j], &rows[i]);
            expected += !beaten;
        }
        assert_int_equal(front.n, expected);
        for (size_t i = 0; i < front.n; i++)
            for (int j = 0; j < N; j++)
                assert_false(rows[j].row.id != front.member[i].row.id &&
                             beats(&o, &rows[j], &front.member[i]));
        front_release(&front);
    }
}

/* Who has an unknown objective is on the front where nobody else is, and beats nobody who is not like
 * that. */
static void unknown_values_stand_behind_known_ones(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 35);
    for (int round = 0; round < 80; round++) {
        struct objectives o = {0};
        static struct candidate rows[N];
        struct front front, of_known;
        const int64_t one_in = round % 4 == 3 ? 0 : 3; /* 0: none is known */
        objectives_add(&o, "decode_ns", NULL);
        objectives_add(&o, round % 2 ? "loss_delta_nats" : "energy_pj_per_token", NULL);
        if (round % 3 == 0)
            objectives_add(&o, "prefill_ms", NULL);
        draw(&rng, rows);
        for (int i = 0; i < N; i++) {
            const bool known = one_in > 0 && rng_between(&rng, 1, one_in) == 1;
            rows[i].row.vocab_size = 32000 + rng_between(&rng, 0, 1);
            rows[i].row.price.energy_pj_per_token = rows[i].row.loss.loss_delta_nats =
                known ? (double)rng_between(&rng, 1, 12) : (double)NAN;
        }
        shuffle(&rng, rows);
        front_init(&front, &o);
        front_init(&of_known, &o);
        for (int i = 0; i < N; i++) {
            assert_int_equal(front_add(&front, &rows[i], NULL), STATUS_OK);
            if (is_known(&o, &rows[i]))
                assert_int_equal(front_add(&of_known, &rows[i], NULL), STATUS_OK);
        }
        assert_true(front.n > 0);
        if (one_in > 0)
            assert_int_equal(front.n, of_known.n);
        for (size_t i = 0; i < of_known.n; i++)
            assert_int_equal(front.member[i].row.id, of_known.member[i].row.id);
        front_release(&front);
        front_release(&of_known);
    }
}

/* Losses of two vocabularies are never compared: the front is that of each, put together. */
static void of_two_vocabularies_each_has_its_own_front(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 33);
    for (int round = 0; round < 60; round++) {
        struct objectives o;
        static struct candidate rows[N];
        struct front together, apart[2];
        objectives_default(&o);
        if (round % 2)
            assert_int_equal(objectives_add(&o, "prefill_ns", NULL), STATUS_OK);
        draw(&rng, rows);
        front_init(&together, &o);
        for (int v = 0; v < 2; v++)
            front_init(&apart[v], &o);
        for (int i = 0; i < N; i++) {
            int v = (int)rng_between(&rng, 0, 1);
            rows[i].row.vocab_size = v ? 50257 : 32000;
            rows[i].row.loss.loss_delta_nats =
                rng_between(&rng, 0, 9) ? 0.01 * (double)rng_between(&rng, -3, 12) : (double)NAN;
        }
        shuffle(&rng, rows);
        for (int i = 0; i < N; i++) {
            assert_int_equal(front_add(&together, &rows[i], NULL), STATUS_OK);
            assert_int_equal(front_add(&apart[rows[i].row.vocab_size == 50257], &rows[i], NULL),
                             STATUS_OK);
        }
        assert_int_equal(together.n, apart[0].n + apart[1].n); /* of each some are known */
        for (int v = 0; v < 2; v++) {
            for (size_t i = 0; i < apart[v].n; i++) {
                size_t at = 0;
                while (at < together.n && together.member[at].row.id != apart[v].member[i].row.id)
                    at++;
                assert_true(at < together.n);
            }
            front_release(&apart[v]);
        }
        front_release(&together);
    }
}

static void the_best_n_are_the_n_best(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 32);
    for (int round = 0; round < 60; round++) {
        struct objectives o = {0};
        static struct candidate rows[N];
        struct top top;
        size_t limit = (size_t)rng_between(&rng, 1, N + 20);
        objectives_add(&o, "decode_ns", NULL);
        draw(&rng, rows);
        shuffle(&rng, rows);
        assert_int_equal(top_init(&top, &o, limit, NULL), STATUS_OK);
        for (int i = 0; i < N; i++)
            top_add(&top, &rows[i]);
        assert_int_equal(top.n, limit < N ? limit : N);
        bool seen[N] = {false};
        for (size_t i = 0; i < top.n; i++) {
            size_t before = 0;
            for (int j = 0; j < N; j++) {
                double a = rows[j].row.price.decode_ns, b = top.member[i].row.price.decode_ns;
                before += a < b || (a == b && rows[j].row.id < top.member[i].row.id);
            }
            assert_true(before < top.n && !seen[before]);
            seen[before] = true;
        }
        top_release(&top);
    }
}

static bool passes(const char *text, const struct candidate *c)
{
    struct filter filter;
    struct err err;
    if (filter_parse(text, &filter, &err))
        fail_msg("%s", err.message);
    return filter_passes(&filter, c);
}

static void conditions_compare_in_the_unit_they_name(void **state)
{
    (void)state;
    struct candidate c = {.row = {.n_layers_effective = 60,
                                  .d_head = 64,
                                  .params_blocks = 106 * 1000 * 1000,
                                  .weight_bytes = 249270912}};
    c.schedule = (struct schedule){SHARING_IMMEDIATE, 30, 2, false};
    c.dtype = DTYPE_Q8_0;
    c.row.price.decode_ns = 15.6e6;
    c.row.price.decode_tok_s = 1e9 / 15.6e6;
    c.row.price.energy_pj_per_token = 12.5e9;
    assert_true(passes("decode_ms<20", &c));
    assert_true(passes("decode_ms < 20 and d_head = 64, params_blocks >= 90M", &c));
    assert_false(passes("decode_ms<20 and d_head=32", &c));
    assert_true(passes("decode_us>15599 and decode_us<15601 and decode_s<0.0157", &c));
    assert_true(passes("weight_mb>249 and weight_mib<238 and energy_mj_per_token>=12.5", &c));
    assert_true(passes("sharing=immediate and dtype=q8_0 and n_layers_effective==60", &c));
    assert_true(passes("sharing='immediate' and kv_dtype=f32 and ffn_kind='relu'", &c));
    assert_true(passes("sharing!=none and decode_tok_s>64", &c));
    assert_true(passes("", &c) && passes(NULL, &c));
}

static void wrong_conditions_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"decod_ns<5", "decode_ns"},        {"decode_ms", "expected < <= > >= = or !="},
        {"decode_ms<", "expected a value"}, {"decode_ms<abc", "'abc' is no number"},
        {"d_head=1 or d_ff=2", "no 'or'"},  {"sharing=imediate", "immediate"},
        {"d_head=1 and ", "ends where"},    {"<5", "expected a metric"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter filter;
        struct err err;
        assert_int_equal(filter_parse(cases[i].text, &filter, &err), STATUS_USAGE);
        if (!strstr(err.message, cases[i].expected))
            fail_msg("%s gave: %s", cases[i].text, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_front_is_what_nobody_beats_in_any_order),
        cmocka_unit_test(unknown_values_stand_behind_known_ones),
        cmocka_unit_test(of_two_vocabularies_each_has_its_own_front),
        cmocka_unit_test(the_best_n_are_the_n_best),
        cmocka_unit_test(conditions_compare_in_the_unit_they_name),
        cmocka_unit_test(wrong_conditions_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
