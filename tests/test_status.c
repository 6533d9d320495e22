#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/status.h"

static void a_message_is_written_and_its_status_returned(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, STATUS_INPUT, "bad %s %d", "row", 3), STATUS_INPUT);
    assert_string_equal(err.message, "bad row 3");
    assert_int_equal(err_set(NULL, STATUS_RANGE, "nobody listens"), STATUS_RANGE);
}

static void a_long_message_is_cut_and_still_terminated(void **state)
{
    (void)state;
    char word[3000];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    struct err err;
    err_set(&err, STATUS_INPUT, "%s", word);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    err_prefix(&err, STATUS_INPUT, "%s: ", word);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    errno = ENOSPC;
    err_errno(&err, "%s", word);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void a_prefix_goes_in_front_and_may_quote_the_message(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, STATUS_INPUT, "line 3");
    assert_int_equal(err_prefix(&err, STATUS_IO, "'%s': ", "x.json"), STATUS_IO);
    assert_string_equal(err.message, "'x.json': line 3");
    err_set(&err, STATUS_INPUT, "again: %s", err.message);
    assert_string_equal(err.message, "again: 'x.json': line 3");
}

static void the_reason_of_the_system_follows_the_message(void **state)
{
    (void)state;
    struct err err;
    errno = ENOSPC;
    assert_int_equal(err_errno(&err, "cannot write '%s'", "x"), STATUS_IO);
    assert_string_equal(err.message, "cannot write 'x': No space left on device");
    errno = ENOMEM;
    assert_int_equal(err_errno(NULL, "cannot"), STATUS_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_written_and_its_status_returned),
        cmocka_unit_test(a_long_message_is_cut_and_still_terminated),
        cmocka_unit_test(a_prefix_goes_in_front_and_may_quote_the_message),
        cmocka_unit_test(the_reason_of_the_system_follows_the_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
