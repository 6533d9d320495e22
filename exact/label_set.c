#include "exact/label_set.h"

#include <string.h>

#include "base/memory.h"

void label_set_release(struct label_set *set)
{
    memory_free(set->cost);
    memory_free(set->from);
    *set = (struct label_set){0};
}

void label_room_release(struct label_room *room)
{
    label_set_release(&room->set);
    memory_free(room->order);
    memory_free(room->stairs);
    *room = (struct label_room){0};
}

static enum status reserve(struct label_set *set, int n_costs, size_t n, struct err *err)
{
    enum status status = memory_grow((void **)&set->cost, &set->cost_capacity, n * (size_t)n_costs,
                                     sizeof *set->cost, err);
    if (status)
        return status;
    return memory_grow((void **)&set->from, &set->from_capacity, n, sizeof *set->from, err);
}

static void put(struct label_set *set, int n_costs, const int64_t *cost, struct label_origin from)
{
    memcpy(set->cost + set->n * (size_t)n_costs, cost, (size_t)n_costs * sizeof *cost);
    set->from[set->n++] = from;
}

/* False: beyond the limit. */
static bool shift(const int64_t *cost, const int64_t *add, const int64_t *most, int n, int64_t *out)
{
    bool fits = true;
    for (int i = 0; i < n; i++) {
        out[i] = cost[i] + add[i];
        fits &= out[i] <= most[i];
    }
    return fits;
}

static enum status append(const struct label_rules *rules, struct label_set *into,
                          const struct label_set *from, const int64_t *add, const int64_t *most,
                          uint32_t set, int32_t choice, struct err *err)
{
    int n = rules->n_costs;
    int64_t cost[MAX_COSTS];
    enum status status = reserve(into, n, into->n + from->n, err);
    if (status)
        return status;
    for (size_t i = 0; i < from->n; i++)
        if (shift(from->cost + i * (size_t)n, add, most, n, cost))
            put(into, n, cost, (struct label_origin){set, (uint32_t)i, choice});
    return STATUS_OK;
}

/* A staircase under way: the last one written has the least second cost so far. */
static void step_down(struct label_set *out, int64_t first, int64_t second,
                      struct label_origin from)
{
    if (out->n > 0 && out->cost[2 * out->n - 1] <= second)
        return;
    out->cost[2 * out->n] = first;
    out->cost[2 * out->n + 1] = second;
    out->from[out->n++] = from;
}

/* Two staircases of two costs become one in a single pass over both. */
static enum status merge(struct label_set *into, struct label_set *spare,
                         const struct label_set *from, const int64_t *add, const int64_t *most,
                         uint32_t set, int32_t choice, struct err *err)
{
    enum status status = reserve(spare, 2, into->n + from->n, err);
    if (status)
        return status;
    const int64_t *a = into->cost, *b = from->cost;
    size_t i = 0, j = 0, n = into->n, m = from->n;
    spare->n = 0;
    while (j < m && b[2 * j + 1] + add[1] > most[1]) /* second costs fall */
        j++;
    while (m > j && b[2 * m - 2] + add[0] > most[0])
        m--;
    while (i < n || j < m) {
        int64_t first = j < m ? b[2 * j] + add[0] : 0, second = j < m ? b[2 * j + 1] + add[1] : 0;
        bool old = j == m ||
                   (i < n && (a[2 * i] < first || (a[2 * i] == first && a[2 * i + 1] <= second)));
        if (old) {
            step_down(spare, a[2 * i], a[2 * i + 1], into->from[i]);
            i++;
        } else {
            step_down(spare, first, second, (struct label_origin){set, (uint32_t)j, choice});
            j++;
        }
    }
    struct label_set merged = *spare;
    *spare = *into;
    *into = merged;
    return STATUS_OK;
}

enum status label_set_add(const struct label_rules *rules, struct label_set *into,
                          struct label_room *room, const struct label_set *from, const int64_t *add,
                          const int64_t *most, uint32_t set, int32_t choice, struct err *err)
{
    if (rules->n_costs == 2)
        return merge(into, &room->set, from, add, most, set, choice, err);
    return append(rules, into, from, add, most, set, choice, err);
}

