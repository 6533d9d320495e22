/* One token through all blocks. */
#ifndef LATHE_RUNTIME_DECODE_H
#define LATHE_RUNTIME_DECODE_H

#include "runtime/worker.h"

/* Called by every thread of the pass; the token's place is runner->position, which stays. */
void decode_pass(struct worker *worker, int32_t token);

#endif
