#include "quality/terms.h"

#define CHOSEN   "chosen"
#define ESTIMATE "estimate"

#define FLAT \
    "chosen on several splits; the fit is flat about it: exponents 0.5/0.3 to 1/1 cost 57.7 to " \
    "66.5"
#define COVERAGE "set so that intervals cover rows left out: docs/quality.md"
#define WEIGHTS  "one rule for all recipes: 35 checkpoints of a run weigh like 9.5 runs"

const struct quality_constant_row quality_constant_rows[N_QUALITY_CONSTANTS] = {
    [QUALITY_WIDTH_EXPONENT] = {"width_exponent", "width floor's exponent", "", 0.55, 0, CHOSEN,
                                FLAT},
    [QUALITY_DEPTH_EXPONENT] = {"depth_exponent", "depth floor's exponent", "", 0.30, 0, CHOSEN,
                                FLAT},
    [QUALITY_TOKEN_DEPTH] = {"token_depth_exponent", "depth's exponent in the token term", "", 0.02,
                             0, CHOSEN, "0 to 0.04 cost the same to 1 in 57"},
    [QUALITY_RATIO] = {"ffn_ratio", "FFN over attention parameters, ln(r/1.6)^2 of A", "", 0.008,
                       0.006, ESTIMATE,
                       "arXiv 2510.18245: 0.006 to 0.012 of loss from r 1 to 4.8; the rows alone "
                       "say nearly none from r 2 to 7"},
    [QUALITY_HEAD] = {"head_size", "small heads, ln(96/head_dim)^2", "nats", 0.05, 0.025, ESTIMATE,
                      "MobileLLM Table 13 and Gemstones; not told by the loss rows"},
    [QUALITY_GROUPS] = {"heads_per_kv_head", "each doubling of heads a KV head, at equal blocks",
                        "nats", 0.009, 0.005, ESTIMATE,
                        "MobileLLM Table 13: -0.16 [-0.26, -0.05] points a doubling"},
    [QUALITY_TIED] = {"tied_table", "one table for both ends, at equal blocks", "nats", 0.018,
                      0.017, ESTIMATE, "MobileLLM Table 1: -0.38 [-0.97, 0.21] points"},
    [QUALITY_PLAIN] = {"two_matrix_ffn", "ReLU with two matrices for SwiGLU", "nats", 0.057, 0.016,
                       ESTIMATE, "MobileLLM Table 10: 1.26 [0.67, 1.85] points, two comparisons"},
    [QUALITY_REPEATS] = {"repeats_exponent", "parameters of a repeated layer count repeats^this",
                         "", 0.30, 0.11, ESTIMATE,
                         "arXiv 2604.21106: 0.46, 0.38 truncated; MobileLLM Tables 2 and 14"},
    [QUALITY_W8A8] = {"w8a8", "weights and activations in 8 bits", "nats", 0.011, 0.007, ESTIMATE,
                      "MobileLLM Table 15: 0.26 0.24 0.04 0.41 points"},
    [QUALITY_POINTS] = {"points_per_nat", "accuracy, the paper's eight tasks", "points", -22, 3,
                        ESTIMATE, "slope of MobileLLM Tables 11 and 12 on predicted loss: -22.1"},
    [QUALITY_EVALUATION] = {"evaluation_sd", "one evaluation's own spread", "points", 0.38, 0,
                            ESTIMATE, "residual of the same slope: 0.39"},
    [QUALITY_INFLATE] = {"inflate", "of the posterior's spread", "", 0.75, 0, CHOSEN, COVERAGE},
    [QUALITY_RUN] = {"run", "a run's own spread, of loss", "", 0.0015, 0, CHOSEN, COVERAGE},
    [QUALITY_SHAPE] = {"shape", "a shape's misfit, of loss", "", 0.0022, 0, CHOSEN, COVERAGE},
    [QUALITY_BETWEEN] = {"between", "shape effects between recipes, of loss", "", 0.004, 0, CHOSEN,
                         COVERAGE},
    [QUALITY_GROW_N] = {"grow_params", "growth an e-fold of parameters beyond the data", "", 0.5, 0,
                        CHOSEN, COVERAGE},
    [QUALITY_GROW_T] = {"grow_tokens", "growth an e-fold of tokens beyond the data", "", 0.2, 0,
                        CHOSEN, COVERAGE},
    [QUALITY_HUBER] = {"huber", "residuals count linearly beyond, sigmas", "", 2, 0, CHOSEN,
                       WEIGHTS},
    [QUALITY_SIGMA] = {"sigma", "a row's error, of loss", "", 0.003, 0, CHOSEN, WEIGHTS},
    [QUALITY_SIGMA_TOKENS] = {"sigma_tokens", "tokens that double its variance", "", 1e9, 0, CHOSEN,
                              WEIGHTS},
    [QUALITY_RUN_GAIN] = {"run_gain", "what a further checkpoint of a run counts", "", 0.25, 0,
                          CHOSEN, WEIGHTS},
};

void quality_constants_default(struct quality_constants *out)
{
    for (int i = 0; i < N_QUALITY_CONSTANTS; i++) {
        out->value[i] = quality_constant_rows[i].value;
        out->sd[i] = quality_constant_rows[i].sd;
    }
}

const char *const quality_untold[] = {
    "tokeniser, data and their amount beyond 1e11 tokens in one recipe",
    "context length, learning rate and batch (a rate within a factor of two costs 0.010 nats)",
    "sharing modes among each other: immediate, repeat-all and reverse differ by 0 +- 0.59 points",
    "weights of 4 bits and fewer",
    "order of layers that differ, but for the score of data/quality/llmforge.csv",
    NULL,
};
