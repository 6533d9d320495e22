/* What a network is: dimensions, kinds, types and schedule.
 *
 * Dimensions are free of one another: n_heads * d_head need not equal d_model. One struct covers
 * every decoder-only family lathe reads (model/hf_config.h lists them): pre-, post- and
 * sandwich-norm, parallel attention and FFN, two- and three-matrix FFN, learned, rotary, alibi or
 * no positions, factored token tables, sliding windows per layer, skipped attention, mixtures of
 * experts, and RWKV-4 time and channel mixing.
 *
 * What it cannot express: encoders, cross attention, multi-token heads. */
#ifndef LATHE_MODEL_TRANSFORMER_H
#define LATHE_MODEL_TRANSFORMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/dtype.h"
#include "model/ffn.h"
#include "model/layer_types.h"
#include "model/schedule.h"
#include "model/stack.h"

enum norm_kind {
    NORM_RMS,
    NORM_LAYER,
};

enum norm_placement {
    NORM_PRE,
    NORM_POST,     /* OPT-350M: after the residual add, no final norm */
    NORM_SANDWICH, /* Gemma 2 and 3, GLM 4: before and after attention and FFN */
    NORM_BRANCH,   /* OLMo 2 and 3, EXAONE 4: after attention and FFN, before the residual add */
};

enum position_kind {
    POSITION_NONE,
    POSITION_LEARNED,
    POSITION_ROPE,
    POSITION_ALIBI,
};

enum qk_norm {
    QK_NORM_NONE,
    QK_NORM_WEIGHTED, /* Qwen3, Gemma 3: RMS norm over d_head with d_head weights for q and for k */
    QK_NORM_WEIGHTLESS, /* MobileLLM-R1 */
    QK_NORM_WHOLE, /* OLMo 2 and 3: RMS norm over all of q, and all of k, with as many weights */
    QK_NORM_HEADS, /* Command R+, StableLM 2 12B: layer norm over d_head, weights of its own for
                           each head */
};

/* Bits of transformer.biases. */
enum {
    BIAS_QKV = 1 << 0,
    BIAS_O = 1 << 1,
    BIAS_FFN = 1 << 2,
    BIAS_HEAD = 1 << 3,
    BIAS_ROUTER = 1 << 4,
};

/* Is there a norm before a branch; is there one after? */
static inline bool norm_is_before(enum norm_placement placement)
{
    return placement == NORM_PRE || placement == NORM_SANDWICH;
}
static inline bool norm_is_after(enum norm_placement placement)
{
    return placement != NORM_PRE;
}

struct transformer {
    char name[96];
    char family[24]; /* "llama", "mobilellm", "opt", ...: how checkpoints of this kind name
                        themselves */

    int64_t d_model;
    int64_t vocab_size;
    int64_t d_embed;       /* width of the token table; d_model unless factored (OPT-350M: 512, with
                              project_in and project_out d_embed <-> d_model, no bias) */
    int64_t max_context;   /* positions the model was made for, >= 1 */
    int64_t position_rows; /* rows of a learned position table (OPT has 2 more than max_context),
                              else 0 */

    struct stack stack; /* of schedule.n_layers distinct blocks */
    struct schedule schedule;

    enum ffn_kind ffn;
    enum norm_kind norm;
    enum norm_placement norm_placement;
    enum position_kind position;
    enum qk_norm qk_norm;
    bool qk_norm_after_rope;   /* Hunyuan: q and k are turned first */
    unsigned biases;           /* BIAS_* of the matrices */
    bool attention_sinks;      /* gpt-oss: a weight a head in the softmax */
    bool router_offset;        /* ERNIE: a weight an expert that only the choice looks at */
    bool shared_share;         /* Qwen2: the shared FFN has a gate of one row */
    bool norm_weight;          /* false: norms without parameters (OLMo 1) */
    bool norm_bias;            /* layer norm with bias */
    bool parallel_block;       /* x + attention(norm x) + ffn(norm x): Pythia, Phi, Falcon */
    bool parallel_shared_norm; /* ...with one norm for both (Phi, Falcon 7B); Pythia has two */
    bool embed_norm;           /* a norm right after the token table (BLOOM, RWKV) */
    bool final_norm;
    bool tie_embeddings; /* the head reads the token table */

    enum dtype block_dtype, embedding_dtype, head_dtype,
        kv_dtype; /* head_dtype == embedding_dtype if tied */
    enum dtype position_dtype;
    struct layer_types layer_types; /* where matrices of blocks are of several types; block_dtype is
                                       then what most have */
    enum dtype
        file_type; /* what its types together are called, FILE_Q4_K_M; no file type: no name */
    bool
        f32_vectors; /* norms and biases are f32 beside f16 matrices too, as GGUF files have them */

    /* Needed to run a network, not to price it. */
    double norm_eps, rope_theta, rope_frac;  /* rope_frac: rotated share of d_head, 0 < f <= 1 */
    double attention_scale;                  /* of the logits; 0 = 1/sqrt(d_head) (GPT-Neo: 1) */
    double embed_scale;                      /* Gemma: sqrt(d_model); 0 or 1 = none */
    double residual_scale;                   /* Granite, MiniCPM: of a branch before it is added */
    double logit_scale;                      /* Granite, MiniCPM, Cohere; 0 or 1 = none, both */
    double attention_softcap, logit_softcap; /* Gemma 2; 0 = none */
};

/* A llama-like uniform network with every field set: rms pre-norm, swiglu, rope 10000, tied, no
 * biases, f16 blocks, embedding, head and KV cache, max_context 2048. Callers then change what
 * differs. */
void transformer_init(struct transformer *net, int64_t d_model, int64_t n_layers, int64_t n_heads,
                      int64_t n_kv_heads, int64_t d_head, int64_t d_ff, int64_t vocab_size);
void transformer_release(struct transformer *net);

/* Distinct block i, 0 .. n_layers - 1. */
const struct block *transformer_block(const struct transformer *net, int64_t i);

/* Executions of a block of this network; of all its blocks (n_layers_effective); and the distinct
 * block that execution i runs, i in 0 .. executions - 1. */
int64_t transformer_runs(const struct transformer *net, const struct block *block);
int64_t transformer_executions(const struct transformer *net);
int64_t transformer_block_of(const struct transformer *net, int64_t i);

/* The one form of a network whose blocks say how often they run (block.reruns), while its schedule
 * is none or by-block: where all say the same, none or immediate, and they say nothing any more;
 * else by-block. Errors: STATUS_RANGE, another schedule. */
enum status transformer_settle(struct transformer *net, struct err *err);

/* The network that does the same without sharing: one block for each execution;
 * transformer_release. Errors: STATUS_NOMEM. */
enum status transformer_expand(const struct transformer *net, struct transformer *out,
                               struct err *err);

/* Every dimension in its range, dimensions that must agree agree, and no count overflows: what
 * passes can be counted, priced and listed without further checks. Errors: STATUS_RANGE, naming the
 * field. */
enum status transformer_check(const struct transformer *net, struct err *err);

/* Sets the types of blocks, token table and head at once to one type of tensors; a matrix whose rows
 * cannot have it gets what dtype_for_row says. model/file_type.h sets those of a file. */
void transformer_set_dtype(struct transformer *net, enum dtype dtype);
/* "q4_0", "Q4_K_M": of the file, or of the blocks. */
const char *transformer_dtype_name(const struct transformer *net);

/* Same architecture: every dimension, kind and the schedule; names, types and runtime constants may
 * differ. */
bool transformer_same_shape(const struct transformer *a, const struct transformer *b);

#endif
