#include "quality/runs.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/model_arg.h"
#include "quality/runs_doubts.h"
#include "quality/shape_of.h"

/* Losses outside are of another quantity, whatever the network. */
static const double least_loss_nats = 0.7, most_loss_nats = 13;

enum column {
    D_MODEL,
    N_LAYERS,
    N_HEADS,
    N_KV_HEADS,
    HEAD_DIM,
    D_FF,
    VOCAB,
    RECIPE,
    TOKENS,
    N_NEEDED,
    CONFIG = N_NEEDED,
    LOSS,
    LOSS_NATS,
    ACCURACY,
    FFN,
    TIED,
    REPEATS,
    N_COLUMNS,
};

static const char *const column_names[N_COLUMNS] = {
    "d_model",      "n_layers", "n_heads",  "n_kv_heads",    "head_dim", "d_ff", "vocab", "recipe",
    "train_tokens", "config",   "val_loss", "val_loss_nats", "accuracy", "ffn",  "tied",  "repeats",
};

struct table {
    const struct csv *csv;
    const char *path, *name; /* name: without folders */
    int column[N_COLUMNS];   /* -1: none */
    struct runs_source source;
};

static const char *end_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* A column whose name says that it holds another quantity. */
static const char *column_like(const struct csv *csv, const char *const *words)
{
    for (int i = 0; i < csv_n_columns(csv); i++)
        for (const char *const *word = words; *word != NULL; word++)
            if (strstr(csv_column_name(csv, i), *word) != NULL)
                return csv_column_name(csv, i);
    return NULL;
}

static enum status find_loss(struct table *table, struct err *err)
{
    static const char *const of_bits[] = {"bits", "bpb", NULL};
    static const char *const of_accuracy[] = {"acc", "avg", NULL};
    const int *column = table->column;
    const char *bits = column_like(table->csv, of_bits);
    const char *accuracy = column_like(table->csv, of_accuracy);
    if (column[LOSS] >= 0 || column[LOSS_NATS] >= 0 ||
        (table->source.purpose == QUALITY_TO_FIT && column[ACCURACY] >= 0))
        return STATUS_OK;
    if (bits != NULL)
        return err_set(
            err, STATUS_INPUT,
            "%s: no column 'val_loss': '%s' is in bits; give nats a token (bits x 0.693)",
            table->name, bits);
    if (accuracy != NULL && table->source.purpose == QUALITY_TO_FIT)
        return err_set(err, STATUS_INPUT,
                       "%s: no column 'val_loss': '%s' are accuracies; call the mean of the "
                       "paper's eight tasks, in percent, 'accuracy'",
                       table->name, accuracy);
    if (accuracy != NULL)
        return err_set(err, STATUS_INPUT,
                       "%s: no column 'val_loss': '%s' are accuracies where losses are asked",
                       table->name, accuracy);
    if (table->source.purpose == QUALITY_TO_FIT)
        return err_set(err, STATUS_INPUT, "%s: no column 'val_loss'", table->name);
    if (table->source.notes != NULL)
        text_addf(table->source.notes, "%s: no column 'val_loss': predictions only\n", table->name);
    return STATUS_OK;
}

