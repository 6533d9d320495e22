#include "search/front.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* < 0: a before b. By objectives in their order, then by id. */
static int compare(const struct objectives *objectives, const struct candidate *a,
                   const struct candidate *b)
{
    for (int i = 0; i < objectives->n; i++) {
        double x = objective_score(objectives, i, a), y = objective_score(objectives, i, b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a->row.id > b->row.id) - (a->row.id < b->row.id);
}

static bool are_comparable(const struct objectives *objectives, const struct candidate *a,
                           const struct candidate *b)
{
    return !objectives->compare_losses || a->row.vocab_size == b->row.vocab_size;
}

/* a at least as good everywhere, and better somewhere or equal everywhere with the lower id. */
static bool dominates(const struct objectives *objectives, const struct candidate *a,
                      const struct candidate *b)
{
    bool better = false;
    if (!are_comparable(objectives, a, b))
        return false;
    for (int i = 0; i < objectives->n; i++) {
        double x = objective_score(objectives, i, a), y = objective_score(objectives, i, b);
        if (x > y)
            return false;
        better |= x < y;
    }
    return better || a->row.id < b->row.id;
}

void front_init(struct front *front, const struct objectives *objectives)
{
    *front = (struct front){.objectives = *objectives};
}

/* First member that does not sort before the candidate. */
static size_t place_of(const struct front *front, const struct candidate *candidate)
{
    size_t low = 0, high = front->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(&front->objectives, &front->member[middle], candidate) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_known(const struct objectives *objectives, const struct candidate *candidate)
{
    for (int i = 0; i < objectives->n; i++)
        if (objective_score(objectives, i, candidate) == INFINITY)
            return false;
    return true;
}

/* Members are known in everything, or none of them is. False: the candidate is not, and they are. */
static bool leave_to_known(struct front *front, const struct candidate *candidate)
{
    bool known = is_known(&front->objectives, candidate);
    if (front->n == 0 || known == is_known(&front->objectives, &front->member[0]))
        return true;
    if (known)
        front->n = 0;
    return known;
}

enum status front_add(struct front *front, const struct candidate *candidate, struct err *err)
{
    const struct objectives *o = &front->objectives;
    if (!leave_to_known(front, candidate))
        return STATUS_OK;
    size_t at = place_of(front, candidate);
    /* Only a member that sorts before can dominate; with two objectives the nearest one does if
     * any. */
    for (size_t i = at; i-- > 0;) {
        if (dominates(o, &front->member[i], candidate))
            return STATUS_OK;
        if (o->n <= 2 && are_comparable(o, &front->member[i], candidate))
            break;
    }
    void *array = front->member;
    enum status status =
        memory_grow(&array, &front->capacity, front->n + 1, sizeof *front->member, err);
    front->member = array;
    if (status)
        return status;
    size_t kept = at;
    for (size_t i = at; i < front->n; i++) {
        if (!dominates(o, candidate, &front->member[i]))
            front->member[kept++] = front->member[i];
    }
    memmove(&front->member[at + 1], &front->member[at], (kept - at) * sizeof *front->member);
    front->member[at] = *candidate;
    front->n = kept + 1;
    return STATUS_OK;
}

void front_release(struct front *front)
{
    memory_free(front->member);
    front->member = NULL;
    front->n = front->capacity = 0;
}

enum status top_init(struct top *top, const struct objectives *objectives, size_t limit,
                     struct err *err)
{
    *top = (struct top){.objectives = *objectives, .limit = limit};
    top->member = memory_new(limit, sizeof *top->member);
    if (!top->member)
        return err_set(err, STATUS_NOMEM, "out of memory for the best %zu", limit);
    return STATUS_OK;
}

static void swap(struct candidate *a, struct candidate *b)
{
    struct candidate keep = *a;
    *a = *b;
    *b = keep;
}

static void sift_down(struct top *top, size_t at, size_t n)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++) {
            if (compare(&top->objectives, &top->member[child], &top->member[worst]) > 0)
                worst = child;
        }
        if (worst == at)
            return;
        swap(&top->member[at], &top->member[worst]);
        at = worst;
    }
}

void top_add(struct top *top, const struct candidate *candidate)
{
    if (top->limit == 0)
        return;
    if (top->n == top->limit) {
        if (compare(&top->objectives, candidate, &top->member[0]) >= 0)
            return;
        top->member[0] = *candidate;
        sift_down(top, 0, top->n);
        return;
    }
    size_t at = top->n++;
    top->member[at] = *candidate;
    while (at > 0 && compare(&top->objectives, &top->member[at], &top->member[(at - 1) / 2]) > 0) {
        swap(&top->member[at], &top->member[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

void top_release(struct top *top)
{
    memory_free(top->member);
    top->member = NULL;
    top->n = 0;
}
