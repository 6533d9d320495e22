/* A search among processes is the search that one process does: row for row. */
#include "tests/shares_fixture.h"

#include <sqlite3.h>

#include "base/memory.h"
#include "base/ranges.h"
#include "base/text.h"
#include "tests/thread_crew.h"

static void lathe_crew(int64_t n, struct words *words)
{
    int saved[2];
    struct thread_crew members[CREW_MOST];
    be_quiet(saved);
    run_crew(n, words->n, words->word, members);
    talk_again(saved);
    for (int64_t i = 0; i < n; i++)
        if (members[i].status != STATUS_OK)
            fail_msg("process %d of %d: %s", (int)i + 1, (int)n, members[i].err.message);
    free_words(words);
}

static void search_by_crew(const struct question *question, int64_t n)
{
    struct words words = {0};
    ask(&words, question);
    add_word(&words, "--db");
    add_word(&words, "crew.db");
    lathe_crew(n, &words);
}

static void what_processes_found_together_is_the_whole_search(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (int round = 0; round < N_SPACES; round++) {
        const struct question question = draw_question(&rng, round);
        write_space(&rng);
        search_alone(&question, 0, 0);
        for (int i = 0; i < N_NUMBERS; i++) {
            search_by_crew(&question, shared_by[i]);
            if (strncmp(question.keep, "top", 3) != 0)
                assert_same_search("crew.db", "on_front = 1", strcmp(question.keep, "front") == 0);
            merge("crew.%d-of-%d.db", shared_by[i]);
            unlink("crew.db");
        }
        empty_folder();
    }
}

/* As if the process had been killed when it had stored its first `n` ranges. */
static void forget_the_rest(const char *path, struct rng *rng)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    struct rows runs = {0}, rows = {0};
    struct ranges parts = {0};
    struct text sql = {0};
    read_all(path, NULL, &rows, &runs);
    const struct run_row *run = runs.data;
    must(ranges_parse(&parts, "parts", run->parts, &must_err));
    parts.n = (size_t)rng_between(rng, 0, (int64_t)parts.n);
    char *text = ranges_print(&parts);
    text_addf(&sql,
              "UPDATE run SET finished = 0, ended_at = NULL, parts = '%s';"
              "DELETE FROM candidate WHERE id >= %lld;"
              "UPDATE run SET n_candidates = (SELECT count(*) FROM candidate)",
              text, parts.n > 0 ? (long long)parts.range[parts.n - 1].end : 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql.data, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql.data, message);
    sqlite3_close(db);
    memory_free(text);
    text_release(&sql);
    ranges_release(&parts);
    rows_release(&runs);
    rows_release(&rows);
}

static void processes_that_were_killed_go_on(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5);
    for (int round = 0; round < N_SPACES; round++) {
        const struct question question = {"all", NULL, "decode_ns,params_blocks"};
        const int64_t n = shared_by[round % N_NUMBERS];
        write_space(&rng);
        search_alone(&question, 0, 0);
        search_by_crew(&question, n);
        unlink("crew.db");
        for (int64_t i = 1; i <= n; i++) {
            char path[64];
            snprintf(path, sizeof path, "crew.%d-of-%d.db", (int)i, (int)n);
            if (rng_between(&rng, 0, 3) > 0) /* else it was done */
                forget_the_rest(path, &rng);
        }
        struct words words = {0};
        add_word(&words, "--resume");
        add_word(&words, "latest");
        add_word(&words, "--db");
        add_word(&words, "crew.db");
        lathe_crew(n, &words);
        assert_same_search("crew.db", "on_front = 1", false);
        merge("crew.%d-of-%d.db", n);
        empty_folder();
    }
}

/* One process that cannot go on: its store's folder is gone, say. All fail, one says why. */
static void one_process_that_fails_is_the_failure_of_all(void **state)
{
    (void)state;
    struct rng rng;
    struct words words = {0};
    struct thread_crew members[CREW_MOST];
    const struct question question = {"all", NULL, NULL};
    int saved[2];
    rng_init(&rng, 6);
    write_space(&rng);
    FILE *file = fopen("crew.3-of-4.db", "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fprintf(file, "no database\n");
    fclose(file);
    ask(&words, &question);
    add_word(&words, "--db");
    add_word(&words, "crew.db");
    be_quiet(saved);
    run_crew(4, words.n, words.word, members);
    talk_again(saved);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(members[i].status, i == 2 ? STATUS_INPUT : STATUS_IO);
        assert_int_equal(members[i].crew.first_failed, 2);
        assert_non_null(strstr(members[i].err.message,
                               i == 2 ? "it is no SQLite database" : "process 3 failed"));
    }
    free_words(&words);
    empty_folder();
}

/* Out of memory anywhere in one process: all fail, and the one that did has the reason. */
static void a_process_without_memory_fails_all(void **state)
{
    (void)state;
    struct rng rng;
    const struct question question = {"front", NULL, NULL};
    int failed = 0;
    bool went_through = false;
    rng_init(&rng, 7);
    write_space(&rng);
    for (int64_t n = 1; !went_through; n += 1 + n / 6) {
        struct words words = {0};
        struct thread_crew members[CREW_MOST];
        const int which = (int)(n % 3);
        int saved[2];
        ask(&words, &question);
        add_word(&words, "--db");
        add_word(&words, "crew.db");
        be_quiet(saved);
        run_crew_short(3, which, n, words.n, words.word, members);
        talk_again(saved);
        free_words(&words);
        went_through = members[which].status == STATUS_OK;
        for (int i = 0; i < 3; i++) {
            const enum status status = members[i].status;
            if (went_through ? status != STATUS_OK : status == STATUS_OK)
                fail_msg("allocation %d of process %d: process %d says %d", (int)n, which + 1,
                         i + 1, (int)status);
            if (!went_through && i != which && members[i].crew.first_failed != which)
                fail_msg("allocation %d of process %d: process %d takes process %d for failed",
                         (int)n, which + 1, i + 1, (int)members[i].crew.first_failed + 1);
        }
        failed += !went_through;
        unlink("crew.db");
        for (int i = 1; i <= 3; i++) {
            char path[32];
            snprintf(path, sizeof path, "crew.%d-of-3.db", i);
            unlink(path);
        }
    }
    assert_true(failed > 20);
    empty_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_processes_found_together_is_the_whole_search),
        cmocka_unit_test(processes_that_were_killed_go_on),
        cmocka_unit_test(one_process_that_fails_is_the_failure_of_all),
        cmocka_unit_test(a_process_without_memory_fails_all),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
