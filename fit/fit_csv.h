/* A CSV table of timings as rows of a fit.
 *
 * Required columns: model, type and decode_tok_s or prefill_tok_s. Optional: head_type, kv_type,
 * prompt, depth (tokens in the cache when decode was timed), threads, load_s, source. Columns may also
 * give the shape of a model that has no file: n_layers, d_model, n_heads, n_kv_heads, d_head, d_ff,
 * vocab_size, tie_embeddings, ffn. n_heads and d_ff may list a number for every layer ("8 0 8"; 0
 * heads: no attention). */
#ifndef LATHE_FIT_FIT_CSV_H
#define LATHE_FIT_FIT_CSV_H

#include "base/csv.h"
#include "fit/bench_names.h"
#include "fit/fit_rows.h"

/* Appends the table's rows; one that cannot be used adds a line to `notes`. Errors: STATUS_INPUT
 * (not such a table), STATUS_NOMEM. */
enum status fit_read_csv(const char *path, const char *text, int64_t length,
                         const struct fit_aliases *aliases, struct fit_rows *rows,
                         struct text *notes, struct err *err);

/* One row of a CSV table that csv_open read; the caller picks which. False and a note when it
 * cannot be used. `*out` holds a network on true. */
bool fit_csv_row(const struct csv *csv, int row, const struct fit_aliases *aliases,
                 struct fit_row *out, struct text *notes);
/* Columns that must be there. Errors: STATUS_INPUT. */
enum status fit_csv_check(const struct csv *csv, struct err *err);

#endif
