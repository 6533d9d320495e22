/* The store when a program is killed, another one writes, or the disk says no. */
#include "store_fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "db/store_private.h"

static int64_t integrity(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *check = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &check, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    const int64_t good = strcmp((const char *)sqlite3_column_text(check, 0), "ok") == 0;
    sqlite3_finalize(check);
    sqlite3_close(db);
    return good;
}

static void a_killed_search_leaves_its_batches_and_an_unfinished_run(void **state)
{
    const struct fixture *fixture = *state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        if (store_open(fixture->path, STORE_WRITE, &store, NULL) != STATUS_OK)
            _exit(1);
        struct run_row run;
        row_clear(TABLE_RUN, &run);
        run.verb = "search";
        if (store_begin_run(store, &run, NULL) != STATUS_OK)
            _exit(1);
        for (int64_t first = 0;; first += 100) {
            if (fixture_put(store, run.id, first, 100, NULL) != STATUS_OK)
                _exit(1);
            if (first == 2000 && write(ready[1], "x", 1) != 1)
                _exit(1);
        }
    }
    char byte;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    nanosleep(&(struct timespec){.tv_nsec = 20000000},
              NULL); /* so that the kill falls anywhere in a batch */
    assert_int_equal(kill(child, SIGKILL), 0);
    int exit_status = 0;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_true(WIFSIGNALED(exit_status));

    struct store *store = fixture_open(fixture->path, STORE_READ);
    struct run_row run = read_run(store, 1);
    assert_int_equal(run.finished, 0);
    assert_int_equal(run.ended_at[0], 0);
    assert_true(run.position >= 2100);
    assert_int_equal(run.position % 100, 0);
    assert_rows(store, 1, (size_t)run.position);
    store_close(store);

    /* It resumes where it was. */
    store = fixture_open(fixture->path, STORE_WRITE);
    must(store_resume_run(store, 1, &must_err));
    must(fixture_put(store, 1, run.position, 100, &must_err));
    must(store_finish_run(store, 1, &must_err));
    assert_rows(store, 1, (size_t)run.position + 100);
    store_close(store);
    assert_true(integrity(fixture->path));
}

static void only_an_unfinished_run_resumes(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    struct err err;
    const int64_t run = fixture_begin(store);
    must(store_interrupt_run(store, run, &must_err));
    assert_int_equal(read_run(store, run).finished, 0);
    assert_int_not_equal(read_run(store, run).ended_at[0], 0);
    must(store_resume_run(store, run, &must_err));
    assert_int_equal(read_run(store, run).ended_at[0], 0);
    must(store_finish_run(store, run, &must_err));
    assert_int_equal(store_resume_run(store, run, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "run 1 of"));
    assert_int_equal(store_resume_run(store, 9, &err), STATUS_NOT_FOUND);
    store_close(store);
}

static void it_is_read_while_it_is_written(void **state)
{
    const struct fixture *fixture = *state;
    struct store *writer = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run = fixture_begin(writer);
    struct store *reader = fixture_open(fixture->path, STORE_READ);
    for (int64_t i = 0; i < 5; i++) {
        must(fixture_put(writer, run, i * 50, 50, &must_err));
        assert_rows(reader, run, (size_t)(i + 1) * 50);
    }
    must(store_finish_run(writer, run, &must_err));
    assert_int_equal(read_run(reader, run).finished, 1);
    store_close(reader);
    store_close(writer);
}

static void two_programs_may_write_at_once(void **state)
{
    const struct fixture *fixture = *state;
    struct store *a = fixture_open(fixture->path, STORE_WRITE);
    struct store *b = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run_a = fixture_begin(a), run_b = fixture_begin(b);
    assert_int_not_equal(run_a, run_b);
    for (int64_t i = 0; i < 10; i++) {
        must(fixture_put(a, run_a, i * 20, 20, &must_err));
        must(fixture_put(b, run_b, i * 10, 10, &must_err));
    }
    assert_rows(b, run_a, 200);
    assert_rows(a, run_b, 100);
    store_close(b);
    store_close(a);
}

static void a_full_disk_keeps_the_batches_before_it(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run = fixture_begin(store);
    must(fixture_put(store, run, 0, 200, &must_err));
    store_close(store);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {.rlim_cur = 600000, .rlim_max = 600000};
        struct err err = {{0}};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
            store_open(fixture->path, STORE_WRITE, &store, NULL) != STATUS_OK)
            _exit(1);
        int64_t first = 200;
        enum status status = STATUS_OK;
        for (; status == STATUS_OK && first < 100000; first += 200)
            status = fixture_put(store, run, first, 200, &err);
        const bool clear =
            strstr(err.message, "a write failed") != NULL && strchr(err.message, '\n') == NULL;
        store_close(store);
        _exit(status == STATUS_IO && clear ? 0 : 2);
    }
    int exit_status = 0;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    store = fixture_open(fixture->path, STORE_READ);
    const int64_t position = read_run(store, run).position;
    assert_true(position > 200 && position % 200 == 0);
    assert_rows(store, run, (size_t)position);
    assert_int_equal(read_run(store, run).finished, 0);
    store_close(store);
    assert_true(integrity(fixture->path));
}

