/* Constants of the law that its rows do not tell, each with its spread and where it is from. */
#ifndef LATHE_QUALITY_TERMS_H
#define LATHE_QUALITY_TERMS_H

#include <stddef.h>

enum quality_constant {
    QUALITY_WIDTH_EXPONENT,
    QUALITY_DEPTH_EXPONENT,
    QUALITY_TOKEN_DEPTH,  /* exponent of depth in the token term */
    QUALITY_RATIO,        /* of ln(r / 1.6)^2 */
    QUALITY_HEAD,         /* nats: of max(0, ln(96 / head_dim))^2 */
    QUALITY_GROUPS,       /* nats: each doubling of heads a KV head */
    QUALITY_TIED,         /* nats: one table, at the same blocks */
    QUALITY_PLAIN,        /* nats: two FFN matrices for three */
    QUALITY_REPEATS,      /* phi: repeats^phi of a layer's parameters count */
    QUALITY_W8A8,         /* nats */
    QUALITY_POINTS,       /* points of accuracy a nat, the paper's recipe */
    QUALITY_EVALUATION,   /* points: one evaluation's own error (its value is a spread) */
    QUALITY_INFLATE,      /* of the posterior's spread */
    QUALITY_RUN,          /* ln loss: one run's own error */
    QUALITY_SHAPE,        /* ln loss: a shape's misfit */
    QUALITY_BETWEEN,      /* ln loss: shape effects between recipes, for few shapes */
    QUALITY_GROW_N,       /* growth of the misfit, an e-fold of parameters beyond the data */
    QUALITY_GROW_T,       /* ... of tokens */
    QUALITY_HUBER,        /* sigmas */
    QUALITY_SIGMA,        /* ln loss of a row, for the weights */
    QUALITY_SIGMA_TOKENS, /* where few tokens double its variance */
    QUALITY_RUN_GAIN,     /* what a further checkpoint of a run counts */
    N_QUALITY_CONSTANTS,
};

struct quality_constants {
    double value[N_QUALITY_CONSTANTS];
    double sd[N_QUALITY_CONSTANTS]; /* 0: chosen, not measured */
};

struct quality_constant_row {
    const char *key, *what, *unit; /* unit "nats", "points", "" */
    double value, sd;
    const char *kind, *source; /* kind: as in device profiles, "chosen" "published" "estimate" */
};
extern const struct quality_constant_row quality_constant_rows[N_QUALITY_CONSTANTS];

void quality_constants_default(struct quality_constants *out);

/* What no data tells, for listings: NULL ends it. */
extern const char *const quality_untold[];

#endif
