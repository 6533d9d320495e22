#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "runtime/pages.h"

#include <omp.h>
#include <stddef.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 1 << 21 };

static size_t padded(int64_t bytes)
{
    return ((size_t)bytes + 2 * (size_t)HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE;
}

/* Maps one huge page more than needed and gives back what lies around the aligned part. */
void *pages_new(int64_t bytes)
{
    size_t size = padded(bytes), whole = size + HUGE_PAGE;
    char *map = mmap(NULL, whole, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)map % HUGE_PAGE) % HUGE_PAGE;
    size_t after = whole - size - before;
    if (before)
        munmap(map, before);
    if (after)
        munmap(map + before + size, after);
#ifdef MADV_HUGEPAGE
    madvise(map + before, size, MADV_HUGEPAGE);
#endif
    return map + before;
}

void pages_free(void *memory, int64_t bytes)
{
    if (memory)
        munmap(memory, padded(bytes));
}

int pages_thread(void)
{
    return omp_get_thread_num();
}
