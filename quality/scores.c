#include "quality/scores.h"

#include "base/memory.h"
#include "quality/law_fit.h"

void quality_predict_runs(const struct quality_law *law, const struct quality_runs *runs,
                          struct quality_prediction *predictions)
{
    for (size_t i = 0; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        if (run->tokens > 0)
            quality_predict(law, quality_find_recipe(law, run->recipe), &run->shape, run->tokens,
                            &predictions[i]);
    }
}

static enum status score_rival(const struct quality_runs *behind, const bool *used,
                               const struct quality_runs *runs, const struct quality_pairs *pairs,
                               struct quality_score *score, struct err *err)
{
    struct quality_law *law = memory_new(1, sizeof *law);
    struct quality_prediction *predictions = memory_new(runs->n, sizeof *predictions);
    enum status status = STATUS_OK;
    if (law == NULL || predictions == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    law->form = score->form;
    quality_constants_default(&law->constants);
    status = quality_fit(behind->items, used, behind->n, NULL, law, err);
    if (status != STATUS_OK)
        goto out;
    quality_predict_runs(law, runs, predictions);
    quality_mark(law, predictions, runs->items, NULL, runs->n, pairs, &score->marks);
out:
    memory_free(predictions);
    memory_free(law);
    return status;
}

enum status quality_score_forms(const struct quality_law *law, const struct quality_runs *behind,
                                const struct quality_runs *runs,
                                const struct quality_prediction *predictions,
                                const struct quality_pairs *pairs,
                                struct quality_score scores[N_QUALITY_SCORES], struct err *err)
{
    struct quality_score *stand_in = &scores[N_QUALITY_SCORES - 1];
    bool *used = memory_new(behind->n, sizeof *used);
    enum status status = STATUS_OK;
    if (used == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < behind->n; i++)
        used[i] = quality_find_recipe(law, behind->items[i].recipe) >= 0;
    scores[0].form = law->form;
    quality_mark(law, predictions, runs->items, NULL, runs->n, pairs, &scores[0].marks);
    for (int i = 0; i < N_QUALITY_RIVALS && status == STATUS_OK; i++) {
        scores[1 + i].form = quality_rivals[i];
        status = score_rival(behind, used, runs, pairs, &scores[1 + i], err);
    }
    stand_in->form = NULL;
    quality_mark(NULL, NULL, runs->items, NULL, runs->n, pairs, &stand_in->marks);
    memory_free(used);
    return status;
}
