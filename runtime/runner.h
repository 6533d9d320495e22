/* Runs a network for real: prefill and decode with a KV cache, on random or loaded weights.
 *
 * Every schedule runs as it stands: a repeated block reads the same bytes again, each execution has
 * its own cache. A pass is one parallel region; inside it threads take slices and meet at a barrier
 * only where the next operator needs all of a vector (five times a block). Norms and the
 * quantisation of activations are cheaper than a barrier, so in decode every thread does them for
 * itself. One thread runs with no region at all. Nothing is allocated after runner_create. */
#ifndef LATHE_RUNTIME_RUNNER_H
#define LATHE_RUNTIME_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "model/transformer.h"
#include "runtime/weights.h"

struct runner_options {
    int n_threads;       /* >= 1 */
    int64_t max_context; /* tokens the cache holds, prompt included; 1 .. net->max_context */
    int64_t max_batch;   /* tokens of a prompt worked on at once; 0 = 512 */
    unsigned isa;        /* of cpu_isa() */
    bool pin;            /* bind threads to processors */
};

/* Where the time of passes went, as thread 0 saw it. */
enum runner_phase {
    RUN_EMBED,
    RUN_QKV, /* with the norm before, rope and cache writes */
    RUN_ATTENTION,
    RUN_O,  /* with the residual */
    RUN_UP, /* norm, gate, up, activation */
    RUN_DOWN,
    RUN_HEAD, /* with the final norm */
    N_RUNNER_PHASES,
};
const char *runner_phase_name(enum runner_phase phase);

struct runner;

/* net and weights are borrowed for the runner's life. Errors: STATUS_UNSUPPORTED (no kernel for a
 * type), STATUS_RANGE (threads, context beyond the network's), STATUS_NOMEM with how much is
 * missing, before anything is touched. */
enum status runner_create(const struct transformer *net, const struct weights *weights,
                          const struct runner_options *options, struct runner **out,
                          struct err *err);
void runner_free(struct runner *runner);

/* Appends the prompt to the cache; logits are those after its last token. tokens: [n], 1 <= n, each
 * in 0 .. vocab_size - 1. Errors: STATUS_RANGE (a token, or the cache is full). */
enum status runner_prefill(struct runner *runner, const int32_t *tokens, int64_t n,
                           struct err *err);
enum status runner_decode(struct runner *runner, int32_t token, struct err *err);

const float *runner_logits(const struct runner *runner); /* [vocab_size], of the last pass */
int64_t runner_vocab_size(const struct runner *runner);
int32_t runner_argmax(const struct runner *runner); /* lowest id of the largest logit */

/* Goes back to `position`, or pretends that the tokens up to it are there: the cache beyond what
 * was written holds zeros, which take as long to read. 0 .. max_context. */
void runner_set_position(struct runner *runner, int64_t position);

/* ns by phase since the last call with `reset`; measuring costs some tens of ns a phase. */
void runner_times(struct runner *runner, bool enable, double ns[N_RUNNER_PHASES]);

/* Bytes of cache and working memory. */
int64_t runner_bytes(const struct runner *runner);

#endif
