/* The weight schedule: in which order the distinct blocks run, and which weights each run reads.
 *
 * A network stores `n_layers` distinct blocks and executes each `repeats` times (MobileLLM, section
 * 2.4 and Figure 6):
 *   none         0 1 2            repeats 1
 *   immediate    0 0 1 1 2 2      a block runs again at once: it can still be in SRAM
 *   repeat-all   0 1 2 0 1 2
 *   reverse      0 1 2 2 1 0      every second pass runs backwards
 *   by-block     0 1 1 2          immediate, but each block says how often (block.reruns)
 * With share_ffn every block keeps its own attention and all read the feed-forward weights of block
 * 0 (MobiLlama). Each execution has its own KV cache. */
#ifndef LATHE_MODEL_SCHEDULE_H
#define LATHE_MODEL_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum sharing {
    SHARING_NONE,
    SHARING_IMMEDIATE,
    SHARING_REPEAT_ALL,
    SHARING_REVERSE,
    SHARING_BY_BLOCK,
    N_SHARINGS,
};

const char *sharing_name(enum sharing sharing); /* "none" "immediate" ... "by-block" */
char sharing_letter(enum sharing sharing);      /* in a name: 'n' 'm' 'p' 'v' 'b' */
enum status sharing_parse(const char *name, enum sharing *out, struct err *err);

struct schedule {
    enum sharing sharing;
    int64_t n_layers; /* distinct blocks, >= 1 */
    int64_t repeats;  /* executions of each block; 1 exactly when sharing is none or by-block */
    bool share_ffn;   /* one feed-forward for all blocks; then n_layers counts attentions */
};

bool schedule_equal(const struct schedule *a, const struct schedule *b);
/* For schedules that say the repeats of each block themselves, all but by-block; networks of any kind:
 * transformer_executions, transformer_block_of. n_layers_effective */
int64_t schedule_executions(const struct schedule *schedule);
/* The block that execution i runs, i in 0 .. executions - 1. */
int64_t schedule_block(const struct schedule *schedule, int64_t i);

/* "none", "immediate x2", "immediate x2, shared ffn", ... Returns buffer; 48 bytes suffice. */
char *schedule_describe(const struct schedule *schedule, char *buffer, int size);

#endif
