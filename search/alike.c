#include "search/alike.h"

#include <math.h>

#include "device/interval.h"

static bool same_decode(const struct alike_row *a, const struct alike_row *b)
{
    return intervals_overlap(a->decode_ns_low, a->decode_ns_high, b->decode_ns_low,
                             b->decode_ns_high);
}

static bool comparable_loss(const struct alike_row *a, const struct alike_row *b)
{
    return a->has_loss && b->has_loss && a->vocab == b->vocab;
}

/* Sets the probability that `row` has the lower loss, too. */
static bool same_loss(const struct quality_law *law, const struct alike_row *row,
                      const struct alike_row *first, double *better)
{
    struct quality_difference difference;
    if (!comparable_loss(row, first))
        return false;
    quality_compare(law, &row->loss, &first->loss, &difference);
    *better = difference.probability;
    return difference.indistinguishable;
}

size_t alike_group(const struct quality_law *law, const struct alike_row *rows, size_t n,
                   const size_t *outdone_by, struct alike_place *places)
{
    size_t first = 0, n_groups = 0;
    for (size_t i = 0; i < n; i++) {
        double better = NAN;
        places[i] = (struct alike_place){ALIKE_NONE, ALIKE_NONE, NAN};
        if (outdone_by != NULL && outdone_by[i] != ALIKE_NONE)
            continue;
        if (n_groups == 0 || !same_decode(&rows[i], &rows[first]) ||
            !same_loss(law, &rows[i], &rows[first], &better)) {
            first = i;
            better = NAN;
            n_groups++;
        }
        places[i] = (struct alike_place){n_groups - 1, first, better};
    }
    return n_groups;
}

#define NOT_JUDGED (ALIKE_NONE - 1)

static size_t fastest_not_judged(const struct alike_row *rows, size_t n, const size_t *by)
{
    size_t fastest = ALIKE_NONE;
    for (size_t i = 0; i < n; i++)
        if (by[i] == NOT_JUDGED &&
            (fastest == ALIKE_NONE || rows[i].decode_ns_low < rows[fastest].decode_ns_low))
            fastest = i;
    return fastest;
}

static bool in_step(const struct alike_row *row, const struct alike_row *fastest)
{
    return comparable_loss(row, fastest) && same_decode(row, fastest);
}

static bool outdoes(const struct quality_law *law, const struct alike_row *best,
                    const struct alike_row *row)
{
    struct quality_difference difference;
    quality_compare(law, &best->loss, &row->loss, &difference);
    return !difference.indistinguishable && difference.nats < 0;
}

/* Of the step that begins with `fastest`. */
static size_t lowest_loss(const struct alike_row *rows, size_t n, const size_t *by, size_t fastest)
{
    size_t best = fastest;
    for (size_t i = 0; i < n; i++)
        if (by[i] == NOT_JUDGED && in_step(&rows[i], &rows[fastest]) &&
            rows[i].loss.loss_nats < rows[best].loss.loss_nats)
            best = i;
    return best;
}

size_t alike_outdone(const struct quality_law *law, const struct alike_row *rows, size_t n,
                     size_t *by)
{
    size_t n_outdone = 0, fastest;
    for (size_t i = 0; i < n; i++)
        by[i] =
            in_step(&rows[i], &rows[i]) ? NOT_JUDGED : ALIKE_NONE; /* else something is unknown */
    while ((fastest = fastest_not_judged(rows, n, by)) != ALIKE_NONE) {
        size_t best = lowest_loss(rows, n, by, fastest);
        for (size_t i = 0; i < n; i++)
            if (by[i] == NOT_JUDGED && in_step(&rows[i], &rows[fastest])) {
                bool outdone = outdoes(law, &rows[best], &rows[i]);
                by[i] = outdone ? best : ALIKE_NONE;
                n_outdone += outdone;
            }
    }
    return n_outdone;
}
