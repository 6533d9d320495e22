/* The paper's own tables against the law, which is fitted without them: MobileLLM's sweep of depth
 * and width (Tables 11 and 12), and its comparisons of KV heads, sharing, repeats, tying (Tables 10,
 * 13, 14 and 2), as accuracies. Files: data/published.
 *
 * A difference of accuracies is -22 points a nat, uncertain by the difference's own spread, the
 * slope's, and by two evaluations of 0.38 points each: most of an interval is the evaluations'. */
#ifndef LATHE_QUALITY_PAPER_CHECK_H
#define LATHE_QUALITY_PAPER_CHECK_H

#include "quality/delta.h"

enum { MAX_QUALITY_COMPARISONS = 64, MAX_QUALITY_SWEEP = 32, QUALITY_WATERFALL = 6 };

struct quality_comparison {
    char kind[24], name[48];
    bool of_roadmap; /* a step of Table 10: beside the forty */
    int waterfall;   /* 1 .. QUALITY_WATERFALL: its place from the baseline to LS at 1 T; 0: none */
    struct quality_difference difference;
    double points_low, points_high; /* 90 %, with the evaluations */
    double printed_points;          /* recomputed from the tasks */
    bool inside;
};

/* One of the nineteen models of the sweep. */
struct quality_sweep_point {
    char size_class[8]; /* "125M" "350M" */
    struct quality_shape shape;
    double params, accuracy; /* of all tables; percent, mean of the eight tasks */
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
/* In the tables' order; out: [MAX_QUALITY_SWEEP]. */
enum status quality_paper_sweep_points(struct quality_sweep_point *out, int *n, struct err *err);

/* The sweep's accuracies as losses above `reference`: at the slope of the paper's recipe, and moved
 * by one constant so that their mean is the law's, since accuracies and losses have no common zero.
 * Interval: 90 % of one evaluation. */
struct quality_measured {
    double n_layers, params, nats, low_nats, high_nats;
};
/* Those of a tenth less to a third more parameters than `params`. out: [MAX_QUALITY_SWEEP]. */
enum status quality_paper_measured(const struct quality_question *question, double params,
                                   struct quality_measured *out, int *n, struct err *err);

enum status quality_paper_sweep(const struct quality_law *law, struct quality_sweep *out,
                                struct err *err);

#endif
