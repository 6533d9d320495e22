#include "search/hypervolume.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool is_below(const double *point, const double *reference, int n_objectives)
{
    for (int k = 0; k < n_objectives; k++)
        if (!(point[k] < reference[k]))
            return false;
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A point by its last objective; ascending. */
struct slice {
    double at;
    const double *point;
};

static int by_slice(const void *a, const void *b)
{
    return by_value(&((const struct slice *)a)->at, &((const struct slice *)b)->at);
}

/* Of points [n][2], sorted in place. */
static double area(double *point, size_t n, const double *reference)
{
    double sum = 0, lowest = reference[1];
    qsort(point, n, 2 * sizeof *point, by_value);
    for (size_t i = 0; i < n; i++) {
        if (point[2 * i + 1] >= lowest)
            continue;
        sum += (reference[0] - point[2 * i]) * (lowest - point[2 * i + 1]);
        lowest = point[2 * i + 1];
    }
    return sum;
}

static double length(const double *point, size_t n, double reference)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = reference - point[i] > most ? reference - point[i] : most;
    return most;
}

static enum status volume(double *point, size_t n, int n_objectives, const double *reference,
                          double *out, struct err *err);

/* Between two values of the last objective all points up to the lower one count, without it. */
static enum status add_slices(struct slice *slice, size_t n, int n_objectives,
                              const double *reference, double *flat, double *out, struct err *err)
{
    size_t width = (size_t)n_objectives - 1;
    enum status status = STATUS_OK;
    *out = 0;
    for (size_t i = 0; i < n && !status; i++) {
        double until = i + 1 < n ? slice[i + 1].at : reference[width], within;
        if (until == slice[i].at)
            continue;
        for (size_t j = 0; j <= i; j++)
            memcpy(flat + j * width, slice[j].point, width * sizeof *flat);
        status = volume(flat, i + 1, n_objectives - 1, reference, &within, err);
        *out += (until - slice[i].at) * within;
    }
    return status;
}

/* May reorder the points. */
static enum status volume(double *point, size_t n, int n_objectives, const double *reference,
                          double *out, struct err *err)
{
    size_t width = (size_t)n_objectives;
    *out = 0;
    if (n_objectives == 1)
        *out = length(point, n, reference[0]);
    else if (n_objectives == 2)
        *out = area(point, n, reference);
    if (n_objectives <= 2)
        return STATUS_OK;
    struct slice *slice = memory_new(n + 1, sizeof *slice);
    double *flat = memory_new(n * width + 1, sizeof *flat);
    enum status status = slice && flat ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !status; i++)
        slice[i] = (struct slice){point[i * width + width - 1], point + i * width};
    if (!status) {
        qsort(slice, n, sizeof *slice, by_slice);
        status = add_slices(slice, n, n_objectives, reference, flat, out, err);
    }
    memory_free(slice);
    memory_free(flat);
    return status;
}

enum status hypervolume(const double *point, size_t n, int n_objectives, const double *reference,
                        double *out, struct err *err)
{
    size_t width = (size_t)n_objectives, kept = 0;
    assert(n_objectives >= 1 && n_objectives <= MAX_HYPERVOLUME_OBJECTIVES);
    double *below = memory_new(n * width + 1, sizeof *below);
    if (!below)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu points", n);
    for (size_t i = 0; i < n; i++)
        if (is_below(point + i * width, reference, n_objectives))
            memcpy(below + width * kept++, point + i * width, width * sizeof *below);
    enum status status = volume(below, kept, n_objectives, reference, out, err);
    memory_free(below);
    return status;
}
