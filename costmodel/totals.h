/* From two priced passes and what is stored to a whole price: load, init, memory and energy. */
#ifndef LATHE_COSTMODEL_TOTALS_H
#define LATHE_COSTMODEL_TOTALS_H

#include <stdint.h>

#include "costmodel/pass.h"
#include "costmodel/price.h"
#include "model/count.h"

/* What a price needs to know of the stored weights. */
struct counted {
    struct param_count params;
    struct weight_bytes bytes;
    int64_t kv_row_bytes; /* of one execution and token; 0 where blocks differ */
};
void count_stored(const struct transformer *net, struct counted *out);

/* Bytes of a token table that nothing but the lookup reads; 0 when the head reads it too. */
int64_t lookup_table_bytes(const struct transformer *net);

/* Widest set of f32 arrays alive at once in a prefill of so many tokens: residual, normed input,
 * and the block's largest products (q, k, v and the attention output, or gate and up), and the
 * logits. */
int64_t live_activation_bytes(const struct transformer *net, int64_t n_tokens);

/* A pass in picojoules; NaN where the profile has no energies. Linear in what the pass has. */
double pass_energy_pj(const struct machine *machine, const struct pass *pass);

/* decode_ns and what follows from it: its interval, tokens a second. */
void price_set_decode(const struct machine *machine, double ns, struct price *out);

/* live_bytes: of activations. */
void price_of_passes(const struct transformer *net, const struct machine *machine,
                     const struct workload *workload, const struct counted *counted,
                     const struct pass *prefill, const struct pass *decode, int64_t live_bytes,
                     struct price *out);

#endif
