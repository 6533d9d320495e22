#include "cli/quality_listing.h"

#include <math.h>
#include <string.h>

/* A fraction that people read in percent to more digits than listings give one: two columns, one
 * for each reader. */
static void percent_column(struct listing *l, const char *title, const char *key)
{
    listing_column(l, title, NULL, LISTING_NUMBER, "%");
    listing_column(l, NULL, key, LISTING_FRAC, NULL);
}

static void listing_percent(struct listing *l, double frac)
{
    listing_number(l, 100 * frac);
    listing_number(l, frac);
}

static const char *recipe_name(const struct quality_law *law, int i)
{
    return law->recipes[i].name;
}

void list_quality_recipes(struct listing *l, const struct quality_law *law)
{
    listing_column(l, "recipe", "recipe", LISTING_TEXT, NULL);
    listing_column(l, "rows", "rows", LISTING_INTEGER, NULL);
    listing_column(l, "shapes", "shapes", LISTING_INTEGER, NULL);
    listing_column(l, "blocks from", "block_params_min", LISTING_COUNT, NULL);
    listing_column(l, "to", "block_params_max", LISTING_COUNT, NULL);
    listing_column(l, "tokens from", "train_tokens_min", LISTING_COUNT, NULL);
    listing_column(l, "to", "train_tokens_max", LISTING_COUNT, NULL);
    percent_column(l, "error", "error_frac");
    listing_column(l, NULL, "ffn", LISTING_TEXT, NULL);
    listing_column(l, NULL, "level", LISTING_TEXT, NULL);
    listing_column(l, NULL, "source", LISTING_TEXT, NULL);
    for (int i = 0; i < law->n_recipes; i++) {
        const struct quality_recipe *r = &law->recipes[i];
        listing_text(l, r->name);
        listing_int(l, r->rows);
        listing_int(l, r->shapes);
        listing_number(l, r->params_min);
        listing_number(l, r->params_max);
        listing_number(l, r->tokens_min);
        listing_number(l, r->tokens_max);
        listing_percent(l, r->error_frac);
        listing_text(l, r->gated ? "gated" : "plain");
        listing_text(l, r->accuracies ? "accuracies" : "loss");
        listing_text(l, r->source);
    }
}

void list_quality_coefficients(struct listing *l, const struct quality_law *law)
{
    const struct quality_form *form = law->form;
    int n = quality_n_theta(law);
    listing_column(l, "recipe", "recipe", LISTING_TEXT, NULL);
    listing_column(l, "coefficient", "coefficient", LISTING_TEXT, NULL);
    listing_column(l, "value", "value", LISTING_NUMBER, NULL);
    listing_column(l, "low", "low", LISTING_NUMBER, NULL);
    listing_column(l, "high", "high", LISTING_NUMBER, NULL);
    for (int i = 0; i < n; i++) {
        int own = i - form->n_shared;
        double half = QUALITY_Z90 * sqrt(law->covariance[i * n + i]);
        listing_text(l, own < 0 ? "all" : recipe_name(law, own / form->n_own));
        listing_text(l, own < 0 ? form->shared[i].name : form->own[own % form->n_own].name);
        listing_number(l, law->theta[i]);
        listing_number(l, law->theta[i] - half);
        listing_number(l, law->theta[i] + half);
    }
}

void list_quality_terms(struct listing *l, const struct quality_law *law)
{
    listing_column(l, "term", "what", LISTING_TEXT, NULL);
    listing_column(l, NULL, "term", LISTING_TEXT, NULL);
    listing_column(l, "value", "value", LISTING_NUMBER, NULL);
    listing_column(l, "low", "low", LISTING_NUMBER, NULL);
    listing_column(l, "high", "high", LISTING_NUMBER, NULL);
    listing_column(l, "unit", "unit", LISTING_TEXT, NULL);
    listing_column(l, "source", "source", LISTING_TEXT, NULL);
    for (int i = 0; i < N_QUALITY_CONSTANTS; i++) {
        const struct quality_constant_row *row = &quality_constant_rows[i];
        double value = law->constants.value[i], half = QUALITY_Z90 * law->constants.sd[i];
        if (!(half > 0))
            continue; /* chosen, not measured */
        listing_text(l, row->what);
        listing_text(l, row->key);
        listing_number(l, value);
        listing_number(l, value - half);
        listing_number(l, value + half);
        listing_text(l, row->unit);
        listing_text(l, row->source);
    }
}

