#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/progress.h"

/* Standard error leads to a terminal of which the test holds the other end. */
static int real_stderr, master;

static int open_terminal(void **state)
{
    (void)state;
    real_stderr = dup(STDERR_FILENO);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return -1;
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0 || dup2(terminal, STDERR_FILENO) < 0)
        return -1;
    close(terminal);
    return fcntl(master, F_SETFL, O_NONBLOCK);
}

static int close_terminal(void **state)
{
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return close(master);
}

/* What the terminal was sent since the last call. */
static const char *shown(void)
{
    static char text[256];
    ssize_t n = read(master, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return text;
}

static const int64_t minute_ns = 60000000000;

static void a_long_job_tells_what_is_left(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, "searching");
    assert_true(progress.terminal);
    progress.start_ns -= minute_ns;
    progress_update(&progress, 2500000, 10000000);
    const char *line = shown();
    assert_non_null(strstr(line, "\rsearching:  25 %, 2.500M, 180 s left"));
    progress.last_ns -= minute_ns;
    progress_update(&progress, 3000, 0);
    line = shown();
    assert_non_null(strstr(line, "\rsearching: 3000"));
    assert_null(strstr(line, "left"));
    progress_end(&progress);
    assert_string_equal(shown(), "\r\033[K");
}

static void it_is_silent_at_first_and_not_rewritten_at_once(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, "searching");
    progress.start_ns += minute_ns; /* begun just now, however slow this machine is */
    progress_update(&progress, 1, 2);
    assert_string_equal(shown(), "");
    progress.start_ns -= 2 * minute_ns;
    progress.last_ns = progress.start_ns + 2 * minute_ns; /* likewise: written just now */
    progress_update(&progress, 1, 2);
    assert_string_equal(shown(), "");
    progress_end(&progress); /* nothing to remove */
    assert_string_equal(shown(), "");
}

static void without_a_terminal_nothing_is_shown(void **state)
{
    (void)state;
    struct progress progress;
    progress_init(&progress, "searching");
    progress.terminal = false;
    progress.start_ns -= minute_ns;
    progress_update(&progress, 1, 2);
    assert_string_equal(shown(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_job_tells_what_is_left),
        cmocka_unit_test(it_is_silent_at_first_and_not_rewritten_at_once),
        cmocka_unit_test(without_a_terminal_nothing_is_shown),
    };
    return cmocka_run_group_tests(tests, open_terminal, close_terminal);
}
