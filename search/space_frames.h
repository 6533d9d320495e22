/* The stacks of a space whose layers differ, one frame after another: a frame is what all blocks of
 * a stack have in common, with the blocks that a place may have. */
#ifndef LATHE_SEARCH_SPACE_FRAMES_H
#define LATHE_SEARCH_SPACE_FRAMES_H

#include <stdbool.h>

#include "base/status.h"
#include "model/transformer.h"
#include "search/space.h"

struct space_frame {
    struct transformer
        net; /* schedule.n_layers: the places; its stack counts with a sequence only */
    const struct block *classes; /* [n_classes], distinct */
    int n_classes;
    bool may_be_empty;
    const int *sequence; /* [places] the class of each, of the one stack that `net` has; NULL: any
                            class may be in any place */
};
/* A status other than STATUS_OK ends the walk and is its result. */
typedef enum status space_frame_callback(const struct space_frame *frame, void *user,
                                         struct err *err);

/* Outer to inner: dtype, kv_dtype, vocab_size, d_model, d_head, what layers do not list of n_heads,
 * n_kv_heads and d_ff, tie_embeddings, sharing, n_layers. Where places may be empty there is one
 * depth, the largest: fewer blocks are stacks with empty places. Frames without any block that fits
 * are left out. Where a space is scaled, a frame is one stack: search/scaled_frames.h. Errors: the callback's, STATUS_RANGE (an impossible shape), STATUS_NOMEM. */
enum status space_each_frame(const struct space *space, space_frame_callback *callback, void *user,
                             struct err *err);

#endif
