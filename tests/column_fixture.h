/* Spaces and machines for the tests of columns. */
#ifndef LATHE_TESTS_COLUMN_FIXTURE_H
#define LATHE_TESTS_COLUMN_FIXTURE_H

#include "search/space.h"
#include "tests/random_net.h"

static inline void draw_some(struct rng *rng, struct axis *axis, int64_t step, int64_t most)
{
    axis->n = 0;
    for (int64_t v = step; v <= most; v += step)
        if (rng_between(rng, 0, 3) == 0)
            axis->value[axis->n++] = v;
    if (axis->n == 0)
        axis->value[axis->n++] = step * rng_between(rng, 1, most / step);
}

/* Every sharing mode, tied and not, one FFN for all, types and vocabularies. */
static inline void draw_column_space(struct rng *rng, struct space *space)
{
    static const enum ffn_kind kinds[] = {FFN_RELU, FFN_GELU, FFN_SWIGLU, FFN_GEGLU};
    space_default(space);
    draw_some(rng, &space->d_model, 64, 512);
    draw_some(rng, &space->d_head, 32, 64);
    if (rng_between(rng, 0, 2) == 0)
        draw_some(rng, &space->n_heads, 1, 8);
    if (rng_between(rng, 0, 1) == 0)
        draw_some(rng, &space->n_kv_heads.values, 1, 4);
    if (rng_between(rng, 0, 1) == 0)
        draw_some(rng, &space->d_ff, 64, 1024);
    space->n_ff_ratios = (int)rng_between(rng, 1, 3);
    space->min_layers = rng_between(rng, 1, 3);
    space->max_layers = rng_between(rng, 10, 200);
    for (int s = 0; s < space->n_schedules; s++) {
        struct schedule drawn = random_schedule(rng, 1);
        space->schedule[s] = drawn;
    }
    space->n_dtypes = (int)rng_between(rng, 1, 3);
    space->dtype[0] = DTYPE_F16;
    space->dtype[1] = DTYPE_Q8_0;
    space->dtype[2] = DTYPE_Q4_0;
    space->n_kv_dtypes = (int)rng_between(rng, 1, 2);
    space->kv_dtype[0] = rng_between(rng, 0, 1) ? DTYPE_F16 : DTYPE_Q8_0;
    space->kv_dtype[1] = DTYPE_Q4_0;
    space->ffn = kinds[rng_between(rng, 0, 3)];
    space->vocab_size =
        rng_between(rng, 0, 1) ? (struct axis){2, {500, 9000}} : (struct axis){1, {3000}};
    if (rng_between(rng, 0, 3) == 0)
        space->tie_embeddings = (struct axis){1, {rng_between(rng, 0, 1)}};
}

#endif
