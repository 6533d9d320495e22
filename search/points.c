#include "search/points.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* < 0: a before b. */
static int compare(int n_objectives, const struct point *a, const struct point *b)
{
    for (int i = 0; i < n_objectives; i++)
        if (a->score[i] != b->score[i])
            return a->score[i] < b->score[i] ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* a at least as good everywhere, and better somewhere or equal everywhere with the lower id. */
static bool dominates(int n_objectives, const struct point *a, const struct point *b)
{
    bool better = false;
    for (int i = 0; i < n_objectives; i++) {
        if (a->score[i] > b->score[i])
            return false;
        better |= a->score[i] < b->score[i];
    }
    return better || a->id < b->id;
}

static bool is_known(int n_objectives, const double *score)
{
    for (int i = 0; i < n_objectives; i++)
        if (score[i] == INFINITY)
            return false;
    return true;
}

void point_front_init(struct point_front *front, int n_objectives)
{
    *front = (struct point_front){.n_objectives = n_objectives};
}

void point_front_release(struct point_front *front)
{
    memory_free(front->point);
    *front = (struct point_front){.n_objectives = front->n_objectives};
}

bool point_front_is_known(const struct point_front *front)
{
    return front->n > 0 && is_known(front->n_objectives, front->point[0].score);
}

/* First point that does not sort before this one. */
static size_t place_of(const struct point_front *front, const struct point *point)
{
    size_t low = 0, high = front->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(front->n_objectives, &front->point[middle], point) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Only what sorts before can dominate; on a staircase the nearest one does if any. */
static bool is_beaten(const struct point_front *front, size_t at, const struct point *point)
{
    if (front->n_objectives <= 2)
        return at > 0 && dominates(front->n_objectives, &front->point[at - 1], point);
    for (size_t i = at; i-- > 0;)
        if (dominates(front->n_objectives, &front->point[i], point))
            return true;
    return false;
}

/* The last point of a staircase whose first score is not above `score`; NULL: there is none. No
 * two have the same. */
static const struct point *step_at(const struct point_front *front, double score)
{
    size_t low = 0, high = front->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (front->point[middle].score[0] <= score)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &front->point[low - 1] : NULL;
}

bool point_front_beats(const struct point_front *front, const double *score, int64_t id)
{
    struct point point = {.id = id};
    memcpy(point.score, score, (size_t)front->n_objectives * sizeof *score);
    if (front->n > 0 && point_front_is_known(front) != is_known(front->n_objectives, score))
        return point_front_is_known(front);
    if (front->n_objectives > 2)
        return is_beaten(front, place_of(front, &point), &point);
    const struct point *step = step_at(front, score[0]);
    return step != NULL && dominates(front->n_objectives, step, &point);
}

/* Takes out what the point, to be put in at `at`, dominates. Returns how many stay behind it. */
static size_t drop_beaten(struct point_front *front, size_t at, const struct point *point)
{
    size_t kept = at;
    for (size_t i = at; i < front->n; i++) {
        if (dominates(front->n_objectives, point, &front->point[i]))
            continue;
        if (front->n_objectives <= 2) { /* the others of a staircase are not, either */
            memmove(&front->point[kept], &front->point[i], (front->n - i) * sizeof *front->point);
            return kept + front->n - i - at;
        }
        front->point[kept++] = front->point[i];
    }
    return kept - at;
}

enum status point_front_add(struct point_front *front, const struct point *point, struct err *err)
{
    const bool known = is_known(front->n_objectives, point->score);
    if (!known && point_front_is_known(front))
        return STATUS_OK;
    if (known && !point_front_is_known(front))
        front->n = 0;
    size_t at = place_of(front, point);
    if (is_beaten(front, at, point) || (at < front->n && front->point[at].id == point->id))
        return STATUS_OK;
    void *array = front->point;
    enum status status =
        memory_grow(&array, &front->capacity, front->n + 1, sizeof *front->point, err);
    front->point = array;
    if (status != STATUS_OK)
        return status;
    size_t behind = drop_beaten(front, at, point);
    memmove(&front->point[at + 1], &front->point[at], behind * sizeof *front->point);
    front->point[at] = *point;
    front->n = at + 1 + behind;
    return STATUS_OK;
}

enum status point_front_merge(struct point_front *front, const struct point_front *other,
                              struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < other->n && status == STATUS_OK; i++)
        status = point_front_add(front, &other->point[i], err);
    return status;
}

void point_top_init(struct point_top *top, int n_objectives, size_t limit)
{
    *top = (struct point_top){.n_objectives = n_objectives, .limit = limit};
}

void point_top_release(struct point_top *top)
{
    memory_free(top->point);
    *top = (struct point_top){.n_objectives = top->n_objectives, .limit = top->limit};
}

double point_top_worst(const struct point_top *top)
{
    return top->n < top->limit ? INFINITY : top->limit == 0 ? -INFINITY : top->point[0].score[0];
}

static void swap(struct point *a, struct point *b)
{
    struct point keep = *a;
    *a = *b;
    *b = keep;
}

static void sift_down(struct point_top *top)
{
    for (size_t at = 0;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < top->n; child++)
            if (compare(top->n_objectives, &top->point[child], &top->point[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        swap(&top->point[at], &top->point[worst]);
        at = worst;
    }
}

enum status point_top_add(struct point_top *top, const struct point *point, struct err *err)
{
    if (top->limit == 0)
        return STATUS_OK;
    if (top->n == top->limit) {
        if (compare(top->n_objectives, point, &top->point[0]) >= 0)
            return STATUS_OK;
        top->point[0] = *point;
        sift_down(top);
        return STATUS_OK;
    }
    void *array = top->point;
    enum status status = memory_grow(&array, &top->capacity, top->n + 1, sizeof *top->point, err);
    top->point = array;
    if (status != STATUS_OK)
        return status;
    size_t at = top->n++;
    top->point[at] = *point;
    while (at > 0 && compare(top->n_objectives, &top->point[at], &top->point[(at - 1) / 2]) > 0) {
        swap(&top->point[at], &top->point[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return STATUS_OK;
}