static int compare(const int64_t *a, const int64_t *b, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* Whether the label may stand before the other one. */
static bool is_in_order(const struct label_set *set, int n_costs, size_t a, size_t b)
{
    return compare(set->cost + a * (size_t)n_costs, set->cost + b * (size_t)n_costs, n_costs) <= 0;
}

/* Labels come as runs in order, one a source: where they start, and the end of all. */
static size_t find_runs(const struct label_set *set, int n_costs, size_t *start)
{
    size_t n_runs = 0;
    for (size_t i = 0; i < set->n; i++)
        if (i == 0 || !is_in_order(set, n_costs, i - 1, i))
            start[n_runs++] = i;
    start[n_runs] = set->n;
    return n_runs;
}

/* order[begin .. end - 1] from two runs that meet at the middle. */
static void merge_runs(const struct label_set *set, int n_costs, const size_t *order, size_t begin,
                       size_t middle, size_t end, size_t *out)
{
    size_t i = begin, j = middle;
    for (size_t k = begin; k < end; k++) {
        bool left = j == end || (i < middle && is_in_order(set, n_costs, order[i], order[j]));
        out[k] = left ? order[i++] : order[j++];
    }
}

/* The places of labels by ascending cost, stable. room: [3 * n + 1] */
static const size_t *sort(const struct label_set *set, int n_costs, size_t *room)
{
    size_t n = set->n, *order = room, *spare = room + n, *start = room + 2 * n;
    size_t n_runs = find_runs(set, n_costs, start);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    while (n_runs > 1) {
        size_t merged = 0;
        for (size_t r = 0; r < n_runs; r += 2) {
            size_t middle = start[r + 1], end = r + 2 <= n_runs ? start[r + 2] : middle;
            merge_runs(set, n_costs, order, start[r], middle, end, spare);
            start[merged++] = start[r];
        }
        start[merged] = n;
        n_runs = merged;
        size_t *keep = order;
        order = spare;
        spare = keep;
    }
    return order;
}

static bool beats(const struct label_rules *rules, const int64_t *a, const int64_t *b)
{
    for (int i = 0; i < rules->n_costs; i++) {
        if (a[i] <= b[i])
            continue;
        if (rules->trim <= 0 || rules->is_untrimmed[i] ||
            (double)a[i] > (1 + rules->trim) * (double)b[i])
            return false;
    }
    return true;
}

/* Steps of (second cost up, third down): whether one of them is at most both, else it is put in. */
struct stairs {
    size_t n;
    int64_t *step; /* [n][2] */
};

static bool is_below_stairs(struct stairs *stairs, int64_t second, int64_t third)
{
    size_t low = 0, high = stairs->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stairs->step[2 * middle] <= second)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && stairs->step[2 * low - 1] <= third)
        return true;
    /* Those after it that it makes needless, and an equal second cost before it. */
    size_t from = low > 0 && stairs->step[2 * low - 2] == second ? low - 1 : low, to = low;
    while (to < stairs->n && stairs->step[2 * to + 1] >= third)
        to++;
    memmove(stairs->step + 2 * (from + 1), stairs->step + 2 * to,
            (stairs->n - to) * 2 * sizeof *stairs->step);
    stairs->n = stairs->n - (to - from) + 1;
    stairs->step[2 * from] = second;
    stairs->step[2 * from + 1] = third;
    return false;
}

/* Those that stay, in order, into `out`; a label can be beaten by one before it only. */
static void sweep(const struct label_rules *rules, const struct label_set *set, const size_t *order,
                  struct stairs *stairs, struct label_set *out)
{
    int n = rules->n_costs;
    for (size_t i = 0; i < set->n; i++) {
        const int64_t *cost = set->cost + order[i] * (size_t)n;
        bool beaten = false;
        if (n == 3 && rules->trim <= 0)
            beaten = is_below_stairs(stairs, cost[1], cost[2]);
        else
            for (size_t k = out->n; k > 0 && !beaten; k--)
                beaten = beats(rules, out->cost + (k - 1) * (size_t)n, cost);
        if (!beaten)
            put(out, n, cost, set->from[order[i]]);
    }
}

static enum status make_room(struct label_room *room, int n_costs, size_t n, struct err *err)
{
    enum status status = reserve(&room->set, n_costs, n, err);
    if (!status)
        status = memory_grow((void **)&room->order, &room->order_capacity, 3 * n + 1,
                             sizeof *room->order, err);
    if (!status)
        status = memory_grow((void **)&room->stairs, &room->stairs_capacity, 2 * (n + 1),
                             sizeof *room->stairs, err);
    return status;
}

enum status label_set_prune(const struct label_rules *rules, struct label_set *set,
                            struct label_room *room, struct err *err)
{
    if (set->n <= 1 || (rules->n_costs == 2 && rules->trim <= 0))
        return STATUS_OK;
    enum status status = make_room(room, rules->n_costs, set->n, err);
    if (status)
        return status;
    struct stairs stairs = {0, room->stairs};
    room->set.n = 0;
    sweep(rules, set, sort(set, rules->n_costs, room->order), &stairs, &room->set);
    struct label_set pruned = room->set;
    room->set = *set;
    *set = pruned;
    return STATUS_OK;
}

enum status label_set_copy(const struct label_rules *rules, const struct label_set *set,
                           struct label_set *out, struct err *err)
{
    size_t n_costs = (size_t)rules->n_costs;
    if (set->n == 0)
        return STATUS_OK;
    out->cost = memory_new(set->n * n_costs, sizeof *out->cost);
    out->from = memory_new(set->n, sizeof *out->from);
    if (!out->cost || !out->from)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu labels", set->n);
    memcpy(out->cost, set->cost, set->n * n_costs * sizeof *out->cost);
    memcpy(out->from, set->from, set->n * sizeof *out->from);
    out->n = out->from_capacity = set->n;
    out->cost_capacity = set->n * n_costs;
    return STATUS_OK;
}
