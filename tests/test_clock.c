#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void a_date_is_20_characters_of_iso_8601(void **state)
{
    (void)state;
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    char date[21];
    assert_ptr_equal(clock_now_iso(date, sizeof date), date);
    assert_int_equal(strlen(date), strlen(shape));
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == 'd')
            assert_in_range(date[i], '0', '9');
        else
            assert_int_equal(date[i], shape[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(a_date_is_20_characters_of_iso_8601),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
