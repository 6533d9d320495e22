#include "cli/quality_listing.h"

#include <math.h>
#include <string.h>

struct listed_recipe {
    const char *recipe, *ffn, *level, *source;
    int64_t rows, shapes;
    double block_params_min, block_params_max, train_tokens_min, train_tokens_max;
    double error_frac, error_percent;
};
static const struct field recipe_fields[] = {
    LISTED(listed_recipe, recipe, UNIT_NONE, "recipe"),
    LISTED(listed_recipe, rows, UNIT_NONE, "rows"),
    LISTED(listed_recipe, shapes, UNIT_NONE, "shapes"),
    LISTED(listed_recipe, block_params_min, UNIT_PARAMS, "blocks from"),
    LISTED(listed_recipe, block_params_max, UNIT_PARAMS, "to"),
    LISTED(listed_recipe, train_tokens_min, UNIT_PARAMS, "tokens from"),
    LISTED(listed_recipe, train_tokens_max, UNIT_PARAMS, "to"),
    LISTED_KEY(listed_recipe, error_frac, UNIT_FRAC),
    LISTED_TITLE(listed_recipe, error_percent, UNIT_PERCENT, "error"),
    LISTED_KEY(listed_recipe, ffn, UNIT_NONE),
    LISTED_KEY(listed_recipe, level, UNIT_NONE),
    LISTED_KEY(listed_recipe, source, UNIT_NONE),
};

void list_quality_recipes(struct listing *listing, const struct quality_law *law)
{
    LISTING_FIELDS(listing, recipe_fields);
    for (int i = 0; i < law->n_recipes; i++) {
        const struct quality_recipe *r = &law->recipes[i];
        const struct listed_recipe line = {
            .recipe = r->name,
            .ffn = r->gated ? "gated" : "plain",
            .level = r->accuracies ? "accuracies" : "loss",
            .source = r->source,
            .rows = r->rows,
            .shapes = r->shapes,
            .block_params_min = r->params_min,
            .block_params_max = r->params_max,
            .train_tokens_min = r->tokens_min,
            .train_tokens_max = r->tokens_max,
            .error_frac = r->error_frac,
            .error_percent = 100 * r->error_frac,
        };
        listing_add(listing, &line);
    }
}

struct listed_coefficient {
    const char *recipe, *coefficient;
    double value, low, high;
};
static const struct field coefficient_fields[] = {
    LISTED(listed_coefficient, recipe, UNIT_NONE, "recipe"),
    LISTED(listed_coefficient, coefficient, UNIT_NONE, "coefficient"),
    LISTED(listed_coefficient, value, UNIT_NONE, "value"),
    LISTED(listed_coefficient, low, UNIT_NONE, "low"),
    LISTED(listed_coefficient, high, UNIT_NONE, "high"),
};

void list_quality_coefficients(struct listing *listing, const struct quality_law *law)
{
    const struct quality_form *form = law->form;
    int n = quality_n_theta(law);
    LISTING_FIELDS(listing, coefficient_fields);
    for (int i = 0; i < n; i++) {
        int own = i - form->n_shared;
        double half = QUALITY_Z90 * sqrt(law->covariance[i * n + i]);
        const struct listed_coefficient line = {
            .recipe = own < 0 ? "all" : law->recipes[own / form->n_own].name,
            .coefficient = own < 0 ? form->shared[i].name : form->own[own % form->n_own].name,
            .value = law->theta[i],
            .low = law->theta[i] - half,
            .high = law->theta[i] + half,
        };
        listing_add(listing, &line);
    }
}

void list_quality_prior(struct listing *listing, const struct quality_law *law)
{
    for (int i = 0; i < law->form->n_own; i++) {
        const struct quality_coefficient *own = &law->form->own[i];
        const struct listed_coefficient line = {
            .recipe = "without losses",
            .coefficient = own->name,
            .value = own->mean,
            .low = own->mean - QUALITY_Z90 * own->sd,
            .high = own->mean + QUALITY_Z90 * own->sd,
        };
        listing_add(listing, &line);
    }
}

struct listed_term {
    const char *what, *term, *unit, *source;
    double value, low, high;
};
static const struct field term_fields[] = {
    LISTED(listed_term, what, UNIT_NONE, "term"),     LISTED_KEY(listed_term, term, UNIT_NONE),
    LISTED(listed_term, value, UNIT_NONE, "value"),   LISTED(listed_term, low, UNIT_NONE, "low"),
    LISTED(listed_term, high, UNIT_NONE, "high"),     LISTED(listed_term, unit, UNIT_NONE, "unit"),
    LISTED(listed_term, source, UNIT_NONE, "source"),
};

