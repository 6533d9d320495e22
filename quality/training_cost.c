#include "quality/training_cost.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

const struct training_gpu training_gpus[] = {
    {"a100", "A100 80GB SXM", "NVIDIA A100 data sheet, bfloat16 tensor cores, dense", 312},
    {"h100", "H100 SXM", "NVIDIA H100 data sheet, bfloat16 tensor cores, dense", 989},
    {"l40s", "L40S", "NVIDIA L40S data sheet, bfloat16 tensor cores, dense", 362},
    {"v100", "V100 SXM2", "NVIDIA V100 data sheet, float16 tensor cores", 125},
    {"rtx4090", "GeForce RTX 4090", "NVIDIA Ada whitepaper, bfloat16 with float32 sums, dense",
     165},
};
const int n_training_gpus = (int)(sizeof training_gpus / sizeof *training_gpus);

const struct training_recipe training_paper = {480000, 32, 32, 2048};
const struct training_recipe training_paper_exploration = {120000, 32, 32, 2048};

enum status training_gpu_find(const char *name, const struct training_gpu **out, struct err *err)
{
    struct text names = {0};
    for (int i = 0; i < n_training_gpus; i++) {
        text_addf(&names, "%s%s", i > 0 ? ", " : "", training_gpus[i].name);
        if (strcmp(training_gpus[i].name, name) != 0)
            continue;
        *out = &training_gpus[i];
        text_release(&names);
        return STATUS_OK;
    }
    enum status status = err_set(err, STATUS_NOT_FOUND, "unknown GPU '%s': expected one of %s",
                                 name, names.failed ? "-" : names.data);
    text_release(&names);
    return status;
}

double training_tokens(const struct training_recipe *recipe)
{
    return recipe->steps * recipe->gpus * recipe->batch_per_gpu * recipe->context;
}

/* FLOP a token over two: parameters that a token passes through. */
static double passed_params(const struct quality_shape *s)
{
    double once = quality_block_params(s);
    if (s->shared_ffn)
        once += (s->n_layers - 1) * (s->gated ? 3 : 2) * s->d_model * s->d_ff;
    return once * (s->repeats > 1 ? s->repeats : 1) + s->vocab * s->d_model;
}

/* Parameters passed and days of MobileLLM 125M, 350M, 600M, 1B, 1.5B on 32 A100 for 1.007e12
 * tokens. */
static const struct {
    double params, days;
} published[] = {{124.6e6, 3}, {345.2e6, 6}, {603.1e6, 8}, {1005.1e6, 12}, {1510.6e6, 18}};

static double published_utilisation(int i)
{
    double flop = 6 * published[i].params * training_tokens(&training_paper);
    return flop / (32 * training_gpus[0].peak_tflops * 1e12 * published[i].days * 86400);
}

static double utilisation(double params)
{
    int n = (int)(sizeof published / sizeof *published), i = 0;
    if (params <= published[0].params)
        return published_utilisation(0);
    if (params >= published[n - 1].params)
        return published_utilisation(n - 1);
    while (params > published[i + 1].params)
        i++;
    double low = published_utilisation(i), high = published_utilisation(i + 1);
    double share =
        log(params / published[i].params) / log(published[i + 1].params / published[i].params);
    return low + share * (high - low);
}

const char *const training_utilisation_source = "MobileLLM's days of training on 32 A100 80GB (3, "
                                                "6, 8, 12, 18 for 125M, 350M, 600M, 1B, 1.5B), "
                                                "interpolated; the same is assumed of other GPUs";

void training_cost_of(const struct quality_shape *shape, double tokens,
                      const struct training_gpu *gpu, struct training_cost *out)
{
    const size_t last = sizeof published / sizeof *published - 1;
    double params = passed_params(shape);
    out->params = params;
    out->flop = 6 * params * tokens;
    out->utilisation_frac = utilisation(params);
    out->gpu_hours = out->flop / (gpu->peak_tflops * 1e12 * out->utilisation_frac) / 3600;
    out->outside = params < 0.8 * published[0].params || params > 1.25 * published[last].params;
}

double training_days(const struct training_cost *cost, double gpus)
{
    return cost->gpu_hours / gpus / 24;
}
