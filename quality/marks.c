#include "quality/marks.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static bool near(double a, double b, double tolerance)
{
    return fabs(log(a / b)) < tolerance;
}

static bool is_comparable(const struct quality_run *a, const struct quality_run *b)
{
    return strcmp(a->recipe, b->recipe) == 0 && a->shape.vocab == b->shape.vocab &&
           near(a->tokens, b->tokens, 0.02);
}

enum status quality_pairs_of(const struct quality_run *runs, const bool *judged, size_t n,
                             struct quality_pairs *out, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            const struct quality_shape *a = &runs[i].shape, *b = &runs[j].shape;
            if ((judged != NULL && (!judged[i] || !judged[j])) ||
                !is_comparable(&runs[i], &runs[j]))
                continue;
            struct quality_pair pair = {
                .a = i,
                .b = j,
                .equal_total = near(quality_total_params(a), quality_total_params(b), 0.12),
                .equal_blocks = near(quality_block_params(a), quality_block_params(b), 0.12),
            };
            if (!pair.equal_total && !pair.equal_blocks)
                continue;
            enum status status = memory_grow((void **)&out->items, &out->capacity, out->n + 1,
                                             sizeof *out->items, err);
            if (status != STATUS_OK)
                return status;
            out->items[out->n++] = pair;
        }
    return STATUS_OK;
}

void quality_pairs_release(struct quality_pairs *pairs)
{
    memory_free(pairs->items);
    *pairs = (struct quality_pairs){0};
}

struct tally {
    int n, apart, in_order, covered, decided, right;
};

static void count_pair(const struct quality_law *law, const struct quality_prediction *predictions,
                       const struct quality_run *a, const struct quality_run *b,
                       const struct quality_pair *pair, struct tally *t)
{
    struct quality_difference d = {0};
    double given = a->loss - b->loss, mean = sqrt(a->loss * b->loss);
    if (law != NULL) {
        quality_compare(law, &predictions[pair->a], &predictions[pair->b], &d);
    } else {
        d.nats = quality_block_params(&b->shape) - quality_block_params(&a->shape);
        d.indistinguishable = true;
    }
    bool right = d.nats * given > 0;
    /* Compared as ln loss, so that an error of the level does not count. */
    double scaled =
        law == NULL
            ? 0
            : d.nats * mean / sqrt(predictions[pair->a].loss_nats * predictions[pair->b].loss_nats);
    t->n++;
    t->apart += fabs(given) > QUALITY_NOISE_NATS ? 1 : 0;
    t->in_order += fabs(given) > QUALITY_NOISE_NATS && right ? 1 : 0;
    t->covered += fabs(scaled - log(a->loss / b->loss) * mean) < QUALITY_Z90 * d.sd_nats ? 1 : 0;
    t->decided += d.indistinguishable ? 0 : 1;
    t->right += !d.indistinguishable && right ? 1 : 0;
}

static double share(int part, int whole)
{
    return whole > 0 ? (double)part / whole : (double)NAN;
}

static struct quality_pair_marks marks_of(const struct tally *t, bool stand_in)
{
    return (struct quality_pair_marks){
        .n = t->n,
        .n_apart = t->apart,
        .order_frac = share(t->in_order, t->apart),
        .cover_frac = stand_in ? (double)NAN : share(t->covered, t->n),
        .decided_frac = stand_in ? (double)NAN : share(t->decided, t->n),
        .right_frac = stand_in ? (double)NAN : share(t->right, t->decided),
    };
}

void quality_mark(const struct quality_law *law, const struct quality_prediction *predictions,
                  const struct quality_run *runs, const bool *judged, size_t n,
                  const struct quality_pairs *pairs, struct quality_marks *out)
{
    double error = 0, half = 0;
    int covered = 0, rows = 0;
    struct tally total = {0}, blocks = {0};
    for (size_t i = 0; i < n; i++) {
        if ((judged != NULL && !judged[i]) || !(runs[i].loss > 0) || !(runs[i].tokens > 0))
            continue;
        rows++;
        if (law == NULL)
            continue;
        double miss = fabs(log(predictions[i].loss_nats / runs[i].loss));
        error += miss;
        half += QUALITY_Z90 * predictions[i].sd;
        covered += miss < QUALITY_Z90 * predictions[i].sd ? 1 : 0;
    }
    for (size_t i = 0; i < pairs->n; i++) {
        const struct quality_pair *pair = &pairs->items[i];
        const struct quality_run *a = &runs[pair->a], *b = &runs[pair->b];
        if ((judged != NULL && (!judged[pair->a] || !judged[pair->b])) || !(a->loss > 0) ||
            !(b->loss > 0))
            continue;
        if (pair->equal_total)
            count_pair(law, predictions, a, b, pair, &total);
        if (pair->equal_blocks)
            count_pair(law, predictions, a, b, pair, &blocks);
    }
    bool some = law != NULL && rows > 0;
    *out = (struct quality_marks){
        .n = rows,
        .error_frac = some ? error / rows : (double)NAN,
        .cover_frac = some ? (double)covered / rows : (double)NAN,
        .half_frac = some ? half / rows : (double)NAN,
        .total = marks_of(&total, law == NULL),
        .blocks = marks_of(&blocks, law == NULL),
    };
}
