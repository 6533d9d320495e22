/* What to train, against the rule written out, and what the rule promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "search/advice.h"

enum { N = 60, DEVICES = 3 };

/* Few distinct values, so that ties are common. Slower on one device is mostly slower on another. */
static void draw(struct rng *rng, struct advice_table *table)
{
    assert_int_equal(advice_table_init(table, N, DEVICES, NULL), STATUS_OK);
    table->time_nats = rng_between(rng, 0, 1) == 0 ? 0 : (double)rng_between(rng, 1, 20) / 100;
    for (size_t i = 0; i < N; i++) {
        table->option[i] = (struct advice_option){
            .loss_nats = 3 + (double)rng_between(rng, 0, 40) / 400,
            .n_layers = (int32_t)rng_between(rng, 2, 40),
            .repeats = (int32_t)rng_between(rng, 1, 3),
            .share_ffn = rng_between(rng, 0, 9) == 0,
            .allowed = (uint16_t)(rng_between(rng, 0, 7) | rng_between(rng, 0, 7)),
        };
        double time = (double)rng_between(rng, 5, 40);
        for (int d = 0; d < DEVICES; d++)
            table->decode_ns[d][i] = 1e6 * (time + (double)rng_between(rng, 0, 9));
    }
    table->option[rng_between(rng, 0, N - 1)].allowed = (1 << DEVICES) - 1;
}

static double score(const struct advice_table *t, int device, size_t i)
{
    return t->option[i].loss_nats + t->time_nats * log(t->decode_ns[device][i]);
}

static bool other_kind(const struct advice_option *a, const struct advice_option *b)
{
    return a->repeats != b->repeats || a->share_ffn != b->share_ffn ||
           4 * a->n_layers > 5 * b->n_layers || 5 * a->n_layers < 4 * b->n_layers;
}

/* The rule over the options that `is_in` marks, by trying all pairs. */
static size_t by_rule(const struct advice_table *t, int device, const bool *is_in)
{
    for (size_t i = 0; i < N; i++) {
        bool best = is_in[i], answer = false;
        size_t fastest = i;
        for (size_t k = 0; k < N && best; k++)
            best = !is_in[k] || score(t, device, i) < score(t, device, k) ||
                   (score(t, device, i) == score(t, device, k) && i <= k);
        for (size_t k = 0; k < N && best; k++)
            if (is_in[k] && t->option[k].loss_nats <= t->option[i].loss_nats + ADVICE_NEAR_NATS &&
                (!answer || t->decode_ns[device][k] < t->decode_ns[device][fastest])) {
                fastest = k;
                answer = true;
            }
        if (answer)
            return fastest;
    }
    return ADVICE_NONE;
}

static void the_answers_are_those_of_the_rule(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 400; round++) {
        struct advice_table t;
        struct advice advice;
        bool allowed[N], is_in[N], any = false;
        int device = (int)rng_between(&rng, 0, DEVICES - 1);
        draw(&rng, &t);
        for (size_t i = 0; i < N; i++)
            allowed[i] = t.option[i].allowed >> device & 1;
        advice_choose(&t, device, &advice);
        assert_int_equal(advice.answer, by_rule(&t, device, allowed));
        const struct advice_option *answer = &t.option[advice.answer];
        for (size_t i = 0; i < N; i++) {
            is_in[i] = allowed[i] && other_kind(&t.option[i], answer) &&
                       (t.decode_ns[device][i] <= 0.9 * t.decode_ns[device][advice.answer] ||
                        t.option[i].loss_nats < answer->loss_nats - 2 * ADVICE_NEAR_NATS);
            any = any || is_in[i];
        }
        for (size_t i = 0; i < N && !any; i++)
            is_in[i] = allowed[i] && other_kind(&t.option[i], answer);
        assert_int_equal(advice.runner_up, by_rule(&t, device, is_in));
        for (size_t i = 0; i < N; i++)
            is_in[i] = allowed[i] && t.option[i].repeats == answer->repeats &&
                       t.option[i].share_ffn == answer->share_ffn &&
                       2 * t.option[i].n_layers <= answer->n_layers;
        assert_int_equal(advice.wide, by_rule(&t, device, is_in));
        advice_table_release(&t);
    }
}

static void where_time_is_free_nothing_faster_is_within_a_hundredth_of_the_best(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 8);
    for (int round = 0; round < 400; round++) {
        struct advice_table t;
        struct advice advice;
        double best = INFINITY;
        draw(&rng, &t);
        t.time_nats = 0;
        advice_choose(&t, 1, &advice);
        const struct advice_option *answer = &t.option[advice.answer];
        assert_true(answer->allowed & 2);
        for (size_t i = 0; i < N; i++)
            if (t.option[i].allowed & 2)
                best = fmin(best, t.option[i].loss_nats);
        assert_true(answer->loss_nats <= best + ADVICE_NEAR_NATS);
        for (size_t i = 0; i < N; i++)
            assert_false((t.option[i].allowed & 2) &&
                         t.option[i].loss_nats <= best + ADVICE_NEAR_NATS &&
                         t.decode_ns[1][i] < t.decode_ns[1][advice.answer]);
        advice_table_release(&t);
    }
}

