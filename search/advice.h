/* What to train: one network of a search, what to hold against it, and what suits several devices.
 *
 * The rule, over the candidates that the limits of a device allow. A network's score is its expected
 * loss plus the price of its time: time_nats ln(decode). The best has the least score; the answer is
 * the fastest to decode of those whose expected loss is at most ADVICE_NEAR_NATS above the best's:
 * a learning rate within a factor of two costs as much.
 *
 *   time_nats  0 where a limit speaks of decoding: time below it is free, the best is then the
 *              lowest expected loss and the answer the fastest within 0.01 nats of it. Else half of
 *              what an e-fold larger network would gain (search/advised.h): it would cost an e-fold
 *              of time and one of memory, so time alone may cost half. Without a price the answer
 *              would be three executions of each layer on any device: for 0.04 nats, 2.7 times the
 *              time where no buffer holds a layer.
 *   runner-up  the same rule over those of another kind that give something else: a time of at most
 *              ADVICE_FASTER_FRAC of the answer's, or a loss that is lower by more than twice
 *              ADVICE_NEAR_NATS; where there is none, over all of another kind
 *   wide       the same rule over those of the answer's sharing with at most half its layers: "deep
 *              or wide?", without the sharing's own uncertainty
 *
 * Another kind: other repeats, one FFN for all or not, or a depth more than a quarter away
 * (ADVICE_DEPTH_RATIO). Sharing modes of equal repeats differ in time, not in loss. Ties go to the
 * lower id. Expected losses are compared, not intervals: of two that cannot be told apart one still
 * is the better guess; intervals stand beside it.
 *
 * Several devices. The regret of a network on a device is its score less that of the device's
 * answer, in nats. Over the candidates that every device's limits allow, the best has the least
 * largest regret; the compromise is, of those whose expected loss is at most ADVICE_NEAR_NATS above
 * the best's, the one whose largest time over that of a device's answer is least. Where the answers
 * agree it is theirs.
 *
 * A looser limit on decoding never gives a higher expected loss, and any looser limit never a higher
 * score of the best. */
#ifndef LATHE_SEARCH_ADVICE_H
#define LATHE_SEARCH_ADVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "search/metric.h"

#define ADVICE_NEAR_NATS   0.01
#define ADVICE_FASTER_FRAC 0.9
#define ADVICE_DEPTH_RATIO 1.25 /* of distinct layers */
#define ADVICE_NONE        SIZE_MAX

enum { MAX_ADVICE_DEVICES = 16 };

/* What the rule reads of a candidate; its place in the table is its id. */
struct advice_option {
    double loss_nats; /* expected; only differences count */
    int32_t n_layers, repeats;
    bool share_ffn;
    uint16_t allowed; /* bit d: by the limits of device d */
};

struct advice_table {
    size_t n;
    int n_devices;
    double time_nats;                      /* price of an e-fold of time, >= 0 */
    struct advice_option *option;          /* [n]; owned */
    double *decode_ns[MAX_ADVICE_DEVICES]; /* [n] each; owned */
};

/* Room for `n` candidates, nothing allowed, time free. Errors: STATUS_NOMEM; release after errors
 * too. */
enum status advice_table_init(struct advice_table *table, size_t n, int n_devices, struct err *err);
void advice_table_release(struct advice_table *table);

/* What a network may cost at most. */
struct advice_limits {
    int n;
    struct {
        char name[48]; /* as asked: the value's unit */
        struct metric metric;
        double most;
    } limit[MAX_CONDITIONS];
};
/* Adds "decode_ms=8": any number that a search knows. Errors: STATUS_USAGE. */
enum status advice_limit_add(const char *text, struct advice_limits *limits, struct err *err);
/* Does one of them speak of decoding? */
bool advice_limits_decode(const struct advice_limits *limits);

/* Takes candidates of one device as they come, and remembers the one nearest to the limits. */
struct advice_taker {
    struct advice_table *table;
    int device;
    const struct advice_limits *limits;
    double least_excess; /* INFINITY: none yet */
    struct candidate nearest;
};
void advice_taker_init(struct advice_taker *taker, struct advice_table *table, int device,
                       const struct advice_limits *limits);
/* As enumerate_callback; user: the taker. */
enum status advice_take(const struct candidate *candidates, int64_t n, void *user, struct err *err);
/* STATUS_RANGE unless something is allowed, with what the nearest has: values that, given as
 * limits, allow it. */
enum status advice_taken(const struct advice_taker *taker, const char *device, struct err *err);

/* Places in the table; the latter two: ADVICE_NONE where there is none. */
struct advice {
    size_t answer, runner_up, wide;
};
/* Something is allowed on the device. */
void advice_choose(const struct advice_table *table, int device, struct advice *out);

struct advice_compromise {
    size_t option; /* ADVICE_NONE: nothing is allowed everywhere; the rest is then not set */
    double worst_regret_nats;
    double regret_nats[MAX_ADVICE_DEVICES];
    double slower_frac[MAX_ADVICE_DEVICES]; /* its time over that of the device's answer, less 1 */
    double loss_nats[MAX_ADVICE_DEVICES];   /* its loss over that of the device's answer */
};
/* advice: [table->n_devices]. */
void advice_compromise(const struct advice_table *table, const struct advice *advice,
                       struct advice_compromise *out);

#endif
