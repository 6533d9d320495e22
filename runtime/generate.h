/* Greedy generation: what a network says next, and how sure it was. */
#ifndef LATHE_RUNTIME_GENERATE_H
#define LATHE_RUNTIME_GENERATE_H

#include <signal.h>
#include <stdint.h>

#include "base/status.h"
#include "runtime/runner.h"

struct generated {
    int32_t token;
    float margin; /* logit of this token less that of the next best; 0: a tie, the lower id won */
};

/* Appends the prompt to what `runner` has in its cache, then generates n tokens, each the one of
 * the largest logit. prompt: [n_prompt], n_prompt >= 1; out: [n]. *stop (NULL: never) ends it
 * between tokens with STATUS_INTERRUPTED; *done (NULL allowed) is how many there are, after errors
 * too. Errors: STATUS_RANGE (a token, or the cache is full). */
enum status generate_greedy(struct runner *runner, const int32_t *prompt, int64_t n_prompt,
                            int64_t n, struct generated *out, int64_t *done,
                            const volatile sig_atomic_t *stop, struct err *err);

#endif
