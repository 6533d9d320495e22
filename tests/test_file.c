#define _XOPEN_SOURCE 700 /* mkdtemp, symlink, SIGXFSZ */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "tests/temporary_folder.h"

static char folder[TEMPORARY_MOST];

static const char *path_of(const char *name)
{
    return temporary_path(folder, name);
}

static int enter(void **state)
{
    (void)state;
    return temporary_make(folder);
}

static int count_files(void)
{
    int n = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(listing);
    return n;
}

static void assert_holds(const char *path, const char *expected)
{
    char *data;
    int64_t length;
    assert_int_equal(file_read(path, 1 << 20, &data, &length, NULL), STATUS_OK);
    assert_string_equal(data, expected);
    assert_int_equal(length, strlen(expected));
    memory_free(data);
}

static int remove_all(void **state)
{
    (void)state;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            remove(path_of(entry->d_name));
    return closedir(listing);
}

static int leave(void **state)
{
    return remove_all(state) != 0 || rmdir(folder) != 0;
}

static void what_is_written_is_read_back_whatever_its_length(void **state)
{
    (void)state;
    for (size_t n = 0; n < 40000; n = n * 2 + 1) {
        char *text = memory_new(n + 1, 1);
        assert_non_null(text);
        memset(text, 'x', n);
        assert_int_equal(file_write(path_of("a"), text, NULL), STATUS_OK);
        assert_holds(path_of("a"), text);
        memory_free(text);
    }
    assert_int_equal(count_files(), 1);
}

static void the_old_file_stays_until_the_new_one_is_whole(void **state)
{
    (void)state;
    struct file_out out;
    assert_int_equal(file_write(path_of("a"), "old", NULL), STATUS_OK);
    assert_int_equal(file_create(&out, path_of("a"), NULL), STATUS_OK);
    fputs("half", out.stream);
    fflush(out.stream);
    assert_holds(path_of("a"), "old");
    file_abandon(&out);
    file_abandon(&out);
    assert_holds(path_of("a"), "old");
    assert_int_equal(count_files(), 1);

    assert_int_equal(file_create(&out, path_of("a"), NULL), STATUS_OK);
    fputs("new", out.stream);
    assert_int_equal(file_commit(&out, NULL), STATUS_OK);
    file_abandon(&out);
    assert_holds(path_of("a"), "new");
    assert_int_equal(count_files(), 1);
}

