/* The paper's own tables against the law, which is fitted without them: MobileLLM's sweep of depth
 * and width (Tables 11 and 12), and its comparisons of KV heads, sharing, repeats, tying (Tables 10,
 * 13, 14 and 2), as accuracies. Files: data/published.
 *
 * A difference of accuracies is -22 points a nat, uncertain by the difference's own spread, the
 * slope's, and by two evaluations of 0.38 points each: most of an interval is the evaluations'. */
#ifndef LATHE_QUALITY_PAPER_CHECK_H
#define LATHE_QUALITY_PAPER_CHECK_H

#include "quality/law_interval.h"

enum { MAX_QUALITY_COMPARISONS = 64 };

struct quality_comparison {
    char kind[24], name[48];
    bool of_roadmap; /* a step of Table 10: beside the forty */
    struct quality_difference difference;
    double points_low, points_high; /* 90 %, with the evaluations */
    double printed_points;          /* recomputed from the tasks */
    bool inside;
};

struct quality_sweep {
    double spearman_125m, spearman_350m; /* of -loss and accuracy */
    double slope;                        /* points a nat */
    double left_out_points;              /* error of accuracy by loss, each model left out */
    double left_out_blocks_points;       /* the same by ln of parameters in blocks */
};

/* Errors: those of the files; STATUS_NOMEM. */
enum status quality_paper_comparisons(const struct quality_law *law, struct quality_comparison *out,
                                      int *n, struct err *err);
enum status quality_paper_sweep(const struct quality_law *law, struct quality_sweep *out,
                                struct err *err);

#endif