/* With and without a price of time. */
static void a_looser_limit_on_decoding_never_gives_a_higher_loss(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 9);
    for (int round = 0; round < 200; round++) {
        struct advice_table t;
        struct advice advice;
        double last = INFINITY;
        draw(&rng, &t);
        for (double limit_ns = 1e6; limit_ns < 60e6; limit_ns += 1e6) {
            bool any = false;
            for (size_t i = 0; i < N; i++) {
                t.option[i].allowed = t.decode_ns[0][i] <= limit_ns;
                any = any || t.option[i].allowed != 0;
            }
            if (!any)
                continue;
            advice_choose(&t, 0, &advice);
            assert_true(t.option[advice.answer].loss_nats <= last);
            assert_true(t.decode_ns[0][advice.answer] <= limit_ns);
            last = t.option[advice.answer].loss_nats;
        }
        advice_table_release(&t);
    }
}

static double regret(const struct advice_table *t, const struct advice *advice, int d, size_t i)
{
    return t->option[i].loss_nats - t->option[advice[d].answer].loss_nats +
           t->time_nats * log(t->decode_ns[d][i] / t->decode_ns[d][advice[d].answer]);
}

static void the_compromise_has_the_least_largest_regret(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 10);
    for (int round = 0; round < 400; round++) {
        struct advice_table t;
        struct advice advice[DEVICES];
        struct advice_compromise found;
        size_t best = ADVICE_NONE, answer = ADVICE_NONE;
        double least = INFINITY, fastest = INFINITY;
        draw(&rng, &t);
        for (int d = 0; d < DEVICES; d++)
            advice_choose(&t, d, &advice[d]);
        for (size_t i = 0; i < N; i++) {
            double most = -INFINITY;
            for (int d = 0; d < DEVICES; d++)
                most = fmax(most, regret(&t, advice, d, i));
            if (t.option[i].allowed == 7 && most < least) {
                least = most;
                best = i;
            }
        }
        for (size_t i = 0; i < N; i++) {
            double most = 0;
            for (int d = 0; d < DEVICES; d++)
                most = fmax(most, t.decode_ns[d][i] / t.decode_ns[d][advice[d].answer]);
            if (t.option[i].allowed == 7 && most < fastest - 1e-12 &&
                t.option[i].loss_nats <= t.option[best].loss_nats + ADVICE_NEAR_NATS) {
                fastest = most;
                answer = i;
            }
        }
        if (advice[0].answer == advice[1].answer && advice[1].answer == advice[2].answer)
            answer = advice[0].answer;
        advice_compromise(&t, advice, &found);
        assert_int_equal(found.option, answer);
        for (int d = 0; d < DEVICES; d++) {
            assert_true(found.regret_nats[d] <= found.worst_regret_nats);
            assert_true(fabs(found.regret_nats[d] - regret(&t, advice, d, answer)) < 1e-12);
            assert_true(fabs(found.slower_frac[d] -
                             t.decode_ns[d][answer] / t.decode_ns[d][advice[d].answer] + 1) <
                        1e-12);
        }
        advice_table_release(&t);
    }
}

static void of_one_device_the_compromise_is_its_answer(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (int round = 0; round < 100; round++) {
        struct advice_table t;
        struct advice advice;
        struct advice_compromise found;
        draw(&rng, &t);
        advice_choose(&t, 0, &advice);
        t.n_devices = 1;
        advice_compromise(&t, &advice, &found);
        assert_int_equal(found.option, advice.answer);
        assert_true(found.worst_regret_nats == 0);
        t.n_devices = DEVICES;
        advice_table_release(&t);
    }
}

static void no_compromise_is_found_where_limits_exclude_one_another(void **state)
{
    (void)state;
    struct rng rng;
    struct advice_table t;
    struct advice advice[DEVICES];
    struct advice_compromise found;
    rng_init(&rng, 12);
    draw(&rng, &t);
    for (size_t i = 0; i < N; i++)
        t.option[i].allowed = (uint16_t)(1U << i % DEVICES);
    for (int d = 0; d < DEVICES; d++)
        advice_choose(&t, d, &advice[d]);
    advice_compromise(&t, advice, &found);
    assert_true(found.option == ADVICE_NONE);
    advice_table_release(&t);
}