void list_quality_rows(struct listing *l, const struct quality_runs *runs,
                       const struct quality_prediction *predictions)
{
    listing_column(l, "recipe", "recipe", LISTING_TEXT, NULL);
    listing_column(l, "width", "d_model", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "layers", "n_layers", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "tokens", "train_tokens", LISTING_COUNT, NULL);
    listing_column(l, "loss", "val_loss", LISTING_NUMBER, "nats");
    listing_column(l, "predicted", "predicted", LISTING_NUMBER, "nats");
    listing_column(l, "low", "low", LISTING_NUMBER, "nats");
    listing_column(l, "high", "high", LISTING_NUMBER, "nats");
    percent_column(l, "error", "error_frac");
    listing_column(l, "outside", "outside", LISTING_TEXT, NULL);
    for (size_t i = 0; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        const struct quality_prediction *p = &predictions[i];
        bool known = run->tokens > 0;
        char outside[96];
        listing_text(l, run->recipe);
        listing_int(l, (int64_t)run->shape.d_model);
        listing_int(l, (int64_t)run->shape.n_layers);
        listing_number(l, run->tokens);
        listing_number(l, run->loss);
        listing_number(l, known ? p->loss_nats : (double)NAN);
        listing_number(l, known ? p->low_nats : (double)NAN);
        listing_number(l, known ? p->high_nats : (double)NAN);
        listing_percent(l, known ? p->loss_nats / run->loss - 1 : (double)NAN);
        listing_text(l, known ? quality_outside_text(p->outside, outside, sizeof outside) : NULL);
    }
}

void list_quality_pairs(struct listing *l, const struct quality_law *law,
                        const struct quality_runs *runs,
                        const struct quality_prediction *predictions,
                        const struct quality_pairs *pairs)
{
    listing_column(l, "a", "a", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "b", "b", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, NULL, "equal_total", LISTING_BOOL, NULL);
    listing_column(l, NULL, "equal_blocks", LISTING_BOOL, NULL);
    listing_column(l, "given", "given", LISTING_NUMBER, "nats");
    listing_column(l, "difference", "difference", LISTING_NUMBER, "nats");
    listing_column(l, "low", "low", LISTING_NUMBER, "nats");
    listing_column(l, "high", "high", LISTING_NUMBER, "nats");
    listing_column(l, "a beats b", "probability", LISTING_FRAC, NULL);
    listing_column(l, "indistinguishable", "indistinguishable", LISTING_BOOL, NULL);
    for (size_t i = 0; i < pairs->n; i++) {
        const struct quality_pair *pair = &pairs->items[i];
        struct quality_difference d;
        quality_compare(law, &predictions[pair->a], &predictions[pair->b], &d);
        listing_int(l, (int64_t)pair->a);
        listing_int(l, (int64_t)pair->b);
        listing_int(l, pair->equal_total);
        listing_int(l, pair->equal_blocks);
        listing_number(l, runs->items[pair->a].loss - runs->items[pair->b].loss);
        listing_number(l, d.nats);
        listing_number(l, d.low_nats);
        listing_number(l, d.high_nats);
        listing_number(l, d.probability);
        listing_int(l, d.indistinguishable);
    }
}

void list_quality_comparisons(struct listing *l, const struct quality_comparison *comparisons,
                              int n)
{
    listing_column(l, "the paper's comparison", "kind", LISTING_TEXT, NULL);
    listing_column(l, "of", "name", LISTING_TEXT, NULL);
    listing_column(l, "predicted", "nats", LISTING_NUMBER, "nats");
    listing_column(l, "predicted", "points", LISTING_NUMBER, "points");
    listing_column(l, "low", "points_low", LISTING_NUMBER, "points");
    listing_column(l, "high", "points_high", LISTING_NUMBER, "points");
    listing_column(l, "printed", "printed_points", LISTING_NUMBER, "points");
    listing_column(l, "inside", "inside", LISTING_BOOL, NULL);
    listing_column(l, NULL, "of_roadmap", LISTING_BOOL, NULL);
    for (int i = 0; i < n; i++) {
        const struct quality_comparison *c = &comparisons[i];
        listing_text(l, c->kind);
        listing_text(l, c->name);
        listing_number(l, c->difference.nats);
        listing_number(l, c->difference.points);
        listing_number(l, c->points_low);
        listing_number(l, c->points_high);
        listing_number(l, c->printed_points);
        listing_int(l, c->inside);
        listing_int(l, c->of_roadmap);
    }
}

