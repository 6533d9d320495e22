#include "exact/key_table.h"

#include <string.h>

#include "base/memory.h"

static uint64_t hash(const int64_t *key, int width)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < width; i++) {
        h = (h ^ (uint64_t)key[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return h;
}

static bool equal(const struct key_table *table, uint32_t row, const int64_t *key)
{
    return memcmp(key_table_key(table, row), key, (size_t)table->width * sizeof *key) == 0;
}

/* The slot that has the key or is free for it. */
static size_t find(const struct key_table *table, const int64_t *key)
{
    size_t at = hash(key, table->width) & (table->n_slots - 1);
    while (table->slot[at] != 0 && !equal(table, table->slot[at] - 1, key))
        at = (at + 1) & (table->n_slots - 1);
    return at;
}

static enum status grow_slots(struct key_table *table, struct err *err)
{
    size_t n = table->n_slots == 0 ? 64 : 2 * table->n_slots;
    uint32_t *slots = memory_new(n, sizeof *slots);
    if (!slots)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu keys", n);
    memory_free(table->slot);
    table->slot = slots;
    table->n_slots = n;
    for (size_t row = 0; row < table->n; row++)
        slots[find(table, key_table_key(table, row))] = (uint32_t)row + 1;
    return STATUS_OK;
}

bool key_table_find(const struct key_table *table, const int64_t *key, uint32_t *row)
{
    size_t at = table->n_slots > 0 ? find(table, key) : 0;
    if (table->n_slots == 0 || table->slot[at] == 0)
        return false;
    *row = table->slot[at] - 1;
    return true;
}

enum status key_table_row(struct key_table *table, const int64_t *key, uint32_t *row,
                          struct err *err)
{
    enum status status = STATUS_OK;
    if (2 * (table->n + 1) > table->n_slots && (status = grow_slots(table, err)))
        return status;
    size_t at = find(table, key), width = (size_t)table->width;
    if (table->slot[at] == 0) {
        if (table->n == UINT32_MAX - 1)
            return err_set(err, STATUS_RANGE, "more than 2^32 keys");
        status = memory_grow((void **)&table->key, &table->capacity, (table->n + 1) * width,
                             sizeof *table->key, err);
        if (status)
            return status;
        memcpy(table->key + table->n * width, key, width * sizeof *key);
        table->slot[at] = (uint32_t)++table->n;
    }
    *row = table->slot[at] - 1;
    return STATUS_OK;
}

void key_table_release(struct key_table *table)
{
    memory_free(table->key);
    memory_free(table->slot);
    *table = (struct key_table){.width = table->width};
}

enum status key_steps_add(struct key_steps *steps, struct key_step step, struct err *err)
{
    enum status status = memory_grow((void **)&steps->step, &steps->capacity, steps->n + 1,
                                     sizeof *steps->step, err);
    if (!status)
        steps->step[steps->n++] = step;
    return status;
}

enum status key_steps_sort(struct key_steps *steps, size_t n_targets, size_t *start,
                           struct err *err)
{
    struct key_step *sorted = memory_new(steps->n, sizeof *sorted);
    if (!sorted)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu steps", steps->n);
    memset(start, 0, (n_targets + 1) * sizeof *start);
    for (size_t i = 0; i < steps->n; i++)
        start[steps->step[i].target + 1]++;
    for (size_t t = 0; t < n_targets; t++)
        start[t + 1] += start[t];
    for (size_t i = 0; i < steps->n; i++)
        sorted[start[steps->step[i].target]++] = steps->step[i];
    for (size_t t = n_targets; t > 0; t--) /* each has moved to the next one's */
        start[t] = start[t - 1];
    start[0] = 0;
    memory_free(steps->step);
    steps->step = sorted;
    steps->capacity = steps->n;
    return STATUS_OK;
}

void key_steps_release(struct key_steps *steps)
{
    memory_free(steps->step);
    *steps = (struct key_steps){0};
}
