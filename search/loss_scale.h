/* What the candidates of a search are worth: the difference of their loss to a reference.
 *
 * A scale is a law, a recipe, training tokens, and a reference for each vocabulary, since losses of
 * two vocabularies are never compared. The reference is the best of the search or a network of the
 * user's. */
#ifndef LATHE_SEARCH_LOSS_SCALE_H
#define LATHE_SEARCH_LOSS_SCALE_H

#include "quality/delta.h"
#include "search/enumerate.h"

struct loss_reference {
    char name[128];
    struct quality_shape shape; /* its vocab is the one that it is for */
    struct quality_question question;
    double loss_nats; /* as a candidate of this shape is priced */
};

struct loss_scale {
    const struct quality_law *law; /* borrowed */
    int recipe;
    double tokens, points_per_nat;
    struct quality_pricer pricer;
    size_t n, capacity;
    struct loss_reference *reference; /* [n], of distinct vocabularies; owned */
    char outside[QUALITY_OUTSIDES][QUALITY_OUTSIDE_TEXT];
};

/* Without a reference. max_layers: of the networks to be priced. Release with loss_scale_release,
 * after errors too. Errors: STATUS_NOMEM. */
enum status loss_scale_init(struct loss_scale *scale, const struct quality_law *law, int recipe,
                            double tokens, int64_t max_layers, struct err *err);
void loss_scale_release(struct loss_scale *scale);

/* The network for candidates of its vocabulary to be held against; one a vocabulary. Errors:
 * STATUS_NOMEM. */
enum status loss_scale_add(struct loss_scale *scale, const char *name,
                           const struct quality_shape *reference, struct err *err);
/* Of each vocabulary of the space the candidate with the lowest loss, ties by id.
 *   n_jobs  OpenMP threads; 0 = all
 * Errors: STATUS_NOMEM. */
enum status loss_scale_add_best(struct loss_scale *scale, const struct enumeration *enumeration,
                                int n_jobs, struct err *err);
/* NULL: none. */
const struct loss_reference *loss_scale_find(const struct loss_scale *scale, double vocab);

/* The references as JSON, and back: what a run's row keeps. memory_free; NULL: out of memory. */
char *loss_scale_print(const struct loss_scale *scale);
/* Adds them. `name` is how errors call the text. Errors: STATUS_INPUT, STATUS_NOMEM. */
enum status loss_scale_parse(struct loss_scale *scale, const char *name, const char *text,
                             struct err *err);

/* A candidate as the law sees it; false: its layers may differ. */
bool candidate_shape(const struct candidate *candidate, struct quality_shape *out);

/* Sets interval and where the data end, of a loss that has its difference. */
void loss_scale_widen(const struct loss_scale *scale, const struct quality_shape *shape,
                      struct loss *out);
/* Difference, interval, points and where the data end, against the vocabulary's reference; all
 * unknown without one. The text is borrowed from the scale. */
void loss_scale_describe(const struct loss_scale *scale, const struct quality_shape *shape,
                         struct loss *out);

/* For the enumerator: what can be worked out once a shape and once a schedule. */

struct loss_shape {
    const struct loss_scale *scale;
    struct quality_width width;
    double reference_nats;
};
/* False: the loss is unknown. scale NULL: it is. `net` is uniform. */
bool loss_shape_of(const struct loss_scale *scale, const struct transformer *net,
                   struct loss_shape *out);

struct loss_variant {
    struct quality_line line;
    double reference_nats, points_per_nat;
};
void loss_variant_of(const struct loss_shape *shape, const struct quality_repeats *repeats,
                     bool share_ffn, bool tied, struct loss_variant *out);

static inline double loss_delta(const struct loss_variant *variant, int64_t n_layers)
{
    return quality_price(&variant->line, n_layers) - variant->reference_nats;
}

/* Of depths low .. low + n - 1; `out` has room for LOSS_STEP more. */
enum { LOSS_STEP = 4 };
void loss_deltas(const struct loss_variant *variant, int64_t low, int64_t n, double *restrict out);

static inline double loss_points(const struct loss_variant *variant, double delta_nats)
{
    return variant->points_per_nat * delta_nats + 0.0; /* no -0 */
}

static inline void loss_price(const struct loss_variant *variant, int64_t n_layers,
                              struct loss *out)
{
    out->loss_delta_nats = loss_delta(variant, n_layers);
    out->accuracy_points = loss_points(variant, out->loss_delta_nats);
}

/* Nats that no depth of low .. high is below; -INFINITY: nobody knows. Every term is a power of the
 * depth, so that its least is at an end. */
double loss_least(const struct loss_variant *variant, int64_t low, int64_t high);

#endif
