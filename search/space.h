/* The design space: which architectures a search visits.
 *
 * Axes come from a JSON file (docs/spaces.md has every key) or from the built-in default, which
 * holds the MobileLLM family and its surroundings. Values are numbers or rules (n_kv_heads: every
 * divisor; d_ff: a ratio or the 256-multiple rule of Llama), turned here into sorted lists without
 * duplicates. The depth is solved for from the parameter budget, not scanned, so nothing outside
 * the budget is ever visited. */
#ifndef LATHE_SEARCH_SPACE_H
#define LATHE_SEARCH_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"
#include "model/transformer.h"
#include "search/axis.h"
#include "search/space_layers.h"
#include "search/space_scaling.h"

enum {
    MAX_SCHEDULES = 16,
    MAX_FF_RATIOS = 16,
    SPACE_MAX_LAYERS = 4096,
};

struct space {
    struct axis d_model;
    struct axis d_head;
    struct axis n_heads; /* n == 0: the one with n_heads * d_head == d_model, where it divides */
    struct layer_axis n_kv_heads; /* ratios: of n_heads; without any value: every divisor */
    struct axis d_ff;             /* fixed values, besides the rules below */
    bool d_ff_rule_256;           /* the multiple of 256 at or above 8/3 d_model */
    int n_ff_ratios;
    double ff_ratio[MAX_FF_RATIOS]; /* round(ratio * d_model) up to a multiple of d_ff_multiple */
    int64_t d_ff_multiple;          /* >= 1 */
    int64_t min_layers, max_layers;
    int n_schedules;
    struct schedule
        schedule[MAX_SCHEDULES]; /* distinct, in the file's order; n_layers is solved for */
    struct axis tie_embeddings;  /* 0, 1 */
    struct axis vocab_size;
    int n_dtypes;
    enum dtype dtype[N_WEIGHT_TYPES]; /* of blocks, table and head, or a file's */
    int n_kv_dtypes;
    enum dtype kv_dtype[N_DTYPES];
    enum ffn_kind ffn;
    int64_t max_context;
    struct space_layers layers; /* where blocks of a stack may differ */
    struct space_scaling
        scaling; /* where they do by their depth: says what n_heads, n_kv_heads and d_ff say else */
};

/* Blocks of a stack may differ: its stacks are visited frame by frame (search/space_frames.h). */
static inline bool space_has_stacks(const struct space *space)
{
    return space->layers.is_given || space->scaling.is_given;
}

/* The built-in space, f16. */
void space_default(struct space *out);
/* Stacks of up to 32 blocks of width 576, about 125 M parameters: attention to all, to 256 tokens or
 * none, 1, 3 or 9 KV heads, d_ff 512 to 2560; 57 layers to choose from in each of 32 places. */
void space_default_layers(struct space *out);
/* What the file leaves out is as in the default. Errors: STATUS_INPUT, naming file, path and, for
 * an unknown axis, the nearest. */
enum status space_open(const char *path, struct space *out, struct err *err);
enum status space_parse(const struct json *root, struct space *out, struct err *err);
/* The space as JSON that space_parse reads back to the same space, for the store; memory_free. */
char *space_print(const struct space *space);

/* Some of its weights are of types of files, which differ by layer. */
bool space_has_files(const struct space *space);

/* The values of n_kv_heads for so many heads, all of which divide them. */
void space_n_kv_heads(const struct space *space, int64_t n_heads, struct axis *out);
/* The values of d_ff for a d_model: fixed ones and rules, ascending and distinct. */
void space_d_ff(const struct space *space, int64_t d_model, struct axis *out);

#endif
