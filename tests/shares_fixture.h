/* Searches by the command line in a folder of their own, and what must come out of them. */
#ifndef LATHE_TESTS_SHARES_FIXTURE_H
#define LATHE_TESTS_SHARES_FIXTURE_H

#include "tests/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>

#include "cli/command_line.h"

#ifndef LATHE_FEWER
#define LATHE_FEWER 1
#endif

/* Of parts, or of processes. */
static const int64_t shared_by[] = {1, 2, 4, 7};
enum { N_NUMBERS = 4, N_SPACES = LATHE_FEWER > 1 ? 3 : 9 };

/* ---- a folder of its own, without talk ---- */

static char folder[TEMPORARY_MOST], home[4096];

static inline int enter_folder(void **state)
{
    (void)state;
    /* In memory where that can be: hundreds of stores would wait for a disk to sync. */
    const bool in_memory = access("/dev/shm", W_OK) == 0;
    if ((in_memory ? temporary_make_in("/dev/shm", folder) : temporary_make(folder)) != 0)
        return -1;
    return getcwd(home, sizeof home) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static inline void empty_folder(void)
{
    DIR *entries = opendir(".");
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            unlink(entry->d_name);
    closedir(entries);
}

static inline int leave_folder(void **state)
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

static inline void add_word(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void add_word(struct words *words, const char *format, ...)
{
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    assert_true(words->n < MOST_WORDS);
    words->word[words->n++] = strdup(text);
}

static inline void free_words(struct words *words)
{
    while (words->n > 0)
        free(words->word[--words->n]);
}

/* Both streams into a file, until it is called with the numbers that it gave. */
static inline void be_quiet(int saved[2])
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

static inline void talk_again(const int saved[2])
{
    for (int i = 0; i < 2; i++) {
        FILE *stream = i == 0 ? stdout : stderr;
        fflush(stream);
        assert_true(dup2(saved[i], fileno(stream)) >= 0);
        close(saved[i]);
    }
}

static inline void lathe(struct words *words)
{
    int saved[2];
    be_quiet(saved);
    const int status = run_command_line(words->n, words->word);
    talk_again(saved);
    if (status != 0)
        fail_msg("%s %s ...: exit status %d", words->word[0], words->word[1], status);
    free_words(words);
}

/* ---- what is searched ---- */

static inline void write_axis(FILE *file, struct rng *rng, const char *name, int64_t step,
                              int64_t most)
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

static inline void write_space(struct rng *rng)
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

static inline struct question draw_question(struct rng *rng, int round)
{
    static const char *const keep[] = {"all", "front", "top:37"};
    static const char *const where[] = {NULL, "n_layers>3", "sharing=none, decode_us<200",
                                        "decode_ms<0.00001"};
    static const char *const minimize[] = {NULL, "decode_ns,params_blocks",
                                           "loss_delta_nats,peak_bytes,decode_ns", "n_layers"};
    return (struct question){keep[round % 3], where[rng_between(rng, 0, 3)],
                             minimize[rng_between(rng, 0, 3)]};
}

static inline void ask(struct words *words, const struct question *question)
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

static inline void search_alone(const struct question *question, int64_t shard, int64_t n)
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

static inline void read_all(const char *path, const char *where, struct rows *candidates,
                            struct rows *runs)
{
    struct store *store = fixture_open(path, STORE_READ);
    must(query_rows(store, TABLE_CANDIDATE, where, "key", candidates, &must_err));
    must(query_rows(store, TABLE_RUN, NULL, NULL, runs, &must_err));
    store_close(store);
}

/* where: which rows of one.db `path` has. */
static inline void assert_same_search(const char *path, const char *where, bool same_run)
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

static inline void merge(const char *format, int64_t n)
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

#endif
