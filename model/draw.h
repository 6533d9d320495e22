/* Random architectures for calibration and validation: stratified, so that few cover much.
 *
 * A draw has a parameter budget, which it meets within about a percent (n_layers, then d_ff, are
 * solved for), and a stratum, which sets its aspect from shallow and wide to deep and thin. Heads,
 * key-value heads, the ratio of the FFN, vocabulary and sharing are drawn. The family is Llama's
 * (RMS norm, SwiGLU, rotary positions), the one that searches visit. */
#ifndef LATHE_MODEL_DRAW_H
#define LATHE_MODEL_DRAW_H

#include "base/stats.h"
#include "model/transformer.h"

struct draw_options {
    int64_t params;   /* aimed at, 5e6 .. 2e9 */
    double aspect;    /* 0: shallow and wide .. 1: deep and thin */
    enum dtype dtype; /* of blocks, table and head */
    bool share;       /* may draw a schedule that shares weights */
    bool immediate;   /* runs each block twice in a row */
};

/* Sets every field of *out, which passes transformer_check and owns nothing. */
void draw_network(struct rng *rng, const struct draw_options *options, struct transformer *out);

#endif
