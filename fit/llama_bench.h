/* What llama-bench prints (-o json, jsonl, sql) as rows of a fit.
 *
 * A row a test. A test of a prompt gives prefill, one of generation decode at its
 * depth and half of what it generates; a test of both in one time cannot be split. Times are the
 * median of the samples where the file has them. Types follow the file type's name, with the type
 * that llama.cpp gives the head of such files (q6_k beside most). */
#ifndef LATHE_FIT_LLAMA_BENCH_H
#define LATHE_FIT_LLAMA_BENCH_H

#include "fit/bench_names.h"
#include "fit/fit_rows.h"

/* The array, or lines, as JSON, or SQL. A test that cannot be used costs a line in `notes`. Errors:
 * STATUS_INPUT (not such a file), STATUS_NOMEM. */
enum status fit_read_llama_bench(const char *path, const char *text, int64_t length,
                                 const struct fit_aliases *aliases, struct fit_rows *rows,
                                 struct text *notes, struct err *err);

#endif
