/* A stack in one short line of runs, for people: "12F3/1536 8W1/768 N/2048" is twelve blocks with
 * full attention, 3 KV heads and d_ff 1536, eight with a window, 1 KV head and d_ff 768, and one
 * without attention.
 *
 *   [blocks] F | W | N  [heads x] kv heads [@ window] / d_ff [x repeats]
 *
 * Heads and window stand there where they are not the usual ones, repeats where a block says itself
 * that it runs more than once. */
#ifndef LATHE_MODEL_STACK_RUNS_H
#define LATHE_MODEL_STACK_RUNS_H

#include <stdint.h>

#include "base/status.h"
#include "model/stack.h"

/* The usual heads, width of a head and window; only the width is the same for all blocks. */
struct stack_usual {
    int64_t n_heads, d_head, window;
};
/* Those of the first block that has them; 0: none has. */
struct stack_usual stack_usual(const struct stack *stack, int64_t n_layers);

/* memory_free; NULL: out of memory. Blocks are of attention or of none. */
char *stack_runs_print(const struct stack *stack, int64_t n_layers,
                       const struct stack_usual *usual);
/* Back from it; `out` is written, not released. Errors: STATUS_INPUT, with the run; STATUS_NOMEM. */
enum status stack_runs_parse(const char *text, const struct stack_usual *usual, struct stack *out,
                             int64_t *n_layers, struct err *err);

#endif
