/* The tests in what llama-bench printed, whatever is around them.
 *
 * Forms, which may follow one another in one text: JSON arrays and objects, JSON lines, CSV, the
 * markdown table (the default) and SQL, of versions from 2023 to 2026. Lines that are none of these
 * are logs and are skipped. A test that is not whole (a file cut in the middle, a log line inside)
 * is counted and left out; reading goes on at the next. */
#ifndef LATHE_FIT_BENCH_TESTS_H
#define LATHE_FIT_BENCH_TESTS_H

#include "base/json.h"

struct bench_tests {
    const char *name; /* how errors call the text */
    /* Each test as an object with the keys of llama-bench's JSON; values of other forms are
     * strings. `number`: of the test in the text, from 1. */
    enum status (*use)(void *self, const struct json *test, int number, struct err *err);
    void *self;
    int n_tests;    /* out: whole ones */
    int n_left_out; /* out: begun and not whole */
};

/* Errors: STATUS_NOMEM, those of `use`. */
enum status bench_tests_read(struct bench_tests *tests, const char *text, struct err *err);

#endif
