#include "quality/splits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "quality/law_fit.h"

enum { N_DRAWS = 12, N_GIVEN = 3 };

/* One table of splits in the making. */
struct judging {
    const struct quality_runs *runs;
    const struct quality_form *form; /* NULL: the stand-in */
    struct quality_law *law;
    struct quality_prediction *predictions; /* [n] */
    struct quality_pairs pairs;             /* of all rows */
    bool *used, *judged;                    /* [n] */
    struct quality_split *splits;
    int n_splits;
};

static void finish(struct judging *j)
{
    memory_free(j->law);
    memory_free(j->predictions);
    memory_free(j->used);
    memory_free(j->judged);
    quality_pairs_release(&j->pairs);
}

static enum status begin(struct judging *j, struct err *err)
{
    size_t n = j->runs->n;
    j->law = memory_new(1, sizeof *j->law);
    j->predictions = memory_new(n, sizeof *j->predictions);
    j->used = memory_new(n, sizeof *j->used);
    j->judged = memory_new(n, sizeof *j->judged);
    if (j->law == NULL || j->predictions == NULL || j->used == NULL || j->judged == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    return quality_pairs_of(j->runs->items, NULL, n, &j->pairs, err);
}

/* Fits the rows in `used` and predicts those in `judged`. */
static enum status fit_and_predict(struct judging *j, struct err *err)
{
    const struct quality_runs *runs = j->runs;
    if (j->form == NULL)
        return STATUS_OK;
    *j->law = (struct quality_law){.form = j->form};
    quality_constants_default(&j->law->constants);
    enum status status = quality_fit(runs->items, j->used, runs->n, NULL, j->law, err);
    for (size_t i = 0; i < runs->n && status == STATUS_OK; i++)
        if (j->judged[i])
            quality_predict(j->law, quality_find_recipe(j->law, runs->items[i].recipe),
                            &runs->items[i].shape, runs->items[i].tokens, &j->predictions[i]);
    return status;
}

static void mark(const struct judging *j, struct quality_marks *out)
{
    quality_mark(j->form == NULL ? NULL : j->law, j->predictions, j->runs->items, j->judged,
                 j->runs->n, &j->pairs, out);
}

static struct quality_marks *add_split(struct judging *j, const char *name)
{
    struct quality_split *split = &j->splits[j->n_splits++];
    snprintf(split->name, sizeof split->name, "%s", name);
    return &split->marks;
}

enum status quality_judge(const struct quality_runs *runs, const struct quality_form *form,
                          const bool *left_out, const bool *judged, struct quality_marks *out,
                          struct err *err)
{
    struct judging j = {.runs = runs, .form = form};
    enum status status = begin(&j, err);
    for (size_t i = 0; i < runs->n && status == STATUS_OK; i++) {
        j.used[i] = !left_out[i];
        j.judged[i] = judged[i];
    }
    if (status == STATUS_OK)
        status = fit_and_predict(&j, err);
    if (status == STATUS_OK)
        mark(&j, out);
    finish(&j);
    return status;
}

/* Which rows a split keeps back. */
typedef bool rule(const struct quality_run *run);

static bool is_gemstones(const struct quality_run *run)
{
    return strncmp(run->recipe, "gemstones", strlen("gemstones")) == 0;
}

static bool is_kept_back(const struct quality_run *run)
{
    double total = quality_total_params(&run->shape), n = quality_block_params(&run->shape);
    if (is_gemstones(run))
        return total > 300e6 || run->tokens > 50.5e9;
    if (strcmp(run->recipe, "morph") == 0)
        return run->tokens / total > 100 || n > 5e8;
    if (strcmp(run->recipe, "misfitting") == 0)
        return n > 250e6;
    return strcmp(run->recipe, "steplaw") == 0 && (n > 1e9 || run->tokens > 60e9);
}

static bool is_larger(const struct quality_run *run)
{
    return is_gemstones(run) && quality_total_params(&run->shape) > 300e6;
}

static bool is_longer(const struct quality_run *run)
{
    return is_gemstones(run) && run->tokens > 50.5e9;
}

static bool is_shorter(const struct quality_run *run)
{
    return is_gemstones(run) && run->tokens < 21e9;
}

void quality_kept_back(const struct quality_runs *runs, bool *kept)
{
    for (size_t i = 0; i < runs->n; i++)
        kept[i] = is_kept_back(&runs->items[i]);
}

static enum status judge_rule(struct judging *j, rule *keep, const char *name, struct err *err)
{
    for (size_t i = 0; i < j->runs->n; i++) {
        j->judged[i] = keep(&j->runs->items[i]);
        j->used[i] = !j->judged[i];
    }
    enum status status = fit_and_predict(j, err);
    if (status == STATUS_OK)
        mark(j, add_split(j, name));
    return status;
}

/* Of the rows kept back, one recipe's. */
static void mark_recipe(struct judging *j, const char *recipe)
{
    char name[64];
    snprintf(name, sizeof name, "kept back: %s", recipe);
    for (size_t i = 0; i < j->runs->n; i++)
        j->judged[i] = is_kept_back(&j->runs->items[i]) &&
                       strncmp(j->runs->items[i].recipe, recipe, strlen(recipe)) == 0;
    mark(j, add_split(j, name));
}

/* A running mean of marks; what is not known of one draw is left out of its mean. */
struct mean {
    double sum[11], n[11];
    int rows, pairs, apart;
};

static double *mark_fields(struct quality_marks *m, int i)
{
    double *const field[] = {
        &m->error_frac,          &m->cover_frac,        &m->half_frac,
        &m->total.order_frac,    &m->total.cover_frac,  &m->total.decided_frac,
        &m->total.right_frac,    &m->blocks.order_frac, &m->blocks.cover_frac,
        &m->blocks.decided_frac, &m->blocks.right_frac,
    };
    return field[i];
}

static void mean_add(struct mean *mean, struct quality_marks *marks)
{
    for (int i = 0; i < 11; i++) {
        double value = *mark_fields(marks, i);
        if (isnan(value))
            continue;
        mean->sum[i] += value;
        mean->n[i]++;
    }
    mean->rows += marks->n;
}

static void mean_get(const struct mean *mean, struct quality_marks *out)
{
    *out = (struct quality_marks){.n = mean->rows};
    for (int i = 0; i < 11; i++)
        *mark_fields(out, i) = mean->n[i] > 0 ? mean->sum[i] / mean->n[i] : (double)NAN;
}

static bool same_stack(const struct quality_run *a, const struct quality_run *b)
{
    return a->shape.d_model == b->shape.d_model && a->shape.n_layers == b->shape.n_layers;
}

/* Each of Gemstones' shapes in turn, in all its recipes. */
static enum status judge_shapes(struct judging *j, struct err *err)
{
    struct mean mean = {0};
    const struct quality_run *runs = j->runs->items;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < j->runs->n && status == STATUS_OK; i++) {
        bool first = is_gemstones(&runs[i]);
        for (size_t k = 0; k < i && first; k++)
            first = !is_gemstones(&runs[k]) || !same_stack(&runs[k], &runs[i]);
        if (!first)
            continue;
        for (size_t k = 0; k < j->runs->n; k++) {
            j->judged[k] = is_gemstones(&runs[k]) && same_stack(&runs[k], &runs[i]);
            j->used[k] = !j->judged[k];
        }
        struct quality_marks marks;
        status = fit_and_predict(j, err);
        if (status == STATUS_OK) {
            mark(j, &marks);
            mean_add(&mean, &marks);
        }
    }
    if (status == STATUS_OK)
        mean_get(&mean, add_split(j, "one shape left out"));
    return status;
}

