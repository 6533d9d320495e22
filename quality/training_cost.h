/* What training costs: floating-point operations and GPU-hours.
 *
 * FLOP = 6 (block parameters + table) tokens: forward and backward of every matrix, the head's among
 * them once; attention over the context comes on top (12 layers width context / 2 a token at most a
 * fifth for small models) and is part of the utilisation.
 *
 * Utilisation is what the paper's own table of days says (32 A100 80GB, 1 T tokens: 3, 6, 8, 12, 18
 * days for 125M, 350M, 600M, 1B, 1.5B), interpolated in ln parameters: 0.29 to 0.59. Days are printed
 * whole, so a sixth is in doubt at 125M; its 29 hours for 0.25 T tokens (Table 16) say a third less.
 * Source: MobileLLM's README and training script, data/published. */
#ifndef LATHE_QUALITY_TRAINING_COST_H
#define LATHE_QUALITY_TRAINING_COST_H

#include "base/status.h"
#include "quality/law.h"

struct training_gpu {
    const char *name, *title, *source;
    double peak_tflops; /* dense 16-bit, by data sheet */
};

extern const struct training_gpu training_gpus[];
extern const int n_training_gpus;

/* Errors: STATUS_NOT_FOUND, with the names there are. */
enum status training_gpu_find(const char *name, const struct training_gpu **out, struct err *err);

/* A recipe's amount of training. */
struct training_recipe {
    double steps, gpus, batch_per_gpu, context;
};

/* The paper's: 32 A100, 32 sequences of 2048 tokens a GPU, 480 k steps: 1.007e12 tokens. */
extern const struct training_recipe training_paper, training_paper_exploration;

double training_tokens(const struct training_recipe *recipe);

extern const char *const training_utilisation_source;

struct training_cost {
    double params; /* that a token passes: repeats count, the table once */
    double flop, utilisation_frac, gpu_hours;
    bool outside; /* beyond the sizes whose utilisation is published: that of the nearest */
};

/* The utilisation is that of the A100s, whatever the GPU. */
void training_cost_of(const struct quality_shape *shape, double tokens,
                      const struct training_gpu *gpu, struct training_cost *out);

/* On `gpus` of them that lose nothing to one another. */
double training_days(const struct training_cost *cost, double gpus);

#endif
