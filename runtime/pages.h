/* Memory in large pages where the system has them, for arrays that are streamed through. */
#ifndef LATHE_RUNTIME_PAGES_H
#define LATHE_RUNTIME_PAGES_H

#include <stdint.h>

/* Zeroed, aligned to 2 MiB; the kernel is asked for huge pages. NULL: out of memory. bytes >= 0. */
void *pages_new(int64_t bytes);
void pages_free(void *memory, int64_t bytes); /* NULL allowed */

int pages_thread(void); /* number of this OpenMP thread in its team */

#endif
