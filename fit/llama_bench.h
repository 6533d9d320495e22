/* What llama-bench prints (-o md, csv, json, jsonl, sql) as rows of a fit.
 *
 * Each test is a row. A test of a prompt gives prefill. A test of generation gives decode, at a
 * context of its depth plus half of what it generates. A test that times both together cannot be
 * used. Times are the median of the samples where the file has them. Types follow the file type's
 * name, and the head has the type that llama.cpp gives it in such files (q6_k in most). */
#ifndef LATHE_FIT_LLAMA_BENCH_H
#define LATHE_FIT_LLAMA_BENCH_H

#include "fit/bench_names.h"
#include "fit/fit_rows.h"

/* Text: of the forms of bench_tests.h. What cannot be used adds a line a kind to `notes`, tests that
 * are not whole one line together. `is_bench`: out, false when the text holds no such test, whole or
 * not. Errors: STATUS_NOMEM. */
enum status fit_read_llama_bench(const char *path, const char *text,
                                 const struct fit_aliases *aliases, struct fit_rows *rows,
                                 struct text *notes, bool *is_bench, struct err *err);

#endif
