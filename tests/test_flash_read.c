#define _DEFAULT_SOURCE /* SIGXFSZ */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/temporary_folder.h"
#include "timing/flash_read.h"

static int entries(const char *path)
{
    int n = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory) != NULL)
        n++;
    closedir(directory);
    return n - 2; /* . and .. */
}

static void reading_gives_a_rate_a_round_and_leaves_nothing(void **state)
{
    (void)state;
    char path[TEMPORARY_MOST];
    double gbps[3] = {0};
    struct err err;
    assert_int_equal(temporary_make(path), 0);
    assert_int_equal(flash_read(path, 2 << 20, 3, gbps, &err), STATUS_OK);
    for (int i = 0; i < 3; i++)
        assert_true(gbps[i] > 0);
    assert_int_equal(entries(path), 0);
    assert_int_equal(rmdir(path), 0);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    (void)state;
    double gbps;
    struct err err;
    assert_int_equal(flash_read("no/such/folder", 1 << 20, 1, &gbps, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "no/such/folder"));
}

/* As a full disk does. */
static void a_file_that_cannot_be_written_whole_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    char path[TEMPORARY_MOST];
    double gbps = 0;
    struct err err;
    struct rlimit before, low;
    assert_int_equal(temporary_make(path), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    enum status status = flash_read(path, 2 << 20, 1, &gbps, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "test file of 2 MB"));
    assert_int_equal(entries(path), 0);
    assert_int_equal(rmdir(path), 0);
}

static void a_folder_whose_name_is_too_long_is_refused(void **state)
{
    (void)state;
    static char name[5000];
    double gbps;
    struct err err;
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(flash_read(name, 1 << 20, 1, &gbps, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "directory name 'xxx"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_gives_a_rate_a_round_and_leaves_nothing),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(a_file_that_cannot_be_written_whole_is_an_error_and_leaves_nothing),
        cmocka_unit_test(a_folder_whose_name_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