/* Three of a recipe's runs, of two shapes and a factor of two in tokens at least; `small`: of the
 * smaller half of its rows and the 60 % shortest. */
static bool draw_given(const struct judging *j, const char *recipe, bool small, struct rng *rng,
                       size_t given[N_GIVEN])
{
    const struct quality_run *runs = j->runs->items;
    size_t n = 0, candidates[1024];
    double params[1024], tokens[1024];
    for (size_t i = 0; i < j->runs->n && n < 1024; i++)
        if (strcmp(runs[i].recipe, recipe) == 0) {
            params[n] = quality_block_params(&runs[i].shape);
            tokens[n++] = runs[i].tokens;
        }
    if (n < N_GIVEN)
        return false;
    double most_params = stats_median(params, n), most_tokens = stats_quantile(tokens, n, 0.6);
    n = 0;
    for (size_t i = 0; i < j->runs->n && n < 1024; i++)
        if (strcmp(runs[i].recipe, recipe) == 0 &&
            (!small || (quality_block_params(&runs[i].shape) <= most_params &&
                        runs[i].tokens <= most_tokens)))
            candidates[n++] = i;
    for (int attempt = 0; attempt < 1000 && n >= N_GIVEN; attempt++) {
        double least = INFINITY, most = 0;
        bool shapes = false;
        for (size_t k = 0; k < N_GIVEN; k++) {
            size_t other = k + (size_t)rng_between(rng, 0, (int64_t)(n - k - 1));
            size_t swap = candidates[k];
            given[k] = candidates[other];
            candidates[other] = swap;
            candidates[k] = given[k];
            least = fmin(least, runs[given[k]].tokens);
            most = fmax(most, runs[given[k]].tokens);
            shapes = shapes || !same_stack(&runs[given[k]], &runs[given[0]]);
        }
        if (shapes && most >= 2 * least)
            return true;
    }
    return false;
}

