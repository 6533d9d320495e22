/* Benchmark files as rows of a fit: what llama-bench prints (llama_bench.h) and CSV tables
 * (fit_csv.h); docs/accuracy.md shows both.
 *
 * Rows that cannot be used add a line a kind to `notes` that says which and why. A file without any
 * usable row is an error. */
#ifndef LATHE_FIT_FIT_INPUT_H
#define LATHE_FIT_FIT_INPUT_H

#include "fit/bench_names.h"
#include "fit/fit_rows.h"

/* Appends the file's rows. Errors: STATUS_IO, STATUS_INPUT (not such a file; no usable row),
 * STATUS_NOMEM. */
enum status fit_read(const char *path, const struct fit_aliases *aliases, struct fit_rows *rows,
                     struct text *notes, struct err *err);

#endif