static void a_killed_writer_leaves_the_old_file(void **state)
{
    (void)state;
    assert_int_equal(file_write(path_of("a"), "old", NULL), STATUS_OK);
    pid_t child = fork();
    if (child == 0) {
        struct file_out out;
        if (file_create(&out, path_of("a"), NULL) == STATUS_OK)
            fputs("half", out.stream);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_holds(path_of("a"), "old");
    assert_int_equal(file_write(path_of("a"), "new", NULL), STATUS_OK);
    assert_holds(path_of("a"), "new");
}

static void two_writers_at_once_do_not_mix(void **state)
{
    (void)state;
    struct file_out first, second;
    assert_int_equal(file_create(&first, path_of("a"), NULL), STATUS_OK);
    assert_int_equal(file_create(&second, path_of("a"), NULL), STATUS_OK);
    fputs("first", first.stream);
    fputs("second", second.stream);
    assert_int_equal(file_commit(&first, NULL), STATUS_OK);
    assert_holds(path_of("a"), "first");
    assert_int_equal(file_commit(&second, NULL), STATUS_OK);
    assert_holds(path_of("a"), "second");
    assert_int_equal(count_files(), 1);
}

static void a_link_stays_a_link(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(file_write(path_of("target"), "old", NULL), STATUS_OK);
    assert_int_equal(symlink("target", path_of("link")), 0);
    assert_int_equal(file_write(path_of("link"), "new", NULL), STATUS_OK);
    assert_int_equal(lstat(path_of("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_holds(path_of("target"), "new");
}

static void a_new_file_is_as_readable_as_the_umask_says(void **state)
{
    (void)state;
    struct stat info;
    mode_t old = umask(027);
    assert_int_equal(file_write(path_of("a"), "x", NULL), STATUS_OK);
    umask(old);
    assert_int_equal(stat(path_of("a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void a_full_device_is_an_error_and_stays_a_device(void **state)
{
    (void)state;
    struct err err = {""};
    if (!file_exists("/dev/full"))
        skip();
    assert_int_equal(file_write("/dev/full", "text", &err), STATUS_IO);
    assert_string_equal(err.message, "cannot write '/dev/full': No space left on device");
    assert_int_equal(file_write("/dev/null", "text", NULL), STATUS_OK);
    struct stat info;
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
}

/* A limit on the size of files fails a write as a full disk would: with a part written. */
static void a_disk_that_fills_up_leaves_the_old_file_and_no_part(void **state)
{
    (void)state;
    assert_int_equal(file_write(path_of("a"), "old", NULL), STATUS_OK);
    char *text = memory_new(100001, 1);
    assert_non_null(text);
    memset(text, 'x', 100000);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {50000, 50000};
        struct err err = {""};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(2);
        enum status status = file_write(path_of("a"), text, &err);
        _exit(status == STATUS_IO && strstr(err.message, "cannot write") != NULL ? 0 : 1);
    }
    memory_free(text);
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_holds(path_of("a"), "old");
    assert_int_equal(count_files(), 1);
}

static void unreachable_paths_are_errors_that_name_them(void **state)
{
    (void)state;
    struct err err;
    char *data = NULL;
    const char *const absent = path_of("no/such/file");
    int64_t length;
    assert_int_equal(file_write(absent, "x", &err), STATUS_IO);
    assert_non_null(strstr(err.message, absent));
    assert_int_equal(file_read(absent, 100, &data, &length, &err), STATUS_IO);
    assert_non_null(strstr(err.message, absent));
    assert_int_equal(file_write(folder, "x", &err), STATUS_IO);
    assert_int_equal(file_read(folder, 100, &data, &length, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "Is a directory"));
    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(file_write(longer, "x", &err), STATUS_IO);
    assert_null(data);
    assert_true(file_is_directory(folder));
    assert_false(file_exists(absent));
}

static void a_file_above_the_limit_is_refused(void **state)
{
    (void)state;
    char *data;
    int64_t length;
    assert_int_equal(file_write(path_of("a"), "12345", NULL), STATUS_OK);
    assert_int_equal(file_read(path_of("a"), 4, &data, &length, NULL), STATUS_RANGE);
    assert_int_equal(file_read(path_of("a"), 5, &data, &length, NULL), STATUS_OK);
    memory_free(data);
    memory_fail_after(1);
    assert_int_equal(file_read(path_of("a"), 5, &data, &length, NULL), STATUS_NOMEM);
    memory_fail_after(-1);
}

static void data_files_are_found_in_the_chosen_folder_first(void **state)
{
    (void)state;
    char found[4096];
    struct err err;
    assert_int_equal(file_write(path_of("mine.json"), "{}", NULL), STATUS_OK);
    assert_int_equal(setenv("LATHE_DATA", folder, 1), 0);
    assert_int_equal(file_data_path("mine.json", found, sizeof found, &err), STATUS_OK);
    assert_string_equal(found, path_of("mine.json"));
    assert_int_equal(file_data_path("none.json", found, sizeof found, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, folder));
    assert_non_null(strstr(err.message, "none.json"));
    assert_int_equal(file_data_path("mine.json", found, 5, &err), STATUS_NOT_FOUND);
    unsetenv("LATHE_DATA");
}

static void a_path_is_its_folder_and_its_name(void **state)
{
    static const struct {
        const char *path, *folder, *name;
    } cases[] = {{"a.json", ".", "a.json"},
                 {"/a", "/", "a"},
                 {"x/y/a.json", "x/y", "a.json"},
                 {"x/", "x", ""},
                 {"./a", ".", "a"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char folder_of[32];
        file_directory(cases[i].path, folder_of, sizeof folder_of);
        assert_string_equal(folder_of, cases[i].folder);
        assert_string_equal(file_base_name(cases[i].path), cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_written_is_read_back_whatever_its_length, remove_all),
        cmocka_unit_test_teardown(the_old_file_stays_until_the_new_one_is_whole, remove_all),
        cmocka_unit_test_teardown(a_killed_writer_leaves_the_old_file, remove_all),
        cmocka_unit_test_teardown(two_writers_at_once_do_not_mix, remove_all),
        cmocka_unit_test_teardown(a_link_stays_a_link, remove_all),
        cmocka_unit_test_teardown(a_new_file_is_as_readable_as_the_umask_says, remove_all),
        cmocka_unit_test_teardown(a_full_device_is_an_error_and_stays_a_device, remove_all),
        cmocka_unit_test_teardown(a_disk_that_fills_up_leaves_the_old_file_and_no_part, remove_all),
        cmocka_unit_test_teardown(unreachable_paths_are_errors_that_name_them, remove_all),
        cmocka_unit_test_teardown(a_file_above_the_limit_is_refused, remove_all),
        cmocka_unit_test_teardown(data_files_are_found_in_the_chosen_folder_first, remove_all),
        cmocka_unit_test(a_path_is_its_folder_and_its_name),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
