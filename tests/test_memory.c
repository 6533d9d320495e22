#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"

static void new_memory_is_zeroed_and_an_overflow_is_refused(void **state)
{
    (void)state;
    unsigned char *bytes = memory_new(1000, 3);
    assert_non_null(bytes);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(bytes[i], 0);
    memory_free(bytes);
    assert_null(memory_new(SIZE_MAX / 2, 3));
    void *nothing = memory_new(0, 8);
    assert_non_null(nothing);
    memory_free(nothing);
    memory_free(NULL);
}

static void a_grown_array_keeps_its_elements_and_zeroes_the_new_ones(void **state)
{
    (void)state;
    int *numbers = NULL;
    size_t capacity = 0;
    for (size_t need = 1; need < 5000; need = need * 3 / 2 + 1) {
        void *array = numbers;
        size_t before = capacity;
        assert_int_equal(memory_grow(&array, &capacity, need, sizeof *numbers, NULL), STATUS_OK);
        numbers = array;
        assert_true(capacity >= need);
        for (size_t i = 0; i < before; i++)
            assert_int_equal(numbers[i], i + 1);
        for (size_t i = before; i < capacity; i++) {
            assert_int_equal(numbers[i], 0);
            numbers[i] = (int)i + 1;
        }
    }
    memory_free(numbers);
}

static void growth_that_fails_changes_nothing(void **state)
{
    (void)state;
    void *array = NULL;
    size_t capacity = 0;
    struct err err;
    assert_int_equal(memory_grow(&array, &capacity, 10, 4, &err), STATUS_OK);
    void *before = array;
    size_t capacity_before = capacity;
    memory_fail_after(1);
    assert_int_equal(memory_grow(&array, &capacity, 1000, 4, &err), STATUS_NOMEM);
    memory_fail_after(-1);
    assert_int_equal(memory_grow(&array, &capacity, SIZE_MAX, 4, &err), STATUS_NOMEM);
    assert_int_equal(memory_grow(&array, &capacity, SIZE_MAX / 4 + 1, 4, &err), STATUS_NOMEM);
    assert_ptr_equal(array, before);
    assert_int_equal(capacity, capacity_before);
    memory_free(array);
}

static int by_value(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void an_array_of_none_is_copied_and_sorted_wherever_it_is(void **state)
{
    (void)state;
    const int from[] = {3, 1, 2}, sorted[] = {1, 2, 3};
    int to[3] = {0};
    memory_copy(to, from, 3, sizeof *to);
    assert_memory_equal(to, from, sizeof to);
    memory_sort(to, 3, sizeof *to, by_value);
    assert_memory_equal(to, sorted, sizeof to);
    memory_copy(NULL, NULL, 0, sizeof *to);
    memory_sort(NULL, 0, sizeof *to, by_value);
}

static void aligned_memory_starts_on_64_bytes(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 300; bytes += 7) {
        char *pointer = memory_new_aligned(bytes);
        assert_non_null(pointer);
        assert_int_equal((uintptr_t)pointer % 64, 0);
        memset(pointer, 1, (bytes + 63) / 64 * 64);
        memory_free(pointer);
    }
    assert_null(memory_new_aligned(SIZE_MAX));
}

static void the_nth_allocation_and_all_after_it_fail_on_request(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 6; n++) {
        memory_fail_after(n);
        for (int64_t i = 1; i < 10; i++) {
            void *pointer = i % 3 == 0   ? memory_new(1, 1)
                            : i % 3 == 1 ? (void *)memory_strdup("x")
                                         : memory_new_aligned(8);
            assert_int_equal(pointer == NULL, i >= n);
            memory_free(pointer);
        }
    }
    memory_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_and_an_overflow_is_refused),
        cmocka_unit_test(a_grown_array_keeps_its_elements_and_zeroes_the_new_ones),
        cmocka_unit_test(growth_that_fails_changes_nothing),
        cmocka_unit_test(an_array_of_none_is_copied_and_sorted_wherever_it_is),
        cmocka_unit_test(aligned_memory_starts_on_64_bytes),
        cmocka_unit_test(the_nth_allocation_and_all_after_it_fail_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