/* A recipe left out but for three runs; of Gemstones' three recipes all are left out unless only
 * this one is new. */
static enum status judge_new(struct judging *j, const char *recipe, bool small, bool alone,
                             uint64_t seed, struct mean *of_all, struct err *err)
{
    const struct quality_run *runs = j->runs->items;
    struct mean mean = {0};
    struct rng rng;
    enum status status = STATUS_OK;
    bool all_gemstones = !alone && strncmp(recipe, "gemstones", strlen("gemstones")) == 0;
    rng_init(&rng, seed);
    for (int draw = 0; draw < N_DRAWS && status == STATUS_OK; draw++) {
        size_t given[N_GIVEN];
        struct quality_marks marks;
        if (!draw_given(j, recipe, small, &rng, given))
            break;
        for (size_t i = 0; i < j->runs->n; i++) {
            j->judged[i] = strcmp(runs[i].recipe, recipe) == 0;
            j->used[i] = !j->judged[i] && !(all_gemstones && is_gemstones(&runs[i]));
        }
        for (size_t k = 0; k < N_GIVEN; k++) {
            j->used[given[k]] = true;
            j->judged[given[k]] = false;
        }
        status = fit_and_predict(j, err);
        if (status == STATUS_OK) {
            mark(j, &marks);
            mean_add(&mean, &marks);
        }
    }
    if (status == STATUS_OK) {
        char name[64];
        struct quality_marks *marks;
        snprintf(name, sizeof name, "%s %s, three %sruns given", alone ? "only" : "new", recipe,
                 small ? "small " : "");
        marks = add_split(j, name);
        mean_get(&mean, marks);
        if (of_all != NULL)
            mean_add(of_all, marks);
    }
    return status;
}

enum status quality_splits(const struct quality_runs *runs, const struct quality_form *form,
                           uint64_t seed, struct quality_split *splits, int *n_splits,
                           struct err *err)
{
    static const char *const recipes[] = {"gemstones", "gemstones-cooled", "morph", "misfitting",
                                          "steplaw"};
    struct judging j = {.runs = runs, .form = form, .splits = splits};
    struct mean of_new = {0};
    enum status status = begin(&j, err);
    if (status == STATUS_OK)
        status = judge_rule(&j, is_kept_back, "kept back", err);
    if (status == STATUS_OK) {
        mark_recipe(&j, "gemstones");
        mark_recipe(&j, "morph");
        mark_recipe(&j, "misfitting");
        mark_recipe(&j, "steplaw");
        status = judge_rule(&j, is_larger, "larger only", err);
    }
    if (status == STATUS_OK)
        status = judge_rule(&j, is_longer, "longer only", err);
    if (status == STATUS_OK)
        status = judge_rule(&j, is_shorter, "shorter only", err);
    if (status == STATUS_OK)
        status = judge_shapes(&j, err);
    if (status == STATUS_OK)
        status = judge_new(&j, "gemstones-cooled", false, true, seed, NULL, err);
    for (size_t i = 0; i < 2 * sizeof recipes / sizeof *recipes && status == STATUS_OK; i++)
        status = judge_new(&j, recipes[i / 2], i % 2 == 1, false, seed, &of_new, err);
    if (status == STATUS_OK)
        mean_get(&of_new, add_split(&j, "mean of new recipes"));
    *n_splits = j.n_splits;
    finish(&j);
    return status;
}
