/* Benchmark files as rows of a fit: what llama-bench prints (-o json, jsonl, sql) and CSV tables.
 *
 * llama-bench: a row a test. A test of a prompt gives prefill, one of generation decode at its
 * depth and half of what it generates; a test of both in one time cannot be split. Times are the
 * median of the samples where the file has them. Types follow the file type's name, with the type
 * that llama.cpp gives the head of such files (q6_k beside most).
 *
 * CSV: columns model, type and decode_tok_s; optional head_type, kv_type, prompt, depth, threads,
 * prefill_tok_s, load_s, source. depth: tokens in the cache when decode was timed. A model that has
 * no file may bring its shape: n_layers, d_model, n_heads, n_kv_heads, d_head, d_ff, vocab_size,
 * tie_embeddings, ffn; n_heads and d_ff may list a number for every layer ("8 0 8", 0 heads: no
 * attention). docs/accuracy.md shows both.
 *
 * A row that cannot be used costs a line in `notes` that says which and why; a file of which no row
 * can be read is an error. */
#ifndef LATHE_FIT_FIT_INPUT_H
#define LATHE_FIT_FIT_INPUT_H

#include "base/csv.h"
#include "fit/fit_device.h"

/* What a model is called in a benchmark file, and the MODEL it is. */
struct fit_alias {
    const char *name, *model;
};
struct fit_aliases {
    const struct fit_alias *items;
    size_t n;
};

/* Appends the file's rows. Errors: STATUS_IO, STATUS_INPUT (not such a file; no usable row),
 * STATUS_NOMEM. */
enum status fit_read(const char *path, const struct fit_aliases *aliases, struct fit_rows *rows,
                     struct text *notes, struct err *err);

/* One row of a CSV table that csv_open read; the caller picks which. False and a note when it
 * cannot be used. `*out` holds a network on true. */
bool fit_csv_row(const struct csv *csv, int row, const struct fit_aliases *aliases,
                 struct fit_row *out, struct text *notes);
/* Columns that must be there. Errors: STATUS_INPUT. */
enum status fit_csv_check(const struct csv *csv, struct err *err);

/* The array, or lines, of llama-bench, as JSON. */
enum status fit_read_llama_bench(const char *path, const char *text, int64_t length,
                                 const struct fit_aliases *aliases, struct fit_rows *rows,
                                 struct text *notes, struct err *err);

/* Types of a file type's name: "Q4_K - Medium", "Q4_K_M", "q8_0", "all F32". `head` is what
 * llama.cpp gives the head of such a file. Errors: STATUS_INPUT. */
enum status fit_file_type(const char *name, enum dtype *blocks, enum dtype *head, struct err *err);

/* The network that a benchmark calls `name`: an alias, a MODEL, or a preset by the name without
 * folder, ending and type. `has_types`: out, whether it is a file that says its own types. Errors:
 * STATUS_NOT_FOUND. */
enum status fit_model(const char *name, const struct fit_aliases *aliases, struct transformer *out,
                      bool *has_types, struct err *err);

#endif
