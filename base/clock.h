/* Wall time. */
#ifndef LATHE_BASE_CLOCK_H
#define LATHE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_ns(void); /* monotonic; only differences mean anything */

/* "2026-11-22T05:04:33Z", UTC. `size` >= 21. Returns `buffer`. */
char *clock_now_iso(char *buffer, size_t size);

#endif
