#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "base/text.h"

static void pieces_add_up_to_the_whole(void **state)
{
    (void)state;
    struct text text = {0};
    char whole[4000] = "";
    for (int i = 0; i < 300; i++) {
        text_add(&text, i % 2 == 0 ? "ab" : "");
        text_addf(&text, "%d,", i);
        sprintf(whole + strlen(whole), "%s%d,", i % 2 == 0 ? "ab" : "", i);
    }
    assert_false(text.failed);
    assert_string_equal(text.data, whole);
    assert_int_equal(text.length, strlen(whole));
    text_release(&text);
    assert_null(text.data);
}

static void a_failed_text_stays_as_it_was_and_says_so(void **state)
{
    (void)state;
    struct text text = {0};
    text_add(&text, "kept");
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memory_fail_after(1);
    text_add(&text, longer);
    memory_fail_after(-1);
    text_addf(&text, "%d", 1);
    assert_true(text.failed);
    assert_string_equal(text.data, "kept");
    text_release(&text);
    assert_false(text.failed);
}

static void one_slip_is_found_and_another_word_is_not(void **state)
{
    (void)state;
    static const char *const names[] = {"search", "predict", "inspect", "calibrate", "top"};
    static const struct {
        const char *typed, *meant;
    } cases[] = {
        {"serach", "search"},
        {"search", "search"},
        {"PREDICT", "predict"},
        {"calibarte", "calibrate"},
        {"inspct", "inspect"},
        {"tpo", "top"},
        {"pot", NULL},
        {"zzz", NULL},
        {"", NULL},
        {"seaxch", "search"},
        {"xyzpredictor", NULL},
        {"tops", "top"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = text_nearest(cases[i].typed, names, 5);
        if (cases[i].meant == NULL)
            assert_null(found);
        else
            assert_string_equal(found, cases[i].meant);
    }
}

/* Damerau-Levenshtein by its recursive definition. */
static size_t slow_distance(const char *a, size_t n, const char *b, size_t m)
{
    if (n == 0 || m == 0)
        return n + m;
    size_t best = slow_distance(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    size_t other = slow_distance(a, n - 1, b, m) + 1;
    best = other < best ? other : best;
    other = slow_distance(a, n, b, m - 1) + 1;
    best = other < best ? other : best;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        other = slow_distance(a, n - 2, b, m - 2) + 1;
        best = other < best ? other : best;
    }
    return best;
}

static void the_nearest_of_random_words_is_the_one_brute_force_finds(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 300; round++) {
        char words[4][8] = {{0}};
        const char *names[3];
        for (int i = 0; i < 4; i++) {
            int64_t length = rng_between(&rng, 1, 6);
            for (int64_t j = 0; j < length; j++)
                words[i][j] = (char)('a' + rng_between(&rng, 0, 2));
        }
        size_t length = strlen(words[3]), limit = length / 3 > 1 ? length / 3 : 1;
        const char *expected = NULL;
        size_t least = limit + 1;
        for (int i = 0; i < 3; i++) {
            names[i] = words[i];
            size_t d = slow_distance(words[3], length, words[i], strlen(words[i]));
            if (d < least) {
                least = d;
                expected = names[i];
            }
        }
        assert_ptr_equal(text_nearest(words[3], names, 3), expected);
    }
}

static void a_word_of_any_length_is_safe_to_ask_for(void **state)
{
    (void)state;
    char word[5000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *names[] = {word, "a"};
    assert_null(text_nearest(word, names, 2));
    assert_string_equal(text_nearest("b", names, 2), "a");
    word[63] = '\0';
    assert_string_equal(text_nearest(word, names, 2), word);
}

static void words_go_on_below_each_other(void **state)
{
    (void)state;
    struct text text = {0};
    text_add(&text, "so    ");
    text_wrap(&text, "ab  cd \u00b5\u00b5\u00b5 abcdefghijkl m\nn", 6, 6, 12);
    assert_string_equal(text.data, "so    ab cd\n"
                                   "      \u00b5\u00b5\u00b5\n"
                                   "      abcdefghijkl\n"
                                   "      m\n"
                                   "      n");
    text_release(&text);
    text_wrap(&text, "one two", 0, 0, 7);
    assert_string_equal(text.data, "one two");
    text_release(&text);
    text_wrap(&text, "", 0, 0, 7);
    assert_null(text.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_add_up_to_the_whole),
        cmocka_unit_test(a_failed_text_stays_as_it_was_and_says_so),
        cmocka_unit_test(one_slip_is_found_and_another_word_is_not),
        cmocka_unit_test(the_nearest_of_random_words_is_the_one_brute_force_finds),
        cmocka_unit_test(words_go_on_below_each_other),
        cmocka_unit_test(a_word_of_any_length_is_safe_to_ask_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
