/* Trained networks and their losses, as a CSV table gives them.
 *
 *   recipe          what losses may be compared in: tokeniser, data and schedule
 *   d_model n_layers n_heads n_kv_heads head_dim d_ff   the shape; or `config`, a config.json
 *   vocab           empty: not known
 *   train_tokens    tokens, not billions
 *   val_loss        nats a token (also val_loss_nats, which is taken at its word)
 * and, where a table has them: ffn ("gated", the default, or "plain"), tied ("yes", "no"), repeats,
 * accuracy (mean of the paper's tasks in percent, where there is no loss). Other columns are passed
 * over. Empty heads are d_model / 64 of 64; an empty d_ff is 256 ceil(8 d_model / 3 / 256), or
 * 4 d_model when plain. */
#ifndef LATHE_QUALITY_RUNS_H
#define LATHE_QUALITY_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "quality/law.h"

struct quality_run {
    char recipe[64];
    struct quality_shape shape;
    double tokens;   /* NaN: could not be read; the row only holds its place */
    double loss;     /* nats; NaN: none or not usable */
    double accuracy; /* percent; NaN: none */
    char file[64];   /* its name, for messages; "": not of a file */
    int line;        /* of the file */
    bool in_nats;    /* the column's name tells the unit of the loss */
    int group;       /* runs of one recipe and shape are checkpoints of one */
};

struct quality_runs {
    struct quality_run *items;
    size_t n, capacity;
};

/* What a table is read for. */
enum quality_purpose {
    QUALITY_TO_FIT, /* a row needs a loss or an accuracy; rows that cannot be used are left out */
    QUALITY_TO_PREDICT, /* every row stays, in order; its loss may be missing */
};

/* Appends the rows of n files, which are one table: rows of all are held against one another.
 * `notes`: a line for each row or kind of rows that is not used, with file and line. `law`: whose
 * recipes' vocabularies and levels rows are held against; NULL: none. Errors: those of csv_open;
 * STATUS_INPUT for a column that is missing or names another quantity, and when no row is left. */
enum status quality_runs_read(const char *const *paths, size_t n, enum quality_purpose purpose,
                              const struct quality_law *law, struct quality_runs *runs,
                              struct text *notes, struct err *err);

/* The *.csv tables of runs in a folder (those with a train_tokens column), by name. Errors: those of
 * quality_runs_read. */
enum status quality_runs_read_folder(const char *folder, struct quality_runs *runs,
                                     struct text *notes, struct err *err);

enum status quality_runs_add(struct quality_runs *runs, const struct quality_run *run,
                             struct err *err);
void quality_runs_release(struct quality_runs *runs);

/* Sets `group`. Call after rows were added. */
void quality_runs_group(struct quality_runs *runs);

#endif