static void a_disk_that_is_full_from_the_start_is_left_empty(void **state)
{
    const struct fixture *fixture = *state;
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = {.rlim_cur = 10000, .rlim_max = 10000};
        struct store *store = NULL;
        struct err err = {{0}};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(1);
        const enum status status = store_open(fixture->path, STORE_WRITE, &store, &err);
        _exit(status == STATUS_IO && err.message[0] != 0 ? 0 : 2);
    }
    int exit_status = 0;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_int_not_equal(access(fixture->path, F_OK), 0);
}

/* Runs as a user whom permissions bind; root is bound by none. */
static enum status open_as_nobody(const char *path, enum store_mode mode, char *message)
{
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct store *store = NULL;
        struct err err = {{0}};
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(100);
        enum status status = store_open(path, mode, &store, &err);
        if (status == STATUS_OK && mode == STORE_READ)
            status = query_run_id(store, 1, &(int64_t){0}, &err);
        store_close(store);
        if (write(channel[1], err.message, sizeof err.message) < 0)
            _exit(100);
        _exit((int)status);
    }
    close(channel[1]);
    assert_true(read(channel[0], message, sizeof(struct err)) >= 0);
    close(channel[0]);
    int exit_status = 0;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_true(WIFEXITED(exit_status));
    return (enum status)WEXITSTATUS(exit_status);
}

static void read_only_files_are_read_and_not_written(void **state)
{
    const struct fixture *fixture = *state;
    char message[sizeof(struct err)];
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    fixture_begin(store);
    store_close(store);

    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(chmod(fixture->directory, 0555), 0);
    assert_int_equal(open_as_nobody(fixture->path, STORE_READ, message), STATUS_OK);
    assert_int_equal(open_as_nobody(fixture->path, STORE_WRITE, message), STATUS_IO);
    assert_non_null(strstr(message, "read-only"));

    char path[sizeof fixture->directory + 16];
    snprintf(path, sizeof path, "%s/new.db", fixture->directory);
    assert_int_equal(open_as_nobody(path, STORE_WRITE, message), STATUS_IO);
    assert_int_equal(strncmp(message, "cannot create '", 15), 0);
    assert_int_equal(chmod(fixture->directory, 0755), 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_missing_directory_or_file_is_named(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = NULL;
    struct err err;
    char path[sizeof fixture->directory + 16];
    assert_int_equal(store_open(fixture->path, STORE_READ, &store, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "no such file"));
    snprintf(path, sizeof path, "%s/no/s.db", fixture->directory);
    assert_int_equal(store_open(path, STORE_WRITE, &store, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "no directory"));
    assert_int_equal(store_open(fixture->directory, STORE_WRITE, &store, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "it is a directory"));
    assert_int_equal(store_open("/dev/null", STORE_WRITE, &store, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "no regular file"));
    assert_int_equal(store_open("", STORE_WRITE, &store, &err), STATUS_USAGE);
}

/* A link to a place that is not there: opening fails, and the link is the user's. */
static void a_failed_opening_removes_only_what_it_made(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = NULL;
    struct stat link;
    assert_int_equal(symlink("no/such/place.db", fixture->path), 0);
    assert_int_not_equal(store_open(fixture->path, STORE_WRITE, &store, NULL), STATUS_OK);
    assert_int_equal(lstat(fixture->path, &link), 0);
    assert_int_equal(unlink(fixture->path), 0);
}

static void a_lock_that_stays_is_an_error_that_says_so(void **state)
{
    const struct fixture *fixture = *state;
    struct store *store = fixture_open(fixture->path, STORE_WRITE);
    const int64_t run = fixture_begin(store);
    sqlite3 *other = NULL;
    struct err err;
    assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_busy_timeout(store->handle.db, 10);
    assert_int_equal(fixture_put(store, run, 0, 1, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "another program holds a lock"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    must(fixture_put(store, run, 0, 1, &must_err));
    sqlite3_close(other);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_file(a_killed_search_leaves_its_batches_and_an_unfinished_run),
        with_file(only_an_unfinished_run_resumes),
        with_file(it_is_read_while_it_is_written),
        with_file(two_programs_may_write_at_once),
        with_file(a_full_disk_keeps_the_batches_before_it),
        with_file(a_disk_that_is_full_from_the_start_is_left_empty),
        with_file(read_only_files_are_read_and_not_written),
        with_file(a_missing_directory_or_file_is_named),
        with_file(a_failed_opening_removes_only_what_it_made),
        with_file(a_lock_that_stays_is_an_error_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
