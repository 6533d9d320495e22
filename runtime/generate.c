#include "runtime/generate.h"

#include <math.h>
#include <stddef.h>

static struct generated best_of(const struct runner *runner, int64_t vocab_size)
{
    const float *logits = runner_logits(runner);
    struct generated out = {.token = runner_argmax(runner)};
    float second = -INFINITY;
    for (int64_t i = 0; i < vocab_size; i++) {
        if (i != out.token && logits[i] > second)
            second = logits[i];
    }
    out.margin = logits[out.token] - second;
    return out;
}

enum status generate_greedy(struct runner *runner, const int32_t *prompt, int64_t n_prompt,
                            int64_t n, struct generated *out, int64_t *done,
                            const volatile sig_atomic_t *stop, struct err *err)
{
    int64_t vocab_size = runner_vocab_size(runner), made = 0;
    enum status status = runner_prefill(runner, prompt, n_prompt, err);
    while (status == STATUS_OK && made < n) {
        out[made] = best_of(runner, vocab_size);
        made++;
        if (stop != NULL && *stop)
            status = err_set(err, STATUS_INTERRUPTED, "interrupted");
        else if (made < n)
            status = runner_decode(runner, out[made - 1].token, err);
    }
    if (done != NULL)
        *done = made;
    return status;
}
