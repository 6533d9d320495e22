/* A batch of tokens through all blocks. Matrices are split by rows, everything else by tokens
 * (attention by heads), with a meeting wherever the split changes. */
#ifndef LATHE_RUNTIME_PREFILL_H
#define LATHE_RUNTIME_PREFILL_H

#include "runtime/worker.h"

/* Called by every thread of the pass; the first token's place is runner->position, which stays.
 * tokens: [n], n <= max_batch. with_head: logits of the last. */
void prefill_pass(struct worker *worker, const int32_t *tokens, int64_t n, bool with_head);

#endif
