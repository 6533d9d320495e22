/* A law, the published forms and the stand-in, marked on the same rows.
 *
 * The forms are fitted to what is behind the law, so that the rows are as new to them as to it. */
#ifndef LATHE_QUALITY_SCORES_H
#define LATHE_QUALITY_SCORES_H

#include "quality/marks.h"
#include "quality/rivals.h"

enum { N_QUALITY_SCORES = N_QUALITY_RIVALS + 2 };

struct quality_score {
    const struct quality_form *form; /* NULL: the stand-in, parameters in blocks */
    struct quality_marks marks;
};

/* What the law says of each run.
 *   predictions  [runs->n], out; those of runs without tokens are not written */
void quality_predict_runs(const struct quality_law *law, const struct quality_runs *runs,
                          struct quality_prediction *predictions);

/* The law first, then the published forms, then the stand-in.
 *   behind       runs that the law was fitted to; the forms are fitted to those whose recipe it has
 *   runs         to mark, with the law's predictions [runs->n] and the pairs among them
 * Errors: of quality_fit. */
enum status quality_score_forms(const struct quality_law *law, const struct quality_runs *behind,
                                const struct quality_runs *runs,
                                const struct quality_prediction *predictions,
                                const struct quality_pairs *pairs,
                                struct quality_score scores[N_QUALITY_SCORES], struct err *err);

#endif