void list_quality_sweep(struct listing *l, const struct quality_sweep *sweep)
{
    listing_column(l, "the paper's sweep: rank at 125M", "spearman_125m", LISTING_NUMBER, NULL);
    listing_column(l, "at 350M", "spearman_350m", LISTING_NUMBER, NULL);
    listing_column(l, "slope", "slope_points_per_nat", LISTING_NUMBER, "points/nat");
    listing_column(l, "left out", "left_out_points", LISTING_NUMBER, "points");
    listing_column(l, "by ln blocks", "left_out_blocks_points", LISTING_NUMBER, "points");
    listing_number(l, sweep->spearman_125m);
    listing_number(l, sweep->spearman_350m);
    listing_number(l, sweep->slope);
    listing_number(l, sweep->left_out_points);
    listing_number(l, sweep->left_out_blocks_points);
}

void list_quality_next_runs(struct listing *l, const struct quality_next_run *runs, int n)
{
    listing_column(l, "layers", "n_layers", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "width", "d_model", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "heads", "n_heads", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, NULL, "n_kv_heads", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, NULL, "head_dim", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "ffn", "d_ff", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, NULL, "vocab", LISTING_LEFT_INTEGER, NULL);
    listing_column(l, "parameters", "params", LISTING_COUNT, NULL);
    listing_column(l, "tokens", "train_tokens", LISTING_COUNT, NULL);
    listing_column(l, NULL, "train_flop", LISTING_NUMBER, NULL);
    listing_column(l, "GPU-hours", "gpu_hours", LISTING_NUMBER, NULL);
    listing_column(l, "known to +-", "half_nats", LISTING_NUMBER, "nats");
    for (int i = 0; i < n; i++) {
        const struct quality_shape *s = &runs[i].shape;
        listing_int(l, (int64_t)s->n_layers);
        listing_int(l, (int64_t)s->d_model);
        listing_int(l, (int64_t)s->n_heads);
        listing_int(l, (int64_t)s->n_kv_heads);
        listing_int(l, (int64_t)s->d_head);
        listing_int(l, (int64_t)s->d_ff);
        listing_int(l, (int64_t)s->vocab);
        listing_number(l, quality_total_params(s));
        listing_number(l, runs[i].tokens);
        listing_number(l, runs[i].cost.flop);
        listing_number(l, runs[i].cost.gpu_hours);
        listing_number(l, runs[i].half_nats);
    }
}

void quality_mark_columns(struct listing *l, bool has_split)
{
    listing_column(l, "law", NULL, LISTING_TEXT, NULL);
    listing_column(l, NULL, "law", LISTING_TEXT, NULL);
    if (has_split)
        listing_column(l, "rows judged", "split", LISTING_TEXT, NULL);
    listing_column(l, "n", "n", LISTING_INTEGER, NULL);
    percent_column(l, "error", "error_frac");
    listing_column(l, "covered", "cover_frac", LISTING_FRAC, NULL);
    percent_column(l, "half width", "half_frac");
    listing_column(l, NULL, "total_pairs", LISTING_INTEGER, NULL);
    listing_column(l, "equal total: order", "total_order_frac", LISTING_FRAC, NULL);
    listing_column(l, "covered", "total_cover_frac", LISTING_FRAC, NULL);
    listing_column(l, "decided", "total_decided_frac", LISTING_FRAC, NULL);
    listing_column(l, "right", "total_right_frac", LISTING_FRAC, NULL);
    listing_column(l, NULL, "blocks_pairs", LISTING_INTEGER, NULL);
    listing_column(l, "equal blocks: order", "blocks_order_frac", LISTING_FRAC, NULL);
    listing_column(l, "covered", "blocks_cover_frac", LISTING_FRAC, NULL);
    listing_column(l, "decided", "blocks_decided_frac", LISTING_FRAC, NULL);
    listing_column(l, "right", "blocks_right_frac", LISTING_FRAC, NULL);
}

static void pair_marks(struct listing *l, const struct quality_pair_marks *m)
{
    listing_int(l, m->n);
    listing_number(l, m->order_frac);
    listing_number(l, m->cover_frac);
    listing_number(l, m->decided_frac);
    listing_number(l, m->right_frac);
}

void list_quality_marks(struct listing *l, const struct quality_form *form, const char *split,
                        const struct quality_marks *m)
{
    listing_text(l, form == NULL ? "parameters in blocks" : form->title);
    listing_text(l, form == NULL ? "blocks" : form->name);
    if (split != NULL)
        listing_text(l, split);
    listing_int(l, m->n);
    listing_percent(l, m->error_frac);
    listing_number(l, m->cover_frac);
    listing_percent(l, m->half_frac);
    pair_marks(l, &m->total);
    pair_marks(l, &m->blocks);
}
