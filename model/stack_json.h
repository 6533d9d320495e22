/* Blocks and stacks as JSON: the keys of lathe's own files. */
#ifndef LATHE_MODEL_STACK_JSON_H
#define LATHE_MODEL_STACK_JSON_H

#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "model/stack.h"

/* {"mixer": "attention", "n_heads": 9, "n_kv_heads": 3, "d_head": 64, "window": 0, "d_ff": 1536};
 * heads and window only where there is attention, "repeats" only where it runs more than once by
 * itself (1 + reruns). */
void block_write(struct json_node *object, const struct block *block);
/* What is left out is 0, the mixer "attention", repeats 1. Errors: STATUS_INPUT, STATUS_RANGE, naming the
 * place. */
enum status block_read(const struct json *at, struct block *out, struct err *err);

/* A stack in one line, run by run: [{"n": 12, "mixer": ...}, {"n": 8, ...}], "n" being the blocks
 * of a run. memory_free; NULL: out of memory. */
char *stack_print(const struct stack *stack, int64_t n_layers);
/* Back from it; `out` is written, not released. `name` is how errors call the text. Errors:
 * STATUS_INPUT (the runs are not n_layers blocks, among others), STATUS_RANGE, STATUS_NOMEM. */
enum status stack_parse(const char *name, const char *text, int64_t n_layers, struct stack *out,
                        struct err *err);

#endif
