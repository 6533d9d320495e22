/* The law that comes along: fitted to a folder of published runs, and judged on rows kept back. */
#ifndef LATHE_QUALITY_PUBLISHED_FIT_H
#define LATHE_QUALITY_PUBLISHED_FIT_H

#include "quality/runs.h"

/* Reads what stands in `folder` and fits it:
 *   *.csv with a train_tokens column   runs (quality/runs.h)
 *   sources.csv                        columns recipe and source, for the law's recipes; optional
 *   llmforge.csv                       stacks whose layers differ (quality/layer_score.h); optional
 * The errors on rows kept back are NaN where the folder has none of the recipes that are split.
 * `law` is written anew. `notes`: as quality_runs_read. Errors: of the readers, of quality_fit. */
enum status quality_fit_folder(const char *folder, struct quality_law *law, struct text *notes,
                               struct err *err);

/* Sets the law's errors on rows kept back, by a fit without them. Errors: of quality_fit. */
enum status quality_judge_kept_back(const struct quality_runs *runs, struct quality_law *law,
                                    struct err *err);

#endif
