/* Heap memory whose failures can be tested.
 *
 * Every allocation of lathe comes through here. A test makes the n-th one fail with
 * memory_fail_after() and expects STATUS_NOMEM and no leak. */
#ifndef LATHE_BASE_MEMORY_H
#define LATHE_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* n elements of `size` bytes, zeroed; NULL when out of memory or when n * size overflows.
 * n == 0 gives a pointer that can be freed. */
void *memory_new(size_t n, size_t size);

/* Grows `*array` so that it holds at least `need` elements; doubles, so appending is amortised
 * O(1). New elements are zeroed. On failure `*array` and `*capacity` are unchanged. */
enum status memory_grow(void **array, size_t *capacity, size_t need, size_t size, struct err *err);

/* As memcpy and qsort, of n elements of `size` bytes; where n is 0 an array may be NULL, which those
 * do not allow. */
void memory_copy(void *to, const void *from, size_t n, size_t size);
void memory_sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *));

char *memory_strdup(const char *text); /* NULL when out of memory */

/* `bytes` rounded up to 64, aligned to 64 (a cache line, an AVX-512 register), not zeroed. */
void *memory_new_aligned(size_t bytes);

void memory_free(void *pointer); /* NULL allowed; for every pointer from this file */

/* Test hook: the n-th allocation from now on fails (1 = the next), and all after it; negative =
 * none fails. Thread-local, so that parallel tests do not meet. */
void memory_fail_after(int64_t n);

#endif
