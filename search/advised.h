/* Advice on devices: the networks that search/advice.h chooses, what they cost, how sure the choice
 * is and which small runs would make it surer. */
#ifndef LATHE_SEARCH_ADVISED_H
#define LATHE_SEARCH_ADVISED_H

#include "quality/next_runs.h"
#include "search/advice.h"
#include "search/loss_scale.h"

enum { ADVISED_RUNS = 3 }; /* that are proposed */

/* A run that is proposed costs at most this share of training the answer: a dearer one is no
 * shortcut. */
#define ADVISED_RUN_FRAC 0.1

/* Of what an e-fold larger network of the same proportions gains at the same tokens, seen from the
 * candidate with the lowest expected loss: the price of an e-fold of time (search/advice.h). */
#define ADVISED_TIME_SHARE 0.5

struct advise_question {
    const struct enumeration *enumeration;
    struct workload workload;
    const struct loss_scale *loss; /* knows the vocabulary of the enumeration, which has one */
    const struct training_gpu *gpu;
    struct advice_limits limits;
    int n_devices;
    const char *device[MAX_ADVICE_DEVICES];
    const struct machine *machine[MAX_ADVICE_DEVICES];
};

struct advised_network {
    struct candidate candidate; /* id UNKNOWN_INT: there is none */
    char name[128];
    struct quality_shape shape;
    struct quality_prediction prediction;
    struct training_cost cost;
};

/* A network beside another. */
struct advised_pair {
    struct quality_difference loss; /* first minus second */
    double decode_frac;             /* time of the first over the second's, less 1 */
    /* The times' intervals (device/interval.h) do not overlap; false also where nobody knows them. */
    bool decode_apart;
};

struct advised {
    struct advised_network answer, runner_up, wide;
    struct advised_pair over_runner_up, over_wide; /* the answer beside them */
    double decode_interval_frac;                   /* of the device; NaN: unknown */
    unsigned outside;                              /* QUALITY_* bits of all three */
    /* Contenders: the answer and the runner-up, or the wide one where there is none; fewer than two:
     * nothing to settle. */
    struct quality_plan plan;
    struct quality_next_run runs[ADVISED_RUNS];
    int n_runs; /* 0: those that are allowed say nothing more */
    double runs_gpu_hours;
    /* Is the expected difference of the contenders larger than its half width, before and after? */
    bool settled, settles;
};

/* Of all devices. */
struct advised_all {
    double time_nats; /* the price of time; 0: a limit speaks of decoding */
    struct advice_compromise compromise;
    struct advised_network on[MAX_ADVICE_DEVICES]; /* the compromise, priced on each */
};

bool advised_has(const struct advised_network *network);
bool advised_same(const struct advised_network *a, const struct advised_network *b);

/* on: [n_devices]. Errors: STATUS_RANGE where a device's limits allow nothing, with the nearest;
 * STATUS_NOMEM, and those of enumerate_candidates and quality_next_runs. */
enum status advise(const struct advise_question *question, struct advised *on,
                   struct advised_all *all, struct err *err);

#endif
