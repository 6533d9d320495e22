#include "base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local int64_t allocations_left = -1;

static bool is_made_to_fail(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left > 0)
        allocations_left--;
    return allocations_left == 0;
}

void memory_fail_after(int64_t n)
{
    allocations_left = n == 0 ? 1 : n;
}

void *memory_new(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || is_made_to_fail())
        return NULL;
    return calloc(1, bytes > 0 ? bytes : 1);
}

enum status memory_grow(void **array, size_t *capacity, size_t need, size_t size, struct err *err)
{
    if (need <= *capacity)
        return STATUS_OK;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < need && wanted <= SIZE_MAX / 2)
        wanted *= 2;
    size_t bytes;
    void *grown = NULL;
    if (wanted >= need && !__builtin_mul_overflow(wanted, size, &bytes) && !is_made_to_fail())
        grown = realloc(*array, bytes > 0 ? bytes : 1);
    if (grown == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory: no room for %zu elements of %zu bytes",
                       need, size);
    memset((char *)grown + *capacity * size, 0, (wanted - *capacity) * size);
    *array = grown;
    *capacity = wanted;
    return STATUS_OK;
}

void memory_copy(void *to, const void *from, size_t n, size_t size)
{
    if (n > 0)
        memcpy(to, from, n * size);
}

void memory_sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n > 0)
        qsort(array, n, size, compare);
}

char *memory_strdup(const char *text)
{
    size_t length = strlen(text);
    char *copy = memory_new(length + 1, 1);
    if (copy != NULL)
        memcpy(copy, text, length + 1);
    return copy;
}

void *memory_new_aligned(size_t bytes)
{
    if (bytes > SIZE_MAX - 64 || is_made_to_fail())
        return NULL;
    void *pointer = NULL;
    size_t rounded = bytes == 0 ? 64 : (bytes + 63) / 64 * 64;
    return posix_memalign(&pointer, 64, rounded) == 0 ? pointer : NULL;
}

void memory_free(void *pointer)
{
    free(pointer);
}
