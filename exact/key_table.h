/* The keys of a place: which sums and states partial stacks can have there, and how they follow from
 * those of the place before. */
#ifndef LATHE_EXACT_KEY_TABLE_H
#define LATHE_EXACT_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Rows of `width` numbers, each once, by the order in which they came. Start with .width set. */
struct key_table {
    int width;
    size_t n, capacity, n_slots;
    int64_t *key;   /* [n][width]; owned */
    uint32_t *slot; /* [n_slots], a power of two: 1 + row, 0 = free; owned */
};
/* The row of this key, which is put in if it is new. Errors: STATUS_NOMEM. */
enum status key_table_row(struct key_table *table, const int64_t *key, uint32_t *row,
                          struct err *err);
/* The row of a key that is there; false: it is not. */
bool key_table_find(const struct key_table *table, const int64_t *key, uint32_t *row);
static inline const int64_t *key_table_key(const struct key_table *table, size_t row)
{
    return table->key + row * (size_t)table->width;
}
void key_table_release(struct key_table *table);

/* Sorted by target: how a key of a place follows from one of the place before. */
struct key_step {
    uint32_t source, target;
    int32_t choice;
};
struct key_steps {
    size_t n, capacity;
    struct key_step *step; /* owned */
};
enum status key_steps_add(struct key_steps *steps, struct key_step step, struct err *err);
/* By target, else in the order in which they came. start: [n_targets + 1], the first step of each.
 * Errors: STATUS_NOMEM. */
enum status key_steps_sort(struct key_steps *steps, size_t n_targets, size_t *start,
                           struct err *err);
void key_steps_release(struct key_steps *steps);

#endif
