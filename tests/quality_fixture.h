/* The published runs and the law fitted to them, for tests of quality/. */
#ifndef LATHE_TESTS_QUALITY_FIXTURE_H
#define LATHE_TESTS_QUALITY_FIXTURE_H

#include "quality/delta.h"
#include "quality/law_file.h"
#include "quality/law_fit.h"

#define QUALITY_DATA LATHE_SOURCE_DIR "/data/quality"

static inline void read_published_runs(struct quality_runs *runs)
{
    struct err err = {""};
    *runs = (struct quality_runs){0};
    if (quality_runs_read_folder(QUALITY_DATA, runs, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static inline void fit_published(const struct quality_runs *runs, const bool *used,
                                 const struct quality_form *form, struct quality_law *law)
{
    struct err err = {""};
    *law = (struct quality_law){.form = form};
    quality_constants_default(&law->constants);
    if (quality_fit(runs->items, used, runs->n, NULL, law, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static inline void read_shipped_law(struct quality_law *law)
{
    struct err err = {""};
    if (quality_law_read(QUALITY_DATA "/law.json", law, NULL, NULL, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

/* Probability that `a` has the lower loss. */
static inline double quality_better(const struct quality_question *question,
                                    const struct quality_shape *a, const struct quality_shape *b)
{
    struct quality_prediction of_a, of_b;
    struct quality_difference difference;
    quality_predict(question->law, question->recipe, a, question->tokens, &of_a);
    quality_predict(question->law, question->recipe, b, question->tokens, &of_b);
    quality_compare(question->law, &of_a, &of_b, &difference);
    return difference.probability;
}

#endif
