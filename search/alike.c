#include "search/alike.h"

#include <math.h>

#include "device/interval.h"

static bool same_decode(const struct alike_row *a, const struct alike_row *b)
{
    return intervals_overlap(a->decode_ns_low, a->decode_ns_high, b->decode_ns_low,
                             b->decode_ns_high);
}

/* Sets the probability that `row` has the lower loss, too. */
static bool same_loss(const struct quality_law *law, const struct alike_row *row,
                      const struct alike_row *first, double *better)
{
    struct quality_difference difference;
    if (!row->has_loss || !first->has_loss || row->vocab != first->vocab)
        return false;
    quality_compare(law, &row->loss, &first->loss, &difference);
    *better = difference.probability;
    return difference.indistinguishable;
}

size_t alike_group(const struct quality_law *law, const struct alike_row *rows, size_t n,
                   struct alike_place *places)
{
    size_t first = 0, n_groups = 0;
    for (size_t i = 0; i < n; i++) {
        double better = NAN;
        if (i == 0 || !same_decode(&rows[i], &rows[first]) ||
            !same_loss(law, &rows[i], &rows[first], &better)) {
            first = i;
            better = NAN;
            n_groups++;
        }
        places[i] = (struct alike_place){n_groups - 1, first, better};
    }
    return n_groups;
}
