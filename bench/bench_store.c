/* Rows stored per second, beside the sqlite3 shell's .import of the same rows from CSV.
 *
 *   bench_store [rows] [rounds] [batch]        (300000, 5, 5000)
 *
 * Both write a new file in the current directory each round, by turns. Ours goes through the public
 * functions: batches in transactions, WAL, closed at the end (the log is then in the file). The
 * shell is timed twice: into a table that .import makes (every column a text) and into a table with
 * our columns and types; both in one transaction without a log, as it does it. Prints medians. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/text.h"
#include "db/schema.h"
#include "db/store.h"

enum {
    MAX_ROUNDS = 99,
};

static const char our_file[] = "bench_store.db";
static const char their_file[] = "bench_import.db";
static const char csv_file[] = "bench_store.csv";
static const char sql_file[] = "bench_store.sql";

/* What a search would hand over: plausible magnitudes, times with all their digits. */
static void make_row(struct rng *rng, int64_t id, struct candidate_row *row)
{
    static const char *const sharings[] = {"none", "immediate", "repeat-all", "reverse"};
    row_clear(TABLE_CANDIDATE, row);
    row->run_id = 1;
    row->id = id;
    row->n_layers = rng_between(rng, 2, 64);
    row->repeats = rng_between(rng, 1, 4);
    row->n_layers_effective = row->n_layers * row->repeats;
    row->sharing = sharings[rng_between(rng, 0, 3)];
    row->share_ffn = 0;
    row->d_head = 64;
    row->n_heads = rng_between(rng, 4, 32);
    row->n_kv_heads = row->n_heads;
    row->d_model = row->n_heads * row->d_head;
    row->d_ff = rng_between(rng, 4, 24) * 256;
    row->vocab_size = 32000;
    row->tie_embeddings = rng_between(rng, 0, 1);
    row->ffn_kind = "swiglu";
    row->dtype = row->head_dtype = "q8_0";
    row->kv_dtype = "f16";
    row->params = rng_between(rng, 122500000, 127500000);
    row->params_embedding = row->vocab_size * row->d_model;
    row->params_blocks = row->params - row->params_embedding;
    row->weight_bytes = row->params * 34 / 32;
    row->kv_bytes_per_token = row->n_layers_effective * row->n_kv_heads * row->d_head * 4;
    row->price.load_ns = rng_uniform(rng) * 1e8;
    row->price.init_ns = rng_uniform(rng) * 1e9;
    row->price.prefill_ns = rng_uniform(rng) * 1e9;
    row->price.ttft_cold_ns = row->price.load_ns + row->price.init_ns + row->price.prefill_ns;
    row->price.decode_ns = rng_uniform(rng) * 1e8;
    row->price.decode_ns_low = 0.95 * row->price.decode_ns;
    row->price.decode_ns_high = 1.06 * row->price.decode_ns;
    row->price.decode_tok_s = 1e9 / row->price.decode_ns;
    row->price.energy_pj_per_token = rng_uniform(rng) * 1e10;
    row->price.peak_bytes = row->weight_bytes + 1000 * row->kv_bytes_per_token;
    row->price.fits_app_share = 1;
    row->flop_per_token = 2 * row->params;
    row->on_front = 0;
}

static void write_csv(const struct candidate_row *rows, size_t n)
{
    FILE *file = fopen(csv_file, "w");
    if (file == NULL) {
        perror(csv_file);
        exit(1);
    }
    for (EACH_COLUMN(column, TABLE_CANDIDATE))
        fprintf(file, "%s,", column->name);
    fprintf(file, "key\n");
    for (size_t r = 0; r < n; r++) {
        for (EACH_COLUMN(column, TABLE_CANDIDATE)) {
            if (column->type == FIELD_INT)
                fprintf(file, "%lld,", (long long)field_int(column, &rows[r]));
            else if (column->type == FIELD_REAL)
                fprintf(file, "%.15g,", field_real(column, &rows[r]));
            else
                fprintf(file, "%s,", field_text(column, &rows[r]));
        }
        fprintf(file, "%lld\n", (long long)(rows[r].run_id << KEY_BITS | rows[r].id));
    }
    if (fclose(file) != 0) {
        perror(csv_file);
        exit(1);
    }
}