void list_quality_terms(struct listing *listing, const struct quality_law *law)
{
    LISTING_FIELDS(listing, term_fields);
    for (int i = 0; i < N_QUALITY_CONSTANTS; i++) {
        const struct quality_constant_row *row = &quality_constant_rows[i];
        double value = law->constants.value[i], half = QUALITY_Z90 * law->constants.sd[i];
        const struct listed_term line = {
            row->what, row->key, row->unit, row->source, value, value - half, value + half,
        };
        if (half > 0) /* else chosen, not measured */
            listing_add(listing, &line);
    }
}

struct listed_run {
    const char *recipe, *outside;
    int64_t d_model, n_layers;
    double train_tokens, val_loss, predicted, low, high, error_frac, error_percent;
};
static const struct field run_fields[] = {
    LISTED(listed_run, recipe, UNIT_NONE, "recipe"),
    LISTED(listed_run, d_model, UNIT_NONE, "width"),
    LISTED(listed_run, n_layers, UNIT_NONE, "layers"),
    LISTED(listed_run, train_tokens, UNIT_PARAMS, "tokens"),
    LISTED(listed_run, val_loss, UNIT_NATS, "loss"),
    LISTED(listed_run, predicted, UNIT_NATS, "predicted"),
    LISTED(listed_run, low, UNIT_NATS, "low"),
    LISTED(listed_run, high, UNIT_NATS, "high"),
    LISTED_KEY(listed_run, error_frac, UNIT_FRAC),
    LISTED_TITLE(listed_run, error_percent, UNIT_PERCENT, "error"),
    LISTED(listed_run, outside, UNIT_NONE, "outside"),
};

void list_quality_rows(struct listing *listing, const struct quality_runs *runs,
                       const struct quality_prediction *predictions)
{
    LISTING_FIELDS(listing, run_fields);
    for (size_t i = 0; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        const struct quality_prediction *p = &predictions[i];
        bool known = run->tokens > 0;
        double error = known ? p->loss_nats / run->loss - 1 : (double)NAN;
        char outside[96];
        const struct listed_run line = {
            .recipe = run->recipe,
            .outside = known ? quality_outside_text(p->outside, outside, sizeof outside) : NULL,
            .d_model = run->shape.d_model > 0 ? (int64_t)run->shape.d_model : UNKNOWN_INT,
            .n_layers = run->shape.n_layers > 0 ? (int64_t)run->shape.n_layers : UNKNOWN_INT,
            .train_tokens = run->tokens,
            .val_loss = run->loss,
            .predicted = known ? p->loss_nats : (double)NAN,
            .low = known ? p->low_nats : (double)NAN,
            .high = known ? p->high_nats : (double)NAN,
            .error_frac = error,
            .error_percent = 100 * error,
        };
        listing_add(listing, &line);
    }
}

struct listed_pair {
    int64_t a, b, equal_total, equal_blocks, indistinguishable;
    double given, difference, low, high, probability;
};
static const struct field pair_fields[] = {
    LISTED(listed_pair, a, UNIT_ID, "a"),
    LISTED(listed_pair, b, UNIT_ID, "b"),
    LISTED_KEY(listed_pair, equal_total, UNIT_BOOL),
    LISTED_KEY(listed_pair, equal_blocks, UNIT_BOOL),
    LISTED(listed_pair, given, UNIT_NATS, "given"),
    LISTED(listed_pair, difference, UNIT_NATS, "difference"),
    LISTED(listed_pair, low, UNIT_NATS, "low"),
    LISTED(listed_pair, high, UNIT_NATS, "high"),
    LISTED(listed_pair, probability, UNIT_FRAC, "a beats b"),
    LISTED(listed_pair, indistinguishable, UNIT_BOOL, "indistinguishable"),
};

void list_quality_pairs(struct listing *listing, const struct quality_law *law,
                        const struct quality_runs *runs,
                        const struct quality_prediction *predictions,
                        const struct quality_pairs *pairs)
{
    LISTING_FIELDS(listing, pair_fields);
    for (size_t i = 0; i < pairs->n; i++) {
        const struct quality_pair *pair = &pairs->items[i];
        struct quality_difference d;
        quality_compare(law, &predictions[pair->a], &predictions[pair->b], &d);
        const struct listed_pair line = {
            .a = (int64_t)pair->a,
            .b = (int64_t)pair->b,
            .equal_total = pair->equal_total,
            .equal_blocks = pair->equal_blocks,
            .indistinguishable = d.indistinguishable,
            .given = runs->items[pair->a].loss - runs->items[pair->b].loss,
            .difference = d.nats,
            .low = d.low_nats,
            .high = d.high_nats,
            .probability = d.probability,
        };
        listing_add(listing, &line);
    }
}

