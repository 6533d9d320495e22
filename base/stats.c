#include "base/stats.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_quantile(double *values, size_t n, double q)
{
    assert(n >= 1 && q >= 0 && q <= 1);
    qsort(values, n, sizeof *values, by_value);
    double at = q * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return values[n - 1];
    double part = at - (double)low;
    return part == 0 ? values[low] : values[low] * (1 - part) + values[low + 1] * part;
}

double stats_median(double *values, size_t n)
{
    return stats_quantile(values, n, 0.5);
}

/* The nearest values lie around the median on both sides, so the deviations in order come from
 * merging two sorted runs; nothing is overwritten. */
double stats_mad(double *values, size_t n)
{
    double median = stats_median(values, n);
    size_t right = 0;
    while (right < n && values[right] < median)
        right++;
    size_t left = right;
    double previous = 0, deviation = 0;
    for (size_t i = 0; i <= n / 2; i++) {
        previous = deviation;
        double to_left = left > 0 ? median - values[left - 1] : INFINITY;
        double to_right = right < n ? values[right] - median : INFINITY;
        if (to_left < to_right) {
            deviation = to_left;
            left--;
        } else {
            deviation = to_right;
            right++;
        }
    }
    return n % 2 == 1 ? deviation : (previous + deviation) / 2;
}

double stats_mean(const double *values, size_t n)
{
    assert(n >= 1);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

double stats_stddev(const double *values, size_t n)
{
    if (n == 1)
        return 0;
    double mean = stats_mean(values, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

struct ranked {
    double value;
    size_t place;
};

static int by_ranked_value(const void *a, const void *b)
{
    return by_value(&((const struct ranked *)a)->value, &((const struct ranked *)b)->value);
}

/* Ties share the mean of their ranks. `order` is workspace. */
static void rank(const double *values, size_t n, struct ranked *order, double *ranks)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){values[i], i};
    qsort(order, n, sizeof *order, by_ranked_value);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && order[j].value == order[i].value)
            j++;
        for (size_t k = i; k < j; k++)
            ranks[order[k].place] = (double)(i + j - 1) / 2;
        i = j;
    }
}

static double pearson(const double *x, const double *y, size_t n)
{
    double mean_x = stats_mean(x, n), mean_y = stats_mean(y, n);
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        xx += (x[i] - mean_x) * (x[i] - mean_x);
        yy += (y[i] - mean_y) * (y[i] - mean_y);
        xy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    return xx > 0 && yy > 0 ? fmax(-1, fmin(1, xy / sqrt(xx * yy))) : NAN;
}

double stats_spearman(const double *x, const double *y, size_t n)
{
    double result = NAN;
    struct ranked *order = memory_new(n, sizeof *order);
    double *ranks_x = memory_new(n, sizeof *ranks_x), *ranks_y = memory_new(n, sizeof *ranks_y);
    if (n >= 2 && order != NULL && ranks_x != NULL && ranks_y != NULL) {
        rank(x, n, order, ranks_x);
        rank(y, n, order, ranks_y);
        result = pearson(ranks_x, ranks_y, n);
    }
    memory_free(ranks_y);
    memory_free(ranks_x);
    memory_free(order);
    return result;
}

struct pair {
    double x, y;
};

static int by_x_then_y(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int order = by_value(&p->x, &q->x);
    return order != 0 ? order : by_value(&p->y, &q->y);
}

/* Sorts by y, counting the exchanges a bubble sort would make: the discordant pairs. */
static double merge_counting(struct pair *pairs, struct pair *spare, size_t n)
{
    if (n < 2)
        return 0;
    size_t half = n / 2;
    double swaps =
        merge_counting(pairs, spare, half) + merge_counting(pairs + half, spare + half, n - half);
    memcpy(spare, pairs, n * sizeof *pairs);
    for (size_t i = 0, j = half, k = 0; k < n; k++) {
        if (j >= n || (i < half && spare[i].y <= spare[j].y)) {
            pairs[k] = spare[i++];
        } else {
            swaps += (double)(half - i);
            pairs[k] = spare[j++];
        }
    }
    return swaps;
}

static double pairs_in(size_t n)
{
    return (double)n * ((double)n - 1) / 2;
}

/* Knight's method (1966), O(n log n). */
double stats_kendall(const double *x, const double *y, size_t n)
{
    if (n < 2)
        return NAN;
    double result = NAN;
    struct pair *pairs = memory_new(n, sizeof *pairs), *spare = memory_new(n, sizeof *spare);
    if (pairs != NULL && spare != NULL) {
        for (size_t i = 0; i < n; i++)
            pairs[i] = (struct pair){x[i], y[i]};
        qsort(pairs, n, sizeof *pairs, by_x_then_y);
        double tied_x = 0, tied_y = 0, tied_both = 0;
        for (size_t i = 0, run = 0, both = 0; i <= n; i++) {
            bool same_x = i < n && pairs[i].x == pairs[run].x;
            if (i == n || !same_x || pairs[i].y != pairs[both].y) {
                tied_both += pairs_in(i - both);
                both = i;
            }
            if (!same_x) {
                tied_x += pairs_in(i - run);
                run = i;
            }
        }
        double discordant = merge_counting(pairs, spare, n);
        for (size_t i = 0, run = 0; i <= n; i++) {
            if (i == n || pairs[i].y != pairs[run].y) {
                tied_y += pairs_in(i - run);
                run = i;
            }
        }
        double all = pairs_in(n);
        double score = all - tied_x - tied_y + tied_both - 2 * discordant;
        if (all > tied_x && all > tied_y)
            result = score / (sqrt(all - tied_x) * sqrt(all - tied_y));
    }
    memory_free(spare);
    memory_free(pairs);
    return result;
}

static uint64_t rotated(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        rng->state[i] = z ^ (z >> 31);
    }
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    assert(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low + 1;
    if (span == 0)
        return (int64_t)rng_next(rng);
    /* numbers below 2^64 mod span would make the small results likelier */
    uint64_t reject = (0 - span) % span, drawn;
    do
        drawn = rng_next(rng);
    while (drawn < reject);
    return (int64_t)((uint64_t)low + drawn % span);
}

double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2 * log(1 - rng_uniform(rng)));
    return radius * cos(6.283185307179586 * rng_uniform(rng));
}

void reservoir_init(struct reservoir *reservoir, size_t capacity, uint64_t seed)
{
    *reservoir = (struct reservoir){.capacity = capacity};
    rng_init(&reservoir->rng, seed);
}

size_t reservoir_place(struct reservoir *reservoir)
{
    int64_t drawn = rng_between(&reservoir->rng, 0, reservoir->n_seen);
    int64_t seen = reservoir->n_seen++;
    return (size_t)seen < reservoir->capacity ? (size_t)seen : (size_t)drawn;
}
