/* Programs that answer lines with lines, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/line_process.h"

enum { MANY = 20000 };

static void more_than_a_pipe_holds_goes_both_ways(void **state)
{
    (void)state;
    struct line_process *process;
    struct text lines = {0}, answers = {0};
    struct err err;
    for (int i = 0; i < MANY; i++)
        text_addf(&lines, "line %d of many that are asked at once\n", i);
    assert_int_equal(line_process_start("cat", &process, &err), STATUS_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(line_process_ask(process, lines.data, MANY, 60, NULL, &answers, &err),
                         STATUS_OK);
        assert_string_equal(answers.data, lines.data);
    }
    line_process_end(process);
    text_release(&lines);
    text_release(&answers);
}

static enum status ask(const char *command, const volatile sig_atomic_t *stop, struct err *err)
{
    struct line_process *process;
    struct text answers = {0};
    assert_int_equal(line_process_start(command, &process, err), STATUS_OK);
    enum status status = line_process_ask(process, "a\nb\n", 2, 0.2, stop, &answers, err);
    line_process_end(process);
    text_release(&answers);
    return status;
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(ask("exit 7", NULL, &err), STATUS_IO);
    assert_string_equal(err.message, "it ended with status 7 after 0 of 2 answers");
    assert_int_equal(ask("echo 1; kill -15 $$", NULL, &err), STATUS_IO);
    assert_string_equal(err.message, "it was ended by signal 15 after 1 of 2 answers");
    assert_int_equal(ask("exec sleep 60", NULL, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "no answer within 0.2 s, after 0 of 2"));
    assert_int_equal(ask("yes", NULL, &err), STATUS_IO);
    assert_string_equal(err.message, "it answered more lines than it was asked");
    assert_int_equal(ask("printf 'a\\0\\n'", NULL, &err), STATUS_IO);
    assert_string_equal(err.message, "answer 1: a zero byte");
}

static void a_stop_ends_the_wait(void **state)
{
    (void)state;
    static volatile sig_atomic_t stop = 1;
    struct err err;
    assert_int_equal(ask("exec sleep 60", &stop, &err), STATUS_INTERRUPTED);
}

/* A program that does not read what it is told does not end ours by SIGPIPE. */
static void a_closed_input_is_no_signal(void **state)
{
    (void)state;
    struct line_process *process;
    struct text answers = {0};
    struct err err;
    assert_int_equal(line_process_start("exec <&-; echo 1; echo 2; sleep 1", &process, &err),
                     STATUS_OK);
    assert_int_equal(line_process_ask(process, "a\nb\n", 2, 60, NULL, &answers, &err), STATUS_OK);
    assert_string_equal(answers.data, "1\n2\n");
    line_process_end(process);
    line_process_end(NULL);
    text_release(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_than_a_pipe_holds_goes_both_ways),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(a_closed_input_is_no_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