struct listed_comparison {
    const char *kind, *name;
    double nats, points, points_low, points_high, printed_points;
    int64_t inside, of_roadmap;
};
static const struct field comparison_fields[] = {
    LISTED(listed_comparison, kind, UNIT_NONE, "the paper's comparison"),
    LISTED(listed_comparison, name, UNIT_NONE, "of"),
    LISTED(listed_comparison, nats, UNIT_NATS, "predicted"),
    LISTED(listed_comparison, points, UNIT_NONE, "points"),
    LISTED(listed_comparison, points_low, UNIT_NONE, "low"),
    LISTED(listed_comparison, points_high, UNIT_NONE, "high"),
    LISTED(listed_comparison, printed_points, UNIT_NONE, "printed"),
    LISTED(listed_comparison, inside, UNIT_BOOL, "inside"),
    LISTED_KEY(listed_comparison, of_roadmap, UNIT_BOOL),
};

void list_quality_comparisons(struct listing *listing, const struct quality_comparison *comparisons,
                              int n)
{
    LISTING_FIELDS(listing, comparison_fields);
    for (int i = 0; i < n; i++) {
        const struct quality_comparison *c = &comparisons[i];
        const struct listed_comparison line = {
            c->kind,       c->name,        c->difference.nats, c->difference.points,
            c->points_low, c->points_high, c->printed_points,  c->inside,
            c->of_roadmap,
        };
        listing_add(listing, &line);
    }
}

static const struct field sweep_fields[] = {
    LISTED(quality_sweep, spearman_125m, UNIT_NONE, "the paper's sweep: rank at 125M"),
    LISTED(quality_sweep, spearman_350m, UNIT_NONE, "at 350M"),
    LISTED_AS(quality_sweep, slope, "slope_points_per_nat", UNIT_NONE, "points/nat"),
    LISTED(quality_sweep, left_out_points, UNIT_NONE, "points left out"),
    LISTED(quality_sweep, left_out_blocks_points, UNIT_NONE, "by ln blocks"),
};

void list_quality_sweep(struct listing *listing, const struct quality_sweep *sweep)
{
    LISTING_FIELDS(listing, sweep_fields);
    listing_add(listing, sweep);
}

struct listed_next_run {
    int64_t n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, vocab;
    double params, train_tokens, train_flop, gpu_hours, half_nats;
};
static const struct field next_run_fields[] = {
    LISTED(listed_next_run, n_layers, UNIT_NONE, "layers"),
    LISTED(listed_next_run, d_model, UNIT_NONE, "width"),
    LISTED(listed_next_run, n_heads, UNIT_NONE, "heads"),
    LISTED_KEY(listed_next_run, n_kv_heads, UNIT_NONE),
    LISTED_KEY(listed_next_run, head_dim, UNIT_NONE),
    LISTED(listed_next_run, d_ff, UNIT_NONE, "ffn"),
    LISTED_KEY(listed_next_run, vocab, UNIT_NONE),
    LISTED(listed_next_run, params, UNIT_PARAMS, "parameters"),
    LISTED(listed_next_run, train_tokens, UNIT_PARAMS, "tokens"),
    LISTED_KEY(listed_next_run, train_flop, UNIT_FLOP),
    LISTED(listed_next_run, gpu_hours, UNIT_NONE, "GPU-hours"),
    LISTED(listed_next_run, half_nats, UNIT_NATS, "known to +-"),
};

void list_quality_next_runs(struct listing *listing, const struct quality_next_run *runs, int n)
{
    LISTING_FIELDS(listing, next_run_fields);
    for (int i = 0; i < n; i++) {
        const struct quality_shape *s = &runs[i].shape;
        const struct listed_next_run line = {
            .n_layers = (int64_t)s->n_layers,
            .d_model = (int64_t)s->d_model,
            .n_heads = (int64_t)s->n_heads,
            .n_kv_heads = (int64_t)s->n_kv_heads,
            .head_dim = (int64_t)s->d_head,
            .d_ff = (int64_t)s->d_ff,
            .vocab = (int64_t)s->vocab,
            .params = quality_total_params(s),
            .train_tokens = runs[i].tokens,
            .train_flop = runs[i].cost.flop,
            .gpu_hours = runs[i].cost.gpu_hours,
            .half_nats = runs[i].half_nats,
        };
        listing_add(listing, &line);
    }
}

