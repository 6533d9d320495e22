/* The stacks of a space that is scaled layer by layer, as frames with one block for each place. */
#ifndef LATHE_SEARCH_SCALED_FRAMES_H
#define LATHE_SEARCH_SCALED_FRAMES_H

#include "search/space_frames.h"

/* Those of a width and d_head: `net` has what they have in common. Outer to inner: groups, n_layers, the
 * lines of heads, of d_ff, tie_embeddings, sharing. Each stack once. Errors: the callback's,
 * STATUS_RANGE (an impossible shape), STATUS_NOMEM. */
enum status scaled_frames(const struct space *space, const struct transformer *net, int64_t d_head,
                          space_frame_callback *callback, void *user, struct err *err);

#endif