static void remove_file(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static double store_ns(struct candidate_row *rows, size_t n, size_t batch)
{
    struct err err;
    struct store *store = NULL;
    struct run_row run;
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    remove_file(our_file);
    const int64_t begin = clock_ns();
    enum status status = store_open(our_file, STORE_WRITE, &store, &err);
    if (status == STATUS_OK)
        status = store_begin_run(store, &run, &err);
    for (size_t at = 0; at < n && status == STATUS_OK; at += batch) {
        const size_t now = n - at < batch ? n - at : batch;
        status = store_put_candidates(store, run.id, rows + at, now, (int64_t)(at + now), &err);
    }
    if (status == STATUS_OK)
        status = store_finish_run(store, run.id, &err);
    store_close(store);
    if (status != STATUS_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return (double)(clock_ns() - begin);
}

/* `typed`: into our columns and types; otherwise .import makes the table. */
static double import_ns(bool typed)
{
    FILE *script = fopen(sql_file, "w");
    if (script == NULL) {
        perror(sql_file);
        exit(1);
    }
    struct text sql = {0};
    if (typed)
        schema_table_sql(TABLE_CANDIDATE, &sql);
    fprintf(script, "%s.mode csv\n.import %s%s candidate\n", typed ? sql.data : "",
            typed ? "--skip 1 " : "", csv_file);
    text_release(&sql);
    fclose(script);
    remove_file(their_file);
    char command[128];
    snprintf(command, sizeof command, "sqlite3 -batch %s < %s", their_file, sql_file);
    const int64_t begin = clock_ns();
    if (system(command) != 0) {
        fprintf(stderr, "%s failed\n", command);
        exit(1);
    }
    return (double)(clock_ns() - begin);
}

static double median_rate(double *ns, int rounds, size_t n)
{
    return (double)n / stats_median(ns, (size_t)rounds) * 1e9;
}

int main(int argc, char **argv)
{
    const size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000;
    const int rounds = argc > 2 ? atoi(argv[2]) : 5;
    const size_t batch = argc > 3 ? strtoul(argv[3], NULL, 10) : 5000;
    if (n == 0 || batch == 0 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench_store [rows] [rounds, 1..%d] [batch]\n", MAX_ROUNDS);
        return 2;
    }
    const bool has_shell = system("sqlite3 --version >/dev/null 2>&1") == 0;
    struct candidate_row *rows = memory_new(n, sizeof *rows);
    if (rows == NULL) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t i = 0; i < n; i++)
        make_row(&rng, (int64_t)i, &rows[i]);
    if (has_shell)
        write_csv(rows, n);
    double ours[MAX_ROUNDS], plain[MAX_ROUNDS], typed[MAX_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        ours[i] = store_ns(rows, n, batch);
        if (has_shell) {
            plain[i] = import_ns(false);
            typed[i] = import_ns(true);
        }
    }
    const double rate = median_rate(ours, rounds, n);
    struct stat file;
    if (stat(our_file, &file) != 0)
        return 1;
    printf("%zu rows of %d columns, batches of %zu, medians of %d rounds\n", n,
           tables[TABLE_CANDIDATE].fields->n, batch, rounds);
    printf("lathe store             %9.0f rows/s  (%.0f bytes a row in the file)\n", rate,
           (double)file.st_size / (double)n);
    if (has_shell) {
        const double plain_rate = median_rate(plain, rounds, n);
        const double typed_rate = median_rate(typed, rounds, n);
        printf("sqlite3 .import         %9.0f rows/s  ratio %.2f\n", plain_rate, rate / plain_rate);
        printf("sqlite3 .import, typed  %9.0f rows/s  ratio %.2f\n", typed_rate, rate / typed_rate);
    } else {
        printf("sqlite3 .import         not measured: there is no sqlite3 shell in PATH\n");
    }
    remove_file(our_file);
    remove_file(their_file);
    unlink(csv_file);
    unlink(sql_file);
    memory_free(rows);
    return 0;
}
