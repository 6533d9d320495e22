/* Sets of numbers as ranges: which ids of a search are done.
 *
 * Start with `= {0}`; release with ranges_release. */
#ifndef LATHE_BASE_RANGES_H
#define LATHE_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct range {
    int64_t first, end; /* first .. end - 1, never empty */
};

struct ranges {
    size_t n, capacity;
    struct range *range; /* ascending, a gap between any two; owned */
};

void ranges_release(struct ranges *ranges);

/* Adds first .. end - 1. Errors: STATUS_NOMEM, the set unchanged. */
enum status ranges_add(struct ranges *ranges, int64_t first, int64_t end, struct err *err);
/* The first range that shares a number with first .. end - 1; NULL: none. */
const struct range *ranges_meet(const struct ranges *ranges, int64_t first, int64_t end);
/* The first numbers of 0 .. total - 1 that are not in it; false: all are. */
bool ranges_first_gap(const struct ranges *ranges, int64_t total, struct range *gap);

/* "[[0,4096],[8192,12288]]", each with its end; free with memory_free. NULL: out of memory. */
char *ranges_print(const struct ranges *ranges);
/* Adds what ranges_print wrote. `name` is how errors call the text. Errors: STATUS_INPUT,
 * STATUS_NOMEM. */
enum status ranges_parse(struct ranges *ranges, const char *name, const char *text,
                         struct err *err);

#endif
