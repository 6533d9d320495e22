#include "quality/own_runs.h"

#include <math.h>
#include <stdio.h>

#include "quality/law_fit.h"

static bool same_run(const struct quality_run *a, const struct quality_run *b)
{
    return a->group == b->group && a->tokens == b->tokens && (a->loss == b->loss || isnan(a->loss));
}

static void drop_known(struct quality_runs *runs, size_t first, struct text *notes)
{
    size_t kept = first;
    for (size_t i = first; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        bool known = false;
        for (size_t k = 0; k < first && !known; k++)
            known = same_run(&runs->items[k], run);
        if (known)
            text_addf(notes, "line %d: this run is behind the law already\n", run->line);
        else
            runs->items[kept++] = *run;
    }
    runs->n = kept;
}

static void note_outliers(const struct quality_law *law, const struct quality_runs *runs,
                          size_t first, struct text *notes)
{
    for (size_t i = first; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        struct quality_point point;
        int recipe = quality_find_recipe(law, run->recipe);
        if (recipe < 0 || !(run->loss > 0))
            continue;
        quality_point_of(law, recipe, &run->shape, run->tokens, &point);
        double miss = run->loss / quality_loss(law, recipe, &point, NULL) - 1;
        if (fabs(miss) > 10 * law->constants.value[QUALITY_SIGMA])
            text_addf(notes,
                      "line %d: a loss of %g is %.1f %% %s what the law and the other rows "
                      "say: it counts little\n",
                      run->line, run->loss, 100 * fabs(miss), miss > 0 ? "above" : "below");
    }
}

enum status quality_fit_own(struct quality_law *law, struct quality_runs *runs, size_t first,
                            const char *source, struct text *notes, struct err *err)
{
    int known = law->n_recipes;
    drop_known(runs, first, notes);
    enum status status = quality_fit(runs->items + first, NULL, runs->n - first, law, law, err);
    if (status != STATUS_OK)
        return status;
    for (int i = known; i < law->n_recipes; i++)
        snprintf(law->recipes[i].source, sizeof law->recipes[i].source, "%s", source);
    note_outliers(law, runs, first, notes);
    return STATUS_OK;
}
