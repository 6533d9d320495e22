/* A user's own runs, fitted over a law that is there already. */
#ifndef LATHE_QUALITY_OWN_RUNS_H
#define LATHE_QUALITY_OWN_RUNS_H

#include "quality/runs.h"

/* Fits the runs from `first` on over `law`: its coefficients and covariance are the prior, and it
 * becomes the new law. Where nothing is left to fit it stays as it is.
 *   runs       those before `first` are behind the law already. A run that is one of them, or a
 *              published one, is taken out of the list, since a law counts a loss once
 *   published  those of data/quality; NULL: none. They are behind the law's recipes that were fitted
 *              to at least as many rows
 *   notes      how many runs were taken out, and a line for each loss that the new law is more than
 *              ten times its row error away from
 *   source     where the runs are from; written into the recipes that the law did not know
 * Errors: of quality_fit. */
enum status quality_fit_own(struct quality_law *law, struct quality_runs *runs, size_t first,
                            const struct quality_runs *published, const char *source,
                            struct text *notes, struct err *err);

#endif
