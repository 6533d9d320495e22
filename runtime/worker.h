/* A thread inside a pass, what the threads share, and the operators that decode and prefill have in
 * common; see runner.h for what a runner is. */
#ifndef LATHE_RUNTIME_WORKER_H
#define LATHE_RUNTIME_WORKER_H

#include "kernels/kernel.h"
#include "kernels/threaded.h"
#include "runtime/runner.h"

/* One thread's own scratch. */
struct lane {
    float *normed;    /* [widest] */
    void *prepared;   /* activations of one token as the kernel wants them */
    void *scratch;    /* matmul and attention */
    float *temporary; /* [widest] */
};

struct runner {
    const struct transformer *net;
    const struct weights *weights;
    struct runner_options options;
    int64_t position;

    const struct kernel *matvec[N_DTYPES], *matmul[N_DTYPES], *embed[N_DTYPES];
    const struct kernel *attention, *store, *norm, *rms_norm, *rope, *activation, *add, *argmax;

    int64_t widest;            /* of d_model, d_embed, d_ff, heads: elements of one token */
    int64_t token_bytes;       /* one prepared token of `widest` elements, any kernel */
    int64_t d_rotary;          /* 0: no rotary positions */
    float *cosine, *sine;      /* [max_context][d_rotary / 2] */
    float *alibi;              /* [n_heads of the widest block] or NULL */
    char **k_cache, **v_cache; /* [executions], each [n_kv_heads][max_context] rows */

    float *x;         /* [max_batch, widest] residual stream */
    float *normed;    /* [max_batch, widest] prefill */
    char *prepared;   /* [max_batch] tokens, prefill */
    float *q;         /* [max_batch, heads] */
    float *k, *v;     /* [max_batch, kv heads] */
    float *attended;  /* [max_batch, heads] */
    float *y;         /* [max_batch, widest] an operator's output before it joins the residual */
    float *branch;    /* [max_batch, d_model] the attention branch of a parallel block */
    float *gate, *up; /* [max_batch, d_ff] */
    float *logits;    /* [vocab_size] */
    struct lane *lanes;

    void *memory; /* all of the above arrays */
    int64_t memory_bytes;
    struct team_barrier barrier;

    bool is_timed;
    int64_t last_ns;
    double phase_ns[N_RUNNER_PHASES];
};

/* A thread inside a pass. */
struct worker {
    struct runner *runner;
    struct lane *lane;
    int part, parts;
};

/* Waits for the others. */
void worker_meet(struct worker *worker);
/* Thread 0 books the time since the last mark on `phase`. */
void worker_mark(struct worker *worker, enum runner_phase phase);

/* Rows of this thread. */
struct worker_span {
    int64_t begin, end;
};
struct worker_span worker_rows(const struct worker *worker, int64_t n);
struct worker_span worker_share(const struct worker *worker, int64_t n); /* of tokens or heads */

/* y = norm(x) of one token, n elements; y may be x. */
void runner_norm(const struct runner *runner, const struct norm_weights *norm, int64_t n,
                 const float *x, float *y);
/* Norms some heads of q or k, where the network norms each of its own, and turns them, in the
 * network's order. */
void runner_turn_heads(const struct runner *runner, const struct block *shape, const float *weight,
                       int64_t n_heads, int64_t position, float *x);
/* Norms q and k of one token, each as a whole, where the network does (QK_NORM_WHOLE). */
void runner_norm_qk(const struct runner *runner, const struct block *shape,
                    const struct block_weights *w, float *q, float *k);
/* What a branch adds to the residual, y of `rows`, by the network's scale. */
void runner_scale_branch(const struct runner *runner, struct worker_span rows, float *y);
/* Heads `heads` of one token's k or v, x: [n_kv_heads, d_head], into that cache at `position`. */
void runner_store_heads(const struct runner *runner, const struct block *shape, int64_t position,
                        struct worker_span heads, const float *x, char *cache);
/* The attention of execution e for kernels; `first` is the position of the first query. */
struct attention runner_attention(const struct runner *runner, const struct block *shape, int64_t e,
                                  int64_t first);
/* Row of token (and position), scaled, normed: the input of block 0. */
void runner_embed(const struct runner *runner, int32_t token, int64_t position, struct lane *lane,
                  float *x);
/* act(gate) * up or act(up), on rows span of one token, into gate. */
void runner_activate(const struct runner *runner, struct worker_span rows, const float *gate,
                     const float *up, float *out);
void runner_add_bias(const float *bias, struct worker_span rows, float *y);

/* Final norm and head of one token's x, into logits. Ends with a meeting. */
void runner_head(struct worker *worker, const float *x);
/* y = W x for this thread's rows; x is one token. */
void runner_matvec(struct worker *worker, const struct matrix *w, struct worker_span rows,
                   const float *x, float *y);

#endif
