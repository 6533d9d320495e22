/* In what two candidates differ most: the dimensions of their architectures, by effect.
 *
 * The effect of a dimension is the logarithm of the ratio of its values, times the share of a block's
 * weights that it scales (of both candidates, the mean): all of them for layers, width and executions,
 * the FFN's for its width, those of keys and values for KV heads. Where the cache is what counts, KV
 * heads scale all of it. A choice (tied or not, say) counts as a factor of two; a kind of layer, which
 * one of the two may not have at all, as if what one has more came on top of all layers. */
#ifndef LATHE_SEARCH_CONTRAST_H
#define LATHE_SEARCH_CONTRAST_H

#include <stdbool.h>
#include <stddef.h>

#include "search/enumerate.h"

/* C(constant, key, words): of a uniform stack its values, of one whose layers differ its sums. */
#define CONTRAST_DIMENSIONS(C) \
    C(CONTRAST_LAYERS, "n_layers", "layers") \
    C(CONTRAST_REPEATS, "repeats", "executions of a layer") \
    C(CONTRAST_EXECUTIONS, "n_layers_effective", "executions of layers") \
    C(CONTRAST_WIDTH, "d_model", "width") \
    C(CONTRAST_FFN, "d_ff", "FFN width") \
    C(CONTRAST_HEADS, "n_heads", "heads") \
    C(CONTRAST_KV_HEADS, "n_kv_heads", "KV heads") \
    C(CONTRAST_WINDOWED, "n_windowed", "windowed layers") \
    C(CONTRAST_WITHOUT, "n_without_attention", "layers without attention") \
    C(CONTRAST_FFN_SUM, "sum_d_ff", "FFN width of all layers") \
    C(CONTRAST_KV_SUM, "sum_n_kv_heads", "KV heads of all layers") \
    C(CONTRAST_VOCAB, "vocab_size", "vocabulary") \
    C(CONTRAST_TYING, "tie_embeddings", "tied") \
    C(CONTRAST_SHARED_FFN, "share_ffn", "one FFN for all") \
    C(CONTRAST_SHARING, "sharing", "order") \
    C(CONTRAST_TYPE, "dtype", "type")
#define CONTRAST_MEMBER(constant, key, words) constant,
enum contrast_dimension { CONTRAST_DIMENSIONS(CONTRAST_MEMBER) N_CONTRASTS };

const char *contrast_key(enum contrast_dimension dimension);
const char *contrast_words(enum contrast_dimension dimension);

struct contrast {
    enum contrast_dimension dimension;
    double value, other; /* of a choice: its number */
    double effect;       /* > 0 */
};

/* Those that differ, the largest effect first. A stack whose layers differ is compared as such where its
 * candidate has one. Returns how many.
 *   cache_counts  the KV cache is what they are compared by
 *   out           [N_CONTRASTS] */
size_t contrast_of(const struct candidate *a, const struct candidate *b, bool cache_counts,
                   struct contrast *out);

#endif
