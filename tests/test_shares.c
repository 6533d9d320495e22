/* A search shared out in parts, or among processes, is the search that one process does: row for row. */
#include "store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "base/memory.h"
#include "base/ranges.h"
#include "base/text.h"
#include "cli/command_line.h"
#include "search/share.h"
#include "tests/thread_crew.h"

#ifndef LATHE_FEWER
#define LATHE_FEWER 1
#endif

static const int64_t numbers[] = {1, 2, 4, 7};
enum { N_NUMBERS = 4, N_SPACES = LATHE_FEWER > 1 ? 3 : 9 };

/* ---- a folder of its own, without talk ---- */

static char folder[64], home[4096];

static int enter_folder(void **state)
{
    (void)state;
    /* In memory where that can be: hundreds of stores would wait for a disk to sync. */
    snprintf(folder, sizeof folder, "%s/lathe-shares-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(folder) != NULL && getcwd(home, sizeof home) != NULL && chdir(folder) == 0 ? 0
                                                                                              : -1;
}

static void empty_folder(void)
{
    DIR *entries = opendir(".");
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            unlink(entry->d_name);
    closedir(entries);
}

static int leave_folder(void **state)
{
    (void)state;
    empty_folder();
    return chdir(home) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

enum { MOST_WORDS = 64 };
struct words {
    int n;
    char *word[MOST_WORDS];
};

static void add_word(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_word(struct words *words, const char *format, ...)
{
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    assert_true(words->n < MOST_WORDS);
    words->word[words->n++] = strdup(text);
}

static void free_words(struct words *words)
{
    while (words->n > 0)
        free(words->word[--words->n]);
}

/* Both streams into a file, until it is called with the numbers that it gave. */
static void be_quiet(int saved[2])
{
    for (int i = 0; i < 2; i++) {
        FILE *stream = i == 0 ? stdout : stderr;
        fflush(stream);
        saved[i] = dup(fileno(stream));
        int file = open("talk", O_WRONLY | O_CREAT | O_APPEND, 0600);
        assert_true(dup2(file, fileno(stream)) >= 0);
        close(file);
    }
}

static void talk_again(const int saved[2])
{
    for (int i = 0; i < 2; i++) {
        FILE *stream = i == 0 ? stdout : stderr;
        fflush(stream);
        assert_true(dup2(saved[i], fileno(stream)) >= 0);
        close(saved[i]);
    }
}

static void lathe(struct words *words)
{
    int saved[2];
    be_quiet(saved);
    const int status = run_command_line(words->n, words->word);
    talk_again(saved);
    if (status != 0)
        fail_msg("%s %s ...: exit status %d", words->word[0], words->word[1], status);
    free_words(words);
}

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

/* ---- what is searched ---- */

static void write_axis(FILE *file, struct rng *rng, const char *name, int64_t step, int64_t most)
{
    const char *between = "";
    fprintf(file, "\"%s\": [", name);
    for (int64_t value = step; value <= most; value += step)
        if (rng_between(rng, 0, 2) == 0 || value + step > most) {
            fprintf(file, "%s%lld", between, (long long)value);
            between = ", ";
        }
    fprintf(file, "], ");
}

static void write_space(struct rng *rng)
{
    FILE *file = fopen("space.json", "w");
    assert_non_null(file);
    fprintf(file, "{");
    write_axis(file, rng, "d_model", 64, 384);
    write_axis(file, rng, "d_ff", 128, 1024);
    write_axis(file, rng, "n_kv_heads", 1, 3);
    write_axis(file, rng, "vocab_size", 1000, 2000);
    fprintf(file,
            "\"d_head\": [32, 64], \"tie_embeddings\": [true, false], \"dtype\": [\"q8_0\"%s]}",
            rng_between(rng, 0, 1) ? ", \"q4_0\"" : "");
    fclose(file);
}

struct question {
    const char *keep, *where, *minimize;
};

static struct question draw_question(struct rng *rng, int round)
{
    static const char *const keep[] = {"all", "front", "top:37"};
    static const char *const where[] = {NULL, "n_layers>3", "sharing=none, decode_us<200",
                                        "decode_ms<0.00001"};
    static const char *const minimize[] = {NULL, "decode_ns,params_blocks",
                                           "loss_delta_nats,peak_bytes,decode_ns", "n_layers"};
    return (struct question){keep[round % 3], where[rng_between(rng, 0, 3)],
                             minimize[rng_between(rng, 0, 3)]};
}

static void ask(struct words *words, const struct question *question)
{
    static const char *const fixed[] = {"--budget",  "2M..8M",  "--device",
                                        "iphone-13", "--space", "space.json"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        add_word(words, "%s", fixed[i]);
    add_word(words, "--keep");
    add_word(words, "%s", question->keep);
    if (question->where != NULL) {
        add_word(words, "--where");
        add_word(words, "%s", question->where);
    }
    if (question->minimize != NULL) {
        add_word(words, "--minimize");
        add_word(words, "%s", question->minimize);
    }
}

static void search_alone(const struct question *question, int64_t shard, int64_t n)
{
    struct words words = {0};
    add_word(&words, "search");
    ask(&words, question);
    add_word(&words, "--db");
    if (n == 0) {
        add_word(&words, "one.db");
    } else {
        add_word(&words, "%d.db", (int)shard);
        add_word(&words, "--shard");
        add_word(&words, "%d/%d", (int)shard, (int)n);
    }
    lathe(&words);
}

/* ---- what must come out ---- */

static void read_all(const char *path, const char *where, struct rows *candidates,
                     struct rows *runs)
{
    struct store *store = fixture_open(path, STORE_READ);
    must(query_rows(store, TABLE_CANDIDATE, where, "key", candidates, &must_err));
    must(query_rows(store, TABLE_RUN, NULL, NULL, runs, &must_err));
    store_close(store);
}

/* where: which rows of one.db `path` has. */
static void assert_same_search(const char *path, const char *where, bool same_run)
{
    struct rows want = {0}, got = {0}, want_runs = {0}, got_runs = {0};
    read_all("one.db", where, &want, &want_runs);
    read_all(path, NULL, &got, &got_runs);
    assert_int_equal(got.n, want.n);
    for (size_t i = 0; i < got.n; i++)
        assert_same_row(TABLE_CANDIDATE, (const struct candidate_row *)want.data + i,
                        (const struct candidate_row *)got.data + i);
    assert_int_equal(got_runs.n, 1);
    struct run_row run = *(const struct run_row *)got_runs.data;
    const struct run_row *one = want_runs.data;
    run.command = one->command;
    run.started_at = one->started_at;
    run.ended_at = one->ended_at;
    if (!same_run) {
        run.keep = one->keep;
        run.n_candidates = one->n_candidates;
    }
    assert_same_row(TABLE_RUN, one, &run);
    rows_release(&want);
    rows_release(&got);
    rows_release(&want_runs);
    rows_release(&got_runs);
}

static void merge(const char *format, int64_t n)
{
    struct words words = {0};
    add_word(&words, "merge");
    add_word(&words, "merged.db");
    for (int64_t i = n; i >= 1; i--) { /* in any order */
        char path[64];
        snprintf(path, sizeof path, format, (int)i, (int)n);
        add_word(&words, "%s", path);
    }
    lathe(&words);
    assert_same_search("merged.db", NULL, true);
    unlink("merged.db");
}

static void merged_parts_are_the_whole_search(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    for (int round = 0; round < N_SPACES; round++) {
        const struct question question = draw_question(&rng, round);
        write_space(&rng);
        search_alone(&question, 0, 0);
        for (int i = 0; i < N_NUMBERS; i++) {
            for (int64_t shard = 1; shard <= numbers[i]; shard++)
                search_alone(&question, shard, numbers[i]);
            merge("%d.db", numbers[i]);
            for (int64_t shard = 1; shard <= numbers[i]; shard++) {
                char path[64];
                snprintf(path, sizeof path, "%d.db", (int)shard);
                unlink(path);
            }
        }
        empty_folder();
    }
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
            search_by_crew(&question, numbers[i]);
            if (strncmp(question.keep, "top", 3) != 0)
                assert_same_search("crew.db", "on_front = 1", strcmp(question.keep, "front") == 0);
            merge("crew.%d-of-%d.db", numbers[i]);
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
        const int64_t n = numbers[round % N_NUMBERS];
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

/* ---- how it is shared out ---- */

static void shards_have_every_shape_once_and_are_balanced(void **state)
{
    (void)state;
    static const int64_t n_shards[] = {1, 2, 3, 7, 64, 5000};
    struct space space;
    struct enumeration whole;
    const struct budget budget = {100000000, 140000000, 120000000};
    space_default(&space);
    must(enumeration_start(&space, &budget, &whole, &must_err));
    for (size_t k = 0; k < sizeof n_shards / sizeof *n_shards; k++) {
        unsigned char *seen = memory_new(whole.n_shapes, 1);
        int64_t least = INT64_MAX, most = 0, total = 0;
        for (int64_t shard = 1; shard <= n_shards[k]; shard++) {
            struct enumeration part;
            size_t at = 0;
            int64_t row = 0;
            must(enumeration_shard(&whole, shard, n_shards[k], &part, &must_err));
            for (size_t s = 0; s < part.n_shapes; s++) {
                while (whole.shapes[at].first_id != part.shapes[s].first_id)
                    at++; /* in order */
                assert_int_equal(seen[at]++, 0);
                assert_int_equal(part.shapes[s].first_row, row);
                row += part.shapes[s].count;
            }
            assert_int_equal(row, part.count);
            least = part.count < least ? part.count : least;
            most = part.count > most ? part.count : most;
            total += part.count;
            enumeration_end(&part);
        }
        assert_int_equal(total, whole.count);
        assert_true(most - least <= whole.count / 4096 + 1 + 600); /* a chunk */
        memory_free(seen);
    }
    enumeration_end(&whole);
}

static void no_memory_for_a_part_is_an_error(void **state)
{
    (void)state;
    struct space space;
    struct enumeration whole, part;
    const struct budget budget = {120000000, 130000000, 125000000};
    space_default(&space);
    must(enumeration_start(&space, &budget, &whole, &must_err));
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n++) {
        memory_fail_after(n);
        status = enumeration_shard(&whole, 1, 2, &part, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
    }
    enumeration_end(&part);
    enumeration_end(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_have_every_shape_once_and_are_balanced),
        cmocka_unit_test(no_memory_for_a_part_is_an_error),
        cmocka_unit_test(merged_parts_are_the_whole_search),
        cmocka_unit_test(what_processes_found_together_is_the_whole_search),
        cmocka_unit_test(processes_that_were_killed_go_on),
        cmocka_unit_test(one_process_that_fails_is_the_failure_of_all),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