static enum status find_columns(struct table *table, struct err *err)
{
    struct text missing = {0};
    int n = 0;
    for (int i = 0; i < N_COLUMNS; i++)
        table->column[i] = csv_find_column(table->csv, column_names[i]);
    for (int i = 0; i < N_NEEDED; i++) {
        bool given = table->column[i] >= 0 || (i < RECIPE && table->column[CONFIG] >= 0);
        if (!given)
            text_addf(&missing, "%s'%s'", n++ > 0 ? ", " : "", column_names[i]);
    }
    enum status status = STATUS_OK;
    if (missing.failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    else if (n > 0)
        status = err_set(err, STATUS_INPUT, "%s: no column%s %s", table->name, n > 1 ? "s" : "",
                         missing.data);
    text_release(&missing);
    return status == STATUS_OK ? find_loss(table, err) : status;
}

static enum status number(const struct table *table, int row, enum column which, double min,
                          double max, double *out, struct err *err)
{
    *out = NAN;
    if (table->column[which] < 0)
        return STATUS_OK;
    return csv_number_or_nan(table->csv, row, table->column[which], min, max, out, err);
}

static enum status choice(const struct table *table, int row, enum column which, const char *yes,
                          const char *no, bool *out, struct err *err)
{
    if (table->column[which] < 0 || csv_is_empty(table->csv, row, table->column[which]))
        return STATUS_OK;
    const char *word = csv_text(table->csv, row, table->column[which]);
    if (strcmp(word, yes) != 0 && strcmp(word, no) != 0)
        return csv_error(table->csv, row, table->column[which], err,
                         "expected '%s' or '%s', got '%s'", yes, no, word);
    *out = strcmp(word, yes) == 0;
    return STATUS_OK;
}

/* A config.json beside the table, or a preset. */
static enum status read_config(const struct table *table, int row, struct quality_shape *shape,
                               struct err *err)
{
    const char *config = csv_text(table->csv, row, table->column[CONFIG]);
    char path[4096];
    struct transformer net;
    snprintf(path, sizeof path, "%.*s%s", (int)(table->name - table->path), table->path, config);
    enum status status = model_open(file_exists(path) ? path : config, &net, NULL, err);
    if (status == STATUS_OK) {
        status = quality_shape_of(&net, shape, err);
        transformer_release(&net);
    }
    if (status != STATUS_OK)
        err_prefix(err, status, "%s: line %d: config: ", table->name, csv_line(table->csv, row));
    return status;
}

/* What the level of this row's recipe stands for: three FFN matrices unless the law knows better. */
static bool usually_gated(const struct table *table, int row)
{
    const char *name = csv_text(table->csv, row, table->column[RECIPE]);
    int recipe = table->source.law == NULL ? QUALITY_NO_RECIPE
                                           : quality_find_recipe(table->source.law, name);
    return recipe < 0 || table->source.law->recipes[recipe].gated;
}

static enum status read_columns(const struct table *table, int row, struct quality_shape *s,
                                struct err *err)
{
    double *const into[] = {[D_MODEL] = &s->d_model, [N_LAYERS] = &s->n_layers,
                            [N_HEADS] = &s->n_heads, [N_KV_HEADS] = &s->n_kv_heads,
                            [HEAD_DIM] = &s->d_head, [D_FF] = &s->d_ff,
                            [VOCAB] = &s->vocab};
    s->repeats = 1;
    s->gated = usually_gated(table, row);
    for (int i = D_MODEL; i <= VOCAB; i++) {
        enum status status = number(table, row, (enum column)i, 1, 1e7, into[i], err);
        if (status == STATUS_OK && i <= N_LAYERS && isnan(*into[i]))
            status = csv_error(table->csv, row, table->column[i], err, "empty");
        if (status == STATUS_OK && *into[i] != floor(*into[i]) && !isnan(*into[i]))
            status = csv_error(table->csv, row, table->column[i], err, "%g is no whole number",
                               *into[i]);
        if (status != STATUS_OK)
            return status;
    }
    if (fmod(s->n_heads, s->n_kv_heads) > 0)
        return csv_error(table->csv, row, table->column[N_KV_HEADS], err,
                         "%g KV heads do not divide %g heads", s->n_kv_heads, s->n_heads);
    enum status status = choice(table, row, FFN, "gated", "plain", &s->gated, err);
    if (status != STATUS_OK)
        return status;
    if (isnan(s->d_head))
        s->d_head = isnan(s->n_heads) ? 64 : s->d_model / s->n_heads;
    if (isnan(s->n_heads))
        s->n_heads = s->d_model / s->d_head;
    if (isnan(s->n_kv_heads))
        s->n_kv_heads = s->n_heads;
    if (isnan(s->d_ff))
        s->d_ff = s->gated ? 256 * ceil(8 * s->d_model / 3 / 256 - 1e-9) : 4 * s->d_model;
    if (isnan(s->vocab))
        s->vocab = 0;
    return STATUS_OK;
}

static enum status read_shape(const struct table *table, int row, struct quality_shape *shape,
                              struct err *err)
{
    bool config =
        table->column[CONFIG] >= 0 && !csv_is_empty(table->csv, row, table->column[CONFIG]);
    double repeats;
    enum status status =
        config ? read_config(table, row, shape, err) : read_columns(table, row, shape, err);
    if (status == STATUS_OK)
        status = choice(table, row, TIED, "yes", "no", &shape->tied, err);
    if (status == STATUS_OK)
        status = number(table, row, REPEATS, 1, 64, &repeats, err);
    if (status == STATUS_OK && !isnan(repeats))
        shape->repeats = repeats;
    return status;
}

static enum status read_tokens(const struct table *table, int row, double *tokens, struct err *err)
{
    double value;
    int column = table->column[TOKENS];
    enum status status = csv_number(table->csv, row, column, 0, 1e18, &value, err);
    if (status == STATUS_OK && value < 1e6)
        return csv_error(table->csv, row, column, err, "%g: in billions? give tokens", value);
    if (status == STATUS_OK)
        *tokens = value;
    return status;
}

/* NaN with an error when it cannot be a loss in nats a token. */
static enum status read_loss(const struct table *table, int row, struct quality_run *run,
                             struct err *err)
{
    enum column which = table->column[LOSS_NATS] >= 0 ? LOSS_NATS : LOSS;
    double loss;
    enum status status = number(table, row, which, -1e12, 1e12, &loss, err);
    if (status != STATUS_OK || isnan(loss))
        return status;
    double guess = run->shape.vocab > 1 ? log(run->shape.vocab) : most_loss_nats;
    if (loss > guess)
        return csv_error(table->csv, row, table->column[which], err,
                         "%g is above %.3g, the loss of guessing: no loss in nats (an accuracy or "
                         "a perplexity?)",
                         loss, guess);
    if (loss < least_loss_nats)
        return csv_error(table->csv, row, table->column[which], err,
                         "%g is below any loss in nats a token (an accuracy, or bits a byte?)",
                         loss);
    run->loss = loss;
    return STATUS_OK;
}

/* A row that cannot be used is noted; `*keep` says whether it stays. */
static enum status read_row(struct table *table, int row, struct quality_run *run, bool *keep,
                            struct err *err)
{
    struct err problem = {""};
    *run = (struct quality_run){.tokens = NAN,
                                .loss = NAN,
                                .accuracy = NAN,
                                .line = csv_line(table->csv, row),
                                .in_nats = table->column[LOSS_NATS] >= 0};
    snprintf(run->file, sizeof run->file, "%.63s", table->name);
    snprintf(run->recipe, sizeof run->recipe, "%s",
             csv_text(table->csv, row, table->column[RECIPE]));
    double tokens = NAN;
    enum status status = STATUS_OK;
    if (csv_is_uneven(table->csv, row))
        status =
            csv_error(table->csv, row, -1, &problem, "another number of fields than the header");
    else if (run->recipe[0] == '\0')
        status = csv_error(table->csv, row, table->column[RECIPE], &problem, "empty");
    if (status == STATUS_OK)
        status = read_shape(table, row, &run->shape, &problem);
    if (status == STATUS_OK)
        status = read_tokens(table, row, &tokens, &problem);
    bool placed = status == STATUS_OK;
    if (status == STATUS_OK)
        status = read_loss(table, row, run, &problem);
    if (status == STATUS_OK)
        status = number(table, row, ACCURACY, 1, 100, &run->accuracy, &problem);
    if (status == STATUS_OK && table->source.purpose == QUALITY_TO_FIT && isnan(run->loss) &&
        isnan(run->accuracy))
        status = csv_error(table->csv, row, table->column[LOSS], &problem, "empty");
    if (status == STATUS_NOMEM)
        return err_set(err, status, "%s", problem.message);
    if (placed)
        run->tokens = tokens;
    if (status != STATUS_OK && table->source.notes != NULL)
        text_addf(table->source.notes, "%s\n", problem.message);
    *keep = status == STATUS_OK || table->source.purpose == QUALITY_TO_PREDICT;
    return STATUS_OK;
}

enum status quality_runs_add(struct quality_runs *runs, const struct quality_run *run,
                             struct err *err)
{
    enum status status =
        memory_grow((void **)&runs->items, &runs->capacity, runs->n + 1, sizeof *runs->items, err);
    if (status == STATUS_OK)
        runs->items[runs->n++] = *run;
    return status;
}

void quality_runs_release(struct quality_runs *runs)
{
    memory_free(runs->items);
    *runs = (struct quality_runs){0};
}

static size_t drop_refused(enum quality_purpose purpose, struct quality_runs *runs, size_t first)
{
    size_t kept = first, usable = 0;
    for (size_t i = first; i < runs->n; i++) {
        usable += isnan(runs->items[i].tokens) ? 0 : 1;
        if (purpose == QUALITY_TO_PREDICT || !isnan(runs->items[i].tokens))
            runs->items[kept++] = runs->items[i];
    }
    runs->n = kept;
    return usable;
}

static enum status read_rows(struct table *table, struct quality_runs *runs, struct err *err)
{
    enum status status = find_columns(table, err);
    for (int row = 0; row < csv_n_rows(table->csv) && status == STATUS_OK; row++) {
        struct quality_run run;
        bool keep = false;
        status = read_row(table, row, &run, &keep, err);
        if (status == STATUS_OK && keep)
            status = quality_runs_add(runs, &run, err);
    }
    return status;
}

static enum status read_file(const char *path, const struct runs_source *source,
                             struct quality_runs *runs, struct err *err)
{
    struct csv *csv = NULL;
    enum status status = csv_open_uneven(path, &csv, err);
    if (status != STATUS_OK)
        return status;
    struct table table = {.csv = csv, .path = path, .name = end_of(path), .source = *source};
    status = read_rows(&table, runs, err);
    csv_close(csv);
    return status;
}

/* What rows say together. `name`: of where they are from. */
static enum status check_rows(const struct runs_source *source, const char *name,
                              struct quality_runs *runs, size_t first, struct err *err)
{
    if (runs->n > first)
        runs_refuse_doubtful(source, runs->items + first, runs->n - first);
    size_t usable = drop_refused(source->purpose, runs, first);
    quality_runs_group(runs);
    if (usable == 0)
        return err_set(err, STATUS_INPUT, "%s: no run that can be used", name);
    return STATUS_OK;
}

enum status quality_runs_read(const char *const *paths, size_t n, enum quality_purpose purpose,
                              const struct quality_law *law, struct quality_runs *runs,
                              struct text *notes, struct err *err)
{
    const struct runs_source source = {.purpose = purpose, .law = law, .notes = notes};
    size_t first = runs->n;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = read_file(paths[i], &source, runs, err);
    if (status != STATUS_OK)
        return status;
    return check_rows(&source, n == 1 ? end_of(paths[0]) : "the tables", runs, first, err);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder that end in .csv, sorted; each is owned, as is the array. */
static enum status list_tables(const char *folder, char ***names, size_t *n, struct err *err)
{
    size_t capacity = 0;
    enum status status = STATUS_OK;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return err_errno(err, "cannot read folder '%s'", folder);
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(dir)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".csv") != 0)
            continue;
        status = memory_grow((void **)names, &capacity, *n + 1, sizeof **names, err);
        if (status == STATUS_OK && ((*names)[*n] = memory_strdup(entry->d_name)) == NULL)
            status = err_set(err, STATUS_NOMEM, "out of memory");
        else if (status == STATUS_OK)
            ++*n;
    }
    closedir(dir);
    memory_sort(*names, *n, sizeof **names, by_text);
    return status;
}

