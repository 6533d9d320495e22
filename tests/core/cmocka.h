/* As much of cmocka as the tests of a core build use, for targets that have no cmocka: the first
 * assertion that fails ends the program. */
#ifndef CORE_CMOCKA_H
#define CORE_CMOCKA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state), (*teardown)(void **state);
};

#define cmocka_unit_test(f) \
    { \
#f, f, NULL, NULL \
    }
#define cmocka_unit_test_setup(f, setup)       cmocka_unit_test_setup_teardown(f, setup, NULL)
#define cmocka_unit_test_teardown(f, teardown) cmocka_unit_test_setup_teardown(f, NULL, teardown)
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    { \
#f, f, setup, teardown \
    }
#define cmocka_run_group_tests(tests, setup, teardown) \
    core_run_tests(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

static inline int core_run_tests(const struct CMUnitTest *tests, size_t n, int (*setup)(void **),
                                 int (*teardown)(void **))
{
    void *state = NULL;
    if (setup != NULL && setup(&state) != 0)
        return 1;
    for (size_t i = 0; i < n; i++) {
        void *own = state;
        printf("%s\n", tests[i].name);
        fflush(stdout);
        if (tests[i].setup != NULL && tests[i].setup(&own) != 0)
            return 1;
        tests[i].test(&own);
        if (tests[i].teardown != NULL && tests[i].teardown(&own) != 0)
            return 1;
    }
    printf("%zu tests passed\n", n);
    return teardown != NULL && teardown(&state) != 0;
}

#define fail_msg(...) \
    do { \
        printf("%s:%d: ", __FILE__, __LINE__); \
        printf(__VA_ARGS__); \
        printf("\n"); \
        exit(1); \
    } while (0)
#define fail() fail_msg("failed")
#define assert_true(c) \
    do { \
        if (!(c)) \
            fail_msg("not true: %s", #c); \
    } while (0)
#define assert_false(c)               assert_true(!(c))
#define assert_non_null(p)            assert_true((p) != NULL)
#define assert_null(p)                assert_true((p) == NULL)
#define assert_ptr_equal(a, b)        assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b)        assert_true((intmax_t)(a) == (intmax_t)(b))
#define assert_int_not_equal(a, b)    assert_true((intmax_t)(a) != (intmax_t)(b))
#define assert_string_equal(a, b)     assert_true(strcmp(a, b) == 0)
#define assert_string_not_equal(a, b) assert_true(strcmp(a, b) != 0)
#define assert_memory_equal(a, b, n)  assert_true(memcmp(a, b, n) == 0)
#define assert_in_range(v, low, high) \
    assert_true((uintmax_t)(v) >= (uintmax_t)(low) && (uintmax_t)(v) <= (uintmax_t)(high))
#define assert_ptr_not_equal(a, b)       assert_true((const void *)(a) != (const void *)(b))
#define assert_memory_not_equal(a, b, n) assert_true(memcmp(a, b, n) != 0)
#define assert_float_equal(a, b, most) \
    assert_true(((a) > (b) ? (double)(a) - (double)(b) : (double)(b) - (double)(a)) <= \
                (double)(most))
#define skip()        return
#define print_message printf

#endif
