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

/* Sharing modes differ in the repeats, too, unless both repeat. */
static double effect_of(int dimension, const double *a, const double *b)
{
    double x = a[dimension], y = b[dimension];
    if (isnan(x) || isnan(y) || x == y)
        return 0;
    if (dimension == CONTRAST_SHARING && (a[CONTRAST_REPEATS] <= 1 || b[CONTRAST_REPEATS] <= 1))
        return 0;
    if (is_choice(dimension))
        return log(2);
    if (dimension == CONTRAST_WINDOWED || dimension == CONTRAST_WITHOUT)
        return log1p(fabs(x - y) / fmax(a[CONTRAST_LAYERS], b[CONTRAST_LAYERS]));
    if (x <= 0 || y <= 0)
        return log(2);
    return fabs(log(x / y));
}

size_t contrast_of(const struct candidate *a, const struct candidate *b, struct contrast *out)
{
    double x[N_CONTRASTS], y[N_CONTRASTS];
    size_t n = 0;
    values_of(a, x);
    values_of(b, y);
    for (int d = 0; d < N_CONTRASTS; d++) {
        double effect = effect_of(d, x, y);
        if (effect <= 0)
            continue;
        size_t at = n++;
        for (; at > 0 && out[at - 1].effect < effect; at--)
            out[at] = out[at - 1];
        out[at] = (struct contrast){(enum contrast_dimension)d, x[d], y[d], effect};
    }
    return n;
}
