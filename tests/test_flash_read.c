#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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
    char path[] = "flash-XXXXXX";
    double gbps[3] = {0};
    struct err err;
    assert_non_null(mkdtemp(path));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_gives_a_rate_a_round_and_leaves_nothing),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
