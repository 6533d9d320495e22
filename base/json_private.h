/* What reading and building JSON share. */
#ifndef LATHE_BASE_JSON_PRIVATE_H
#define LATHE_BASE_JSON_PRIVATE_H

/* Before the first call of cJSON: its allocations are ours (base/memory.h) from then on. */
void json_use_our_memory(void);

#endif