static const struct field cost_fields[] = {
    LISTED(listed_cost, model, UNIT_NONE, "model"),
    LISTED(listed_cost, params, UNIT_PARAMS, "parameters"),
    LISTED(listed_cost, passed_params, UNIT_PARAMS, "a token passes"),
    LISTED(listed_cost, train_tokens, UNIT_PARAMS, "tokens"),
    LISTED_KEY(listed_cost, train_flop, UNIT_FLOP),
    LISTED_TITLE(listed_cost, train_eflop, UNIT_NONE, "10^18 FLOP"),
    LISTED(listed_cost, utilisation_frac, UNIT_FRAC, "utilisation"),
    LISTED_KEY(listed_cost, utilisation_outside, UNIT_BOOL),
    LISTED(listed_cost, gpu_hours, UNIT_NONE, "GPU-hours"),
    LISTED(listed_cost, days, UNIT_NONE, "days"),
    LISTED(listed_cost, sweep_networks, UNIT_NONE, "depths"),
    LISTED(listed_cost, sweep_gpu_hours, UNIT_NONE, "GPU-hours of all"),
};

void quality_cost_columns(struct listing *listing)
{
    LISTING_FIELDS(listing, cost_fields);
}

struct listed_marks {
    const char *law, *title, *split;
    int64_t n, total_pairs, blocks_pairs;
    double error_frac, error_percent, cover_frac, half_frac, half_percent;
    double total_order_frac, total_cover_frac, total_decided_frac, total_right_frac;
    double blocks_order_frac, blocks_cover_frac, blocks_decided_frac, blocks_right_frac;
};
static const struct field law_fields[] = {
    LISTED_TITLE(listed_marks, title, UNIT_NONE, "law"),
    LISTED_KEY(listed_marks, law, UNIT_NONE),
};
static const struct field split_fields[] = {
    LISTED(listed_marks, split, UNIT_NONE, "rows judged"),
};
static const struct field mark_fields[] = {
    LISTED(listed_marks, n, UNIT_NONE, "n"),
    LISTED_KEY(listed_marks, error_frac, UNIT_FRAC),
    LISTED_TITLE(listed_marks, error_percent, UNIT_PERCENT, "error"),
    LISTED(listed_marks, cover_frac, UNIT_FRAC, "covered"),
    LISTED_KEY(listed_marks, half_frac, UNIT_FRAC),
    LISTED_TITLE(listed_marks, half_percent, UNIT_PERCENT, "half width"),
    LISTED_KEY(listed_marks, total_pairs, UNIT_NONE),
    LISTED(listed_marks, total_order_frac, UNIT_FRAC, "equal total: order"),
    LISTED(listed_marks, total_cover_frac, UNIT_FRAC, "covered"),
    LISTED(listed_marks, total_decided_frac, UNIT_FRAC, "decided"),
    LISTED(listed_marks, total_right_frac, UNIT_FRAC, "right"),
    LISTED_KEY(listed_marks, blocks_pairs, UNIT_NONE),
    LISTED(listed_marks, blocks_order_frac, UNIT_FRAC, "equal blocks: order"),
    LISTED(listed_marks, blocks_cover_frac, UNIT_FRAC, "covered"),
    LISTED(listed_marks, blocks_decided_frac, UNIT_FRAC, "decided"),
    LISTED(listed_marks, blocks_right_frac, UNIT_FRAC, "right"),
};

void quality_mark_columns(struct listing *listing, bool has_split)
{
    LISTING_FIELDS(listing, law_fields);
    if (has_split)
        LISTING_FIELDS(listing, split_fields);
    LISTING_FIELDS(listing, mark_fields);
}

void list_quality_marks(struct listing *listing, const struct quality_form *form, const char *split,
                        const struct quality_marks *m)
{
    const struct listed_marks line = {
        .law = form == NULL ? "blocks" : form->name,
        .title = form == NULL ? "parameters in blocks" : form->title,
        .split = split,
        .n = m->n,
        .error_frac = m->error_frac,
        .error_percent = 100 * m->error_frac,
        .cover_frac = m->cover_frac,
        .half_frac = m->half_frac,
        .half_percent = 100 * m->half_frac,
        .total_pairs = m->total.n,
        .total_order_frac = m->total.order_frac,
        .total_cover_frac = m->total.cover_frac,
        .total_decided_frac = m->total.decided_frac,
        .total_right_frac = m->total.right_frac,
        .blocks_pairs = m->blocks.n,
        .blocks_order_frac = m->blocks.order_frac,
        .blocks_cover_frac = m->blocks.cover_frac,
        .blocks_decided_frac = m->blocks.decided_frac,
        .blocks_right_frac = m->blocks.right_frac,
    };
    listing_add(listing, &line);
}
