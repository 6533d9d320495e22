/* Which small runs to train next: those whose losses would tell contenders apart.
 *
 * Contenders are given, or networks of one budget and tokens that differ in depth; what is to shrink
 * is the mean half width of their differences to the best. Each candidate run is tried as what it would be:
 * fitted over the law with the loss that the law expects of it, and the contenders compared again.
 * Runs are picked one after another.
 *
 * What it cannot show: terms that no loss row tells (quality/terms.h). A shape's own misfit grows
 * with the distance from the runs, so that small and short ones take little away at 1 T tokens: the
 * numbers say so. */
#ifndef LATHE_QUALITY_NEXT_RUNS_H
#define LATHE_QUALITY_NEXT_RUNS_H

#include "quality/law_interval.h"
#include "quality/training_cost.h"

enum { MAX_QUALITY_NEXT_RUNS = 16, MAX_QUALITY_CONTENDERS = 16 };

/* A uniform decoder as the paper draws them: heads of 64, all of them with keys and values, an FFN
 * of 8/3 width in steps of 256; `d_model` is a multiple of 64. */
struct quality_shape quality_paper_shape(double d_model, double n_layers, double vocab, bool tied);
/* The width for which a network of `n_layers` has the total, in steps of 64; at least 64. */
double quality_width_at(double total_params, double n_layers, double vocab, bool tied);

struct quality_next_run {
    struct quality_shape shape;
    double tokens;
    double
        half_nats; /* mean 90 % half width of contenders' differences after it and those before */
    struct training_cost cost;
};

struct quality_plan {
    double total_params, tokens, vocab; /* of the contenders */
    bool tied;
    int n_given; /* contenders that the caller set; 0: the sweep of depths */
    struct quality_shape contenders[MAX_QUALITY_CONTENDERS];
    /* Out: */
    int n_contenders;
    double half_nats;            /* before any run */
    double contenders_gpu_hours; /* training all of them */
};

/* Sets the contenders where none are given: depths of 4 to 62 layers that meet the budget within 12 %.
 * Adds up what training all of them costs. */
void quality_plan_contenders(struct quality_plan *plan, const struct training_gpu *gpu);

/* Picks at most `n` runs into picked[n]; *n_picked says how many.
 *   recipe     whose losses they would be; NULL: a new one
 *   most_hours GPU-hours of one run
 * Errors: STATUS_NOMEM; STATUS_RANGE when the law has no room for a recipe more or fewer than two
 * contenders meet the budget. */
enum status quality_next_runs(const struct quality_law *law, const char *recipe,
                              const struct training_gpu *gpu, double most_hours,
                              struct quality_plan *plan, int n, struct quality_next_run *picked,
                              int *n_picked, struct err *err);

#endif