static enum status read_if_runs(const char *path, const struct runs_source *source,
                                struct quality_runs *runs, struct err *err)
{
    struct csv *csv = NULL;
    enum status status = csv_open(path, &csv, err);
    bool of_runs = status == STATUS_OK && csv_find_column(csv, "train_tokens") >= 0;
    csv_close(csv);
    return of_runs ? read_file(path, source, runs, err) : status;
}

enum status quality_runs_read_folder(const char *folder, struct quality_runs *runs,
                                     struct text *notes, struct err *err)
{
    const struct runs_source source = {.purpose = QUALITY_TO_FIT, .notes = notes};
    char **names = NULL;
    size_t n = 0, first = runs->n;
    enum status status = list_tables(folder, &names, &n, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        status = read_if_runs(path, &source, runs, err);
    }
    if (status == STATUS_OK && runs->n == first)
        status = err_set(err, STATUS_INPUT, "no table of runs in folder '%s'", folder);
    if (status == STATUS_OK)
        status = check_rows(&source, folder, runs, first, err);
    for (size_t i = 0; i < n; i++)
        memory_free(names[i]);
    memory_free(names);
    return status;
}

void quality_runs_group(struct quality_runs *runs)
{
    int n_groups = 0;
    for (size_t i = 0; i < runs->n; i++) {
        runs->items[i].group = -1;
        for (size_t j = 0; j < i && runs->items[i].group < 0; j++)
            if (quality_same_run(&runs->items[j], &runs->items[i]))
                runs->items[i].group = runs->items[j].group;
        if (runs->items[i].group < 0)
            runs->items[i].group = n_groups++;
    }
}
