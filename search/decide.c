#include "search/decide.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "search/hypervolume.h"

static void scale_objective(const double *point, size_t n, size_t width, size_t o, double *out)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        double value = point[i * width + o];
        if (!isfinite(value))
            continue;
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    for (size_t i = 0; i < n; i++) {
        double value = point[i * width + o];
        out[i * width + o] = !isfinite(value) ? 1 : high > low ? (value - low) / (high - low) : 0;
    }
}

/* The points with each objective from 0 to 1; memory_free. */
static enum status scaled(const double *point, size_t n, int n_objectives, double **out,
                          struct err *err)
{
    size_t width = (size_t)n_objectives;
    *out = memory_new(n * width + 1, sizeof **out);
    if (!*out)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu points", n);
    for (size_t o = 0; o < width; o++)
        scale_objective(point, n, width, o, *out);
    return STATUS_OK;
}

enum status decide_knee(const double *point, size_t n, int n_objectives, size_t *knee,
                        struct err *err)
{
    size_t width = (size_t)n_objectives;
    double *unit, least = (double)INFINITY;
    enum status status = scaled(point, n, n_objectives, &unit, err);
    if (status)
        return status;
    *knee = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t o = 0; o < width; o++)
            sum += unit[i * width + o];
        if (sum < least) {
            least = sum;
            *knee = i;
        }
    }
    memory_free(unit);
    return STATUS_OK;
}

/* A point of two objectives. */
struct step {
    double x, y;
    size_t index;
};

static int by_x(const void *a, const void *b)
{
    const struct step *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return p->y != q->y ? (p->y < q->y ? -1 : 1) : (p->index > q->index) - (p->index < q->index);
}

/* Areas of the best subsets of a staircase that end with step i, and the step before; for one size
 * after another. */
struct staircase {
    const struct step *step;
    size_t n;
    double reference;
    double *area, *shorter; /* [n], of this size and of one less */
    size_t *before;         /* [k][n] */
};

static void fill_size(struct staircase *s, size_t size)
{
    for (size_t i = 0; i < s->n; i++) {
        double width = s->reference - s->step[i].x, most = -1;
        s->before[size * s->n + i] = i;
        if (size == 0)
            most = width * (s->reference - s->step[i].y);
        for (size_t p = size == 0 ? i : size - 1; p < i; p++) {
            double area = s->shorter[p] + width * (s->step[p].y - s->step[i].y);
            if (area > most) {
                most = area;
                s->before[size * s->n + i] = p;
            }
        }
        s->area[i] = most;
    }
}

static void pick_staircase(struct staircase *s, size_t k, size_t *picked)
{
    for (size_t size = 0; size < k; size++) {
        double *keep = s->shorter;
        s->shorter = s->area;
        s->area = keep;
        fill_size(s, size);
    }
    size_t last = k - 1;
    for (size_t i = k; i < s->n; i++)
        if (s->area[i] > s->area[last])
            last = i;
    for (size_t size = k; size-- > 0;) {
        picked[size] = s->step[last].index;
        last = s->before[size * s->n + last];
    }
}

static enum status pick_two(const double *unit, size_t n, size_t k, double reference,
                            size_t *picked, struct err *err)
{
    struct step *step = memory_new(n, sizeof *step);
    struct staircase s = {step,
                          n,
                          reference,
                          memory_new(n, sizeof *s.area),
                          memory_new(n, sizeof *s.shorter),
                          memory_new(n * k, sizeof *s.before)};
    enum status status = STATUS_OK;
    if (!step || !s.area || !s.shorter || !s.before)
        status = err_set(err, STATUS_NOMEM, "out of memory for %zu of %zu points", k, n);
    for (size_t i = 0; i < n && !status; i++)
        step[i] = (struct step){unit[2 * i], unit[2 * i + 1], i};
    if (!status) {
        qsort(step, n, sizeof *step, by_x);
        pick_staircase(&s, k, picked);
    }
    memory_free(step);
    memory_free(s.area);
    memory_free(s.shorter);
    memory_free(s.before);
    return status;
}

static bool is_in(const size_t *picked, size_t n, size_t i)
{
    for (size_t p = 0; p < n; p++)
        if (picked[p] == i)
            return true;
    return false;
}

/* One after another, each that adds most. */
static enum status pick_greedily(const double *unit, size_t n, int n_objectives, size_t k,
                                 double reference, size_t *picked, struct err *err)
{
    size_t width = (size_t)n_objectives;
    double corner[MAX_HYPERVOLUME_OBJECTIVES];
    double *chosen = memory_new(k * width, sizeof *chosen);
    enum status status = chosen ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t o = 0; o < width; o++)
        corner[o] = reference;
    for (size_t size = 0; size < k && !status; size++) {
        double most = -1, volume;
        for (size_t i = 0; i < n && !status; i++) {
            if (is_in(picked, size, i))
                continue;
            memcpy(chosen + size * width, unit + i * width, width * sizeof *chosen);
            status = hypervolume(chosen, size + 1, n_objectives, corner, &volume, err);
            if (!status && volume > most) {
                most = volume;
                picked[size] = i;
            }
        }
        if (!status)
            memcpy(chosen + size * width, unit + picked[size] * width, width * sizeof *chosen);
    }
    memory_free(chosen);
    return status;
}

static int by_index(const void *a, const void *b)
{
    const size_t *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

enum status decide_pick(const double *point, size_t n, int n_objectives, size_t k, size_t *picked,
                        size_t *n_picked, struct err *err)
{
    double *unit;
    k = k < n ? k : n;
    *n_picked = k;
    if (k == 0)
        return STATUS_OK;
    double reference = k > 1 ? 1 + 1 / (double)(k - 1) : 2;
    enum status status = scaled(point, n, n_objectives, &unit, err);
    if (status)
        return status;
    status = n_objectives == 2 ? pick_two(unit, n, k, reference, picked, err)
                               : pick_greedily(unit, n, n_objectives, k, reference, picked, err);
    if (!status)
        qsort(picked, k, sizeof *picked, by_index);
    memory_free(unit);
    return status;
}

static bool is_elsewhere_as_good(const double *point, const double *from, int n_objectives, int i)
{
    for (int o = 0; o < n_objectives; o++)
        if (o != i && !(point[o] <= from[o]))
            return false;
    return true;
}

double decide_gain(const double *point, size_t n, int n_objectives, const double *from, int i)
{
    double most = 0;
    for (size_t p = 0; p < n; p++) {
        const double *at = point + p * (size_t)n_objectives;
        if (is_elsewhere_as_good(at, from, n_objectives, i) && from[i] - at[i] > most)
            most = from[i] - at[i];
    }
    return most;
}
