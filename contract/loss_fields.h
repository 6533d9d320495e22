/* What a network is worth: how its loss compares with a reference's (quality/).
 *
 * One row a field, for both tables that have it: `candidate` and `prediction`. Losses of different
 * vocabularies are never compared: where the reference has another one, all of these are unknown. */
#ifndef LATHE_CONTRACT_LOSS_FIELDS_H
#define LATHE_CONTRACT_LOSS_FIELDS_H

#include "contract/field.h"

/* F(type, name, unit, meaning, places and title in `candidate`, the same in `prediction`)
 * `lathe predict` prints them in a table of their own: no device changes them. */
/* clang-format off */
#define LOSS_FIELDS(F) \
    F(double, loss_delta_nats, UNIT_NATS, "loss against the run's reference; below 0: better", \
      METRIC | IN_TABLE, "loss", KEPT | OF_ESTIMATE, "loss") \
    F(double, loss_delta_low_nats, UNIT_NATS, "lower end, 90 %", \
      KEPT, "loss, at least", KEPT | OF_ESTIMATE, "low") \
    F(double, loss_delta_high_nats, UNIT_NATS, "upper end, 90 %", \
      KEPT, "loss, at most", KEPT | OF_ESTIMATE, "high") \
    F(double, accuracy_points, UNIT_POINTS, "of accuracy against the reference, the paper's recipe", \
      METRIC, "accuracy", KEPT | OF_ESTIMATE, "accuracy") \
    F(const char *, quality_outside, UNIT_NONE, "where the law's data end; empty: nowhere", \
      KEPT, "outside the data", KEPT | OF_ESTIMATE, "outside")
/* clang-format on */

struct loss {
    LOSS_FIELDS(RECORD_MEMBER)
};

#endif