static struct candidate costs(int64_t id, double decode_ms, double peak_mb)
{
    struct candidate c = {.row = {.id = id}, .schedule = {SHARING_NONE, 1, 1, false}};
    record_clear(&candidate_fields, &c.row);
    c.row.id = id;
    c.row.price.decode_ns = 1e6 * decode_ms;
    c.row.price.peak_bytes = (int64_t)(1e6 * peak_mb);
    return c;
}

static void limits_are_read(void **state)
{
    static const char *const bad[] = {"decode_ms",   "decode_ms=",   "=8",
                                      "deocde_ms=8", "decode_ms=x",  "dtype=q4_0",
                                      "decode_ms<8", "decode_ms=8,", "decode_ms=8 and d_head=64"};
    struct advice_limits limits = {0};
    struct err err = {""};
    (void)state;
    assert_false(advice_limits_decode(&limits));
    assert_int_equal(advice_limit_add("peak_mb=300", &limits, &err), STATUS_OK);
    assert_false(advice_limits_decode(&limits));
    assert_int_equal(advice_limit_add("decode_ms=8.5", &limits, &err), STATUS_OK);
    assert_int_equal(advice_limit_add("params_blocks=110M", &limits, &err), STATUS_OK);
    assert_true(advice_limits_decode(&limits));
    assert_int_equal(limits.n, 3);
    assert_true(limits.limit[1].most == 8.5);
    assert_true(limits.limit[2].most == 110e6);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(advice_limit_add(bad[i], &limits, &err), STATUS_USAGE);
    assert_int_equal(limits.n, 3);
    while (advice_limit_add("n_layers=9", &limits, &err) == STATUS_OK)
        ;
    assert_int_equal(limits.n, MAX_CONDITIONS);
}

static enum status take(const char *limit, struct advice_table *table, struct err *err)
{
    const struct candidate candidates[] = {costs(0, 12.34123, 200), costs(1, 9, 300),
                                           costs(2, 10, 250)};
    struct advice_limits limits = {0};
    struct advice_taker taker;
    for (size_t i = 0; i < 3; i++)
        table->option[i].allowed = 0;
    while (*limit != '\0') {
        char one[64];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(limit, " "), limit);
        assert_int_equal(advice_limit_add(one, &limits, NULL), STATUS_OK);
        limit += strcspn(limit, " ");
        limit += *limit == ' ';
    }
    advice_taker_init(&taker, table, 0, &limits);
    assert_int_equal(advice_take(candidates, 2, &taker, NULL), STATUS_OK);
    assert_int_equal(advice_take(candidates + 2, 1, &taker, NULL), STATUS_OK);
    return advice_taken(&taker, "a phone", err);
}

static void where_nothing_is_allowed_the_nearest_is_named(void **state)
{
    struct advice_table table;
    struct err err = {""};
    (void)state;
    assert_int_equal(advice_table_init(&table, 3, 1, NULL), STATUS_OK);
    assert_int_equal(take("", &table, &err), STATUS_OK);
    assert_int_equal(table.option[1].allowed, 1);
    assert_int_equal(take("decode_ms=10", &table, &err), STATUS_OK);
    assert_int_equal(table.option[0].allowed, 0);
    assert_int_equal(table.option[2].allowed, 1);
    assert_int_equal(take("decode_ms=8", &table, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "decode_ms of at most 8 on a phone"));
    assert_non_null(strstr(err.message, "the nearest has decode_ms 9"));
    /* the nearest to both together, whose values are allowed when they are asked for */
    assert_int_equal(take("decode_ms=9.5 peak_mb=240", &table, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "the nearest has decode_ms 10 and peak_mb 250"));
    assert_int_equal(take("decode_us=12000 peak_mb=200", &table, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "decode_us 12350 and peak_mb 200"));
    assert_int_equal(take("decode_us=12350 peak_mb=200", &table, &err), STATUS_OK);
    assert_int_equal(take("energy_mj_per_token=5", &table, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "does not tell: energy_mj_per_token"));
    advice_table_release(&table);
}

static void no_memory_is_an_error(void **state)
{
    struct advice_table table;
    (void)state;
    for (int n = 1; n <= 4; n++) {
        memory_fail_after(n);
        assert_int_equal(advice_table_init(&table, N, DEVICES, NULL), STATUS_NOMEM);
        memory_fail_after(-1);
        advice_table_release(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answers_are_those_of_the_rule),
        cmocka_unit_test(where_time_is_free_nothing_faster_is_within_a_hundredth_of_the_best),
        cmocka_unit_test(a_looser_limit_on_decoding_never_gives_a_higher_loss),
        cmocka_unit_test(the_compromise_has_the_least_largest_regret),
        cmocka_unit_test(of_one_device_the_compromise_is_its_answer),
        cmocka_unit_test(no_compromise_is_found_where_limits_exclude_one_another),
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(where_nothing_is_allowed_the_nearest_is_named),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
