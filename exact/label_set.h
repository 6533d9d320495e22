/* Partial stacks that nothing beats: labels of a multi-objective shortest path.
 *
 * A label is what a partial stack costs so far, in whole numbers to be minimised, and where it came
 * from. Of two labels of a set the one that costs at least as much in everything goes: whatever can
 * follow it can follow the other one too. Whole numbers make the result independent of the order of
 * sums. Source: Martins, On a multicriteria shortest path problem, European Journal of Operational
 * Research 16 (1984); for two costs the lists of Nemhauser and Ullmann (1969). */
#ifndef LATHE_EXACT_LABEL_SET_H
#define LATHE_EXACT_LABEL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { MAX_COSTS = 16 };

struct label_origin {
    uint32_t set, label; /* of the place before */
    int32_t choice;      /* of the place */
};

/* In ascending order of cost (first differing), none beaten by another; start with `= {0}`. */
struct label_set {
    size_t n, cost_capacity, from_capacity;
    int64_t *cost;             /* [n][n_costs]; owned */
    struct label_origin *from; /* [n]; owned */
};
void label_set_release(struct label_set *set);

/* What labels have in common. */
struct label_rules {
    int n_costs;
    /* 0: exact. Else a label also goes when another one costs at most 1 + trim as much in
     * everything; costs are at least 0 then. */
    double trim;
    bool is_untrimmed[MAX_COSTS]; /* where only as much or less will do: costs with a limit */
};

/* What the calls below work in; one a thread, start with `= {0}`. It grows to the largest set. */
struct label_room {
    struct label_set set;
    size_t order_capacity, stairs_capacity;
    size_t *order;   /* owned */
    int64_t *stairs; /* owned */
};
void label_room_release(struct label_room *room);

/* Labels of `from`, each with `add` more, those whose cost stays within `most`, added to `into`;
 * of equal ones the one that is there already stays. Errors: STATUS_NOMEM. */
enum status label_set_add(const struct label_rules *rules, struct label_set *into,
                          struct label_room *room, const struct label_set *from, const int64_t *add,
                          const int64_t *most, uint32_t set, int32_t choice, struct err *err);

/* Once all are added: what is beaten goes (two costs: it has gone already). Errors: STATUS_NOMEM. */
enum status label_set_prune(const struct label_rules *rules, struct label_set *set,
                            struct label_room *room, struct err *err);

/* Into `out`, which is empty, in as much memory as it needs. Errors: STATUS_NOMEM. */
enum status label_set_copy(const struct label_rules *rules, const struct label_set *set,
                           struct label_set *out, struct err *err);

#endif
