#include "search/contrast.h"

#include <math.h>
#include <stdbool.h>

#define CONTRAST_KEY(constant, key, words) key,
static const char *const keys[] = {CONTRAST_DIMENSIONS(CONTRAST_KEY)};
#define CONTRAST_WORDS(constant, key, words) words,
static const char *const all_words[] = {CONTRAST_DIMENSIONS(CONTRAST_WORDS)};

const char *contrast_key(enum contrast_dimension dimension)
{
    return keys[dimension];
}

const char *contrast_words(enum contrast_dimension dimension)
{
    return all_words[dimension];
}

static double known(int64_t value)
{
    return value == UNKNOWN_INT ? (double)NAN : (double)value;
}

static void add_layers(const struct candidate *c, double *out)
{
    double ffn = 0, kv = 0;
    for (int64_t i = 0; i < c->row.n_layers; i++) {
        const struct block *block = stack_block(c->stack, i);
        ffn += (double)block->d_ff;
        kv += (double)block->n_kv_heads;
    }
    out[CONTRAST_FFN_SUM] = ffn;
    out[CONTRAST_KV_SUM] = kv;
    out[CONTRAST_WINDOWED] = known(c->row.n_windowed);
    out[CONTRAST_WITHOUT] = known(c->row.n_without_attention);
}

/* NaN: not to be compared. */
static void values_of(const struct candidate *c, double *out)
{
    const struct candidate_row *row = &c->row;
    for (int d = 0; d < N_CONTRASTS; d++)
        out[d] = (double)NAN;
    out[CONTRAST_LAYERS] = known(row->n_layers);
    out[CONTRAST_REPEATS] = known(row->repeats);
    out[CONTRAST_EXECUTIONS] = known(row->n_layers_effective);
    out[CONTRAST_WIDTH] = known(row->d_model);
    out[CONTRAST_VOCAB] = known(row->vocab_size);
    out[CONTRAST_TYING] = known(row->tie_embeddings);
    out[CONTRAST_SHARED_FFN] = known(row->share_ffn);
    out[CONTRAST_SHARING] = (double)c->schedule.sharing;
    out[CONTRAST_TYPE] = (double)c->dtype;
    if (c->stack != NULL) {
        add_layers(c, out);
        return;
    }
    out[CONTRAST_FFN] = known(row->d_ff);
    out[CONTRAST_HEADS] = known(row->n_heads);
    out[CONTRAST_KV_HEADS] = known(row->n_kv_heads);
}

static bool is_choice(int dimension)
{
    return dimension == CONTRAST_TYING || dimension == CONTRAST_SHARED_FFN ||
           dimension == CONTRAST_SHARING || dimension == CONTRAST_TYPE;
}

/* Shares of the weights of all blocks. */
struct shares {
    double attention, kv, ffn;
};

static void add_weights(const struct block *block, enum ffn_kind ffn, struct shares *out)
{
    double heads = (double)block->n_heads * (double)block->d_head;
    double kv = (double)block->n_kv_heads * (double)block->d_head;
    bool is_gated = ffn == FFN_SWIGLU || ffn == FFN_GEGLU;
    out->attention += 2 * heads + 2 * kv;
    out->kv += 2 * kv;
    out->ffn += (is_gated ? 3 : 2) * (double)block->d_ff;
}

static struct shares shares_of(const struct candidate *c)
{
    const struct candidate_row *row = &c->row;
    struct shares shares = {0, 0, 0};
    const struct block block = {.n_heads = row->n_heads,
                                .n_kv_heads = row->n_kv_heads,
                                .d_head = row->d_head,
                                .d_ff = row->d_ff};
    for (int64_t i = 0; c->stack != NULL && i < row->n_layers; i++)
        add_weights(stack_block(c->stack, i), c->ffn, &shares);
    if (c->stack == NULL)
        add_weights(&block, c->ffn, &shares);
    double all = shares.attention + shares.ffn;
    if (all > 0)
        shares = (struct shares){shares.attention / all, shares.kv / all, shares.ffn / all};
    return shares;
}

/* Of the weights, or of the cache, that the dimension scales. */
static double share_of(int dimension, const struct shares *shares, bool cache_counts)
{
    switch (dimension) {
    case CONTRAST_FFN:
    case CONTRAST_FFN_SUM:
        return shares->ffn;
    case CONTRAST_HEADS:
        return shares->attention - shares->kv;
    case CONTRAST_KV_HEADS:
    case CONTRAST_KV_SUM:
    case CONTRAST_WINDOWED:
        return cache_counts ? 1 : shares->kv;
    case CONTRAST_WITHOUT:
        return cache_counts ? 1 : shares->attention;
    default:
        return 1;
    }
}

/* Sharing modes differ in the repeats, too, unless both repeat. */
static double effect_of(int dimension, const double *a, const double *b)
{
    double x = a[dimension], y = b[dimension];
    if (isnan(x) || isnan(y) || x == y)
        return 0;
    if (dimension == CONTRAST_SHARING && (a[CONTRAST_REPEATS] <= 1 || b[CONTRAST_REPEATS] <= 1))
        return 0;
    /* Layers and repeats say it where they are known. */
    if (dimension == CONTRAST_EXECUTIONS && a[CONTRAST_REPEATS] > 0 && b[CONTRAST_REPEATS] > 0)
        return 0;
    if (is_choice(dimension))
        return log(2);
    if (dimension == CONTRAST_WINDOWED || dimension == CONTRAST_WITHOUT)
        return log1p(fabs(x - y) / fmax(a[CONTRAST_LAYERS], b[CONTRAST_LAYERS]));
    if (x <= 0 || y <= 0)
        return log(2);
    return fabs(log(x / y));
}

size_t contrast_of(const struct candidate *a, const struct candidate *b, bool cache_counts,
                   struct contrast *out)
{
    const struct shares of_a = shares_of(a), of_b = shares_of(b);
    double x[N_CONTRASTS], y[N_CONTRASTS];
    size_t n = 0;
    values_of(a, x);
    values_of(b, y);
    for (int d = 0; d < N_CONTRASTS; d++) {
        double share = share_of(d, &of_a, cache_counts) / 2 + share_of(d, &of_b, cache_counts) / 2;
        double effect = share * effect_of(d, x, y);
        if (effect <= 0)
            continue;
        size_t at = n++;
        for (; at > 0 && out[at - 1].effect < effect; at--)
            out[at] = out[at - 1];
        out[at] = (struct contrast){(enum contrast_dimension)d, x[d], y[d], effect};
    }
    return n;
}
