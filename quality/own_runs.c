#include "quality/own_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "quality/law_fit.h"
#include "quality/runs_doubts.h"

/* What is behind a law already. */
struct behind {
    const struct quality_run *own;
    size_t n_own;
    const struct quality_runs *published; /* NULL: none */
    bool has_published[QUALITY_RECIPES];  /* of a recipe: the published runs are behind it */
};

static size_t rows_of(const struct quality_run *runs, size_t n, const char *recipe)
{
    size_t rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += strcmp(runs[i].recipe, recipe) == 0 ? 1 : 0;
    return rows;
}

static void find_behind(const struct quality_law *law, const struct quality_runs *runs,
                        size_t first, const struct quality_runs *published, struct behind *behind)
{
    *behind = (struct behind){.own = runs->items, .n_own = first, .published = published};
    for (int r = 0; r < law->n_recipes && published != NULL; r++) {
        const char *name = law->recipes[r].name;
        size_t all =
            rows_of(published->items, published->n, name) + rows_of(runs->items, first, name);
        behind->has_published[r] = (size_t)law->recipes[r].rows >= all;
    }
}

/* A loss that is written with fewer digits is the same. */
static bool same_loss(const struct quality_run *a, const struct quality_run *b)
{
    return isnan(a->loss) || fabs(log(a->loss / b->loss)) < 1e-5;
}

static bool same_shape(const struct quality_run *a, const struct quality_run *b)
{
    return strcmp(a->recipe, b->recipe) == 0 && a->shape.d_model == b->shape.d_model &&
           a->shape.n_layers == b->shape.n_layers;
}

/* Whether one of these is the run, or of its shape. */
static bool among(const struct quality_run *runs, size_t n, const struct quality_run *run,
                  bool only_shape)
{
    for (size_t i = 0; i < n; i++)
        if (only_shape ? same_shape(&runs[i], run)
                       : quality_same_run(&runs[i], run) && runs[i].tokens == run->tokens &&
                             same_loss(&runs[i], run))
            return true;
    return false;
}

static bool is_behind(const struct quality_law *law, const struct behind *behind,
                      const struct quality_run *run, bool only_shape)
{
    int recipe = quality_find_recipe(law, run->recipe);
    return among(behind->own, behind->n_own, run, only_shape) ||
           (recipe >= 0 && behind->has_published[recipe] &&
            among(behind->published->items, behind->published->n, run, only_shape));
}

static void drop_known(const struct quality_law *law, const struct behind *behind,
                       struct quality_runs *runs, size_t first, struct text *notes)
{
    struct quality_run from = {0};
    size_t kept = first, dropped = 0;
    char what[128] = "this run is behind the law already";
    int last = 0;
    for (size_t i = first; i < runs->n; i++) {
        if (!is_behind(law, behind, &runs->items[i], false)) {
            runs->items[kept++] = runs->items[i];
            continue;
        }
        if (dropped++ == 0)
            from = runs->items[i];
        last = runs->items[i].line;
    }
    runs->n = kept;
    if (dropped > 1)
        snprintf(what, sizeof what, "%zu runs from here to line %d are behind the law already",
                 dropped, last);
    if (dropped > 0)
        runs_note(notes, &from, what);
}

static void note_outliers(const struct quality_law *law, const struct quality_runs *runs,
                          size_t first, struct text *notes)
{
    for (size_t i = first; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        struct quality_point point;
        char what[160];
        int recipe = quality_find_recipe(law, run->recipe);
        if (recipe < 0 || !(run->loss > 0))
            continue;
        quality_point_of(law, recipe, &run->shape, run->tokens, &point);
        double miss = run->loss / quality_loss(law, recipe, &point, NULL) - 1;
        if (fabs(miss) <= 10 * law->constants.value[QUALITY_SIGMA])
            continue;
        snprintf(what, sizeof what,
                 "a loss of %g is %.1f %% %s what the law and the other rows say: it counts little",
                 run->loss, 100 * fabs(miss), miss > 0 ? "above" : "below");
        runs_note(notes, run, what);
    }
}

/* A fit counts the shapes of its rows: those that a recipe had before are no more. */
static void uncount_known_shapes(struct quality_law *law, const struct behind *behind,
                                 const struct quality_run *runs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int recipe = quality_find_recipe(law, runs[i].recipe);
        if (recipe >= 0 && !among(runs, i, &runs[i], true) &&
            is_behind(law, behind, &runs[i], true))
            law->recipes[recipe].shapes--;
    }
}

enum status quality_fit_own(struct quality_law *law, struct quality_runs *runs, size_t first,
                            const struct quality_runs *published, const char *source,
                            struct text *notes, struct err *err)
{
    struct behind behind;
    int known = law->n_recipes;
    find_behind(law, runs, first, published, &behind);
    drop_known(law, &behind, runs, first, notes);
    if (runs->n == first) {
        if (notes != NULL)
            text_add(notes, "no run is new: the law stays as it is\n");
        return STATUS_OK;
    }
    enum status status = quality_fit(runs->items + first, NULL, runs->n - first, law, law, err);
    if (status != STATUS_OK)
        return status;
    for (int i = known; i < law->n_recipes; i++)
        snprintf(law->recipes[i].source, sizeof law->recipes[i].source, "%s", source);
    uncount_known_shapes(law, &behind, runs->items + first, runs->n - first);
    note_outliers(law, runs, first, notes);
    return STATUS_OK;
}
