/* Order statistics, rank correlation and a small random generator. */
#ifndef LATHE_BASE_STATS_H
#define LATHE_BASE_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Each copies nothing and may reorder `values`. n >= 1, no NaN. */
double stats_median(double *values, size_t n);
/* Quantile q in 0..1, linear between order statistics (type 7 of Hyndman and Fan, 1996). */
double stats_quantile(double *values, size_t n, double q);
/* Median absolute deviation from the median, unscaled (times STATS_SIGMA_PER_MAD it estimates
 * sigma). */
double stats_mad(double *values, size_t n);

/* Sigma of a normal distribution divided by its MAD, which is 1 / its upper quartile (Hampel,
 * 1974). */
#define STATS_SIGMA_PER_MAD 1.4826
/* Standard error of the median of a large normal sample, divided by that of its mean: sqrt(pi / 2).
 */
#define STATS_MEDIAN_ERROR 1.2533
/* Residuals beyond this many sigmas count linearly in Huber's loss. On normal errors the estimate
 * is then 95 % efficient (Huber, 1964; the constant is that of Holland and Welsch, 1977). */
#define STATS_HUBER 1.345

double stats_mean(const double *values, size_t n);
double stats_stddev(const double *values, size_t n); /* n - 1 in the denominator; 0 for n == 1 */

/* Rank correlations with ties (Spearman: Pearson of mean ranks; Kendall: tau-b). NaN when one side
 * is constant or n < 2 or out of memory. */
double stats_spearman(const double *x, const double *y, size_t n);
double stats_kendall(const double *x, const double *y, size_t n);

/* xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64. The state is a parameter and
 * the seed is stored with every result. */
struct rng {
    uint64_t state[4];
};
void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
double rng_uniform(struct rng *rng);                             /* [0, 1) */
int64_t rng_between(struct rng *rng, int64_t low, int64_t high); /* low .. high, both included */
double rng_normal(struct rng *rng);                              /* mean 0, variance 1 */

/* An even sample of a stream whose length is not known (Waterman's algorithm R). For each item
 * reservoir_place gives its place in the sample: it goes there and overwrites what is there. A
 * place of `capacity` or more: the item is not kept. */
struct reservoir {
    size_t capacity;
    int64_t n_seen;
    struct rng rng;
};
void reservoir_init(struct reservoir *reservoir, size_t capacity, uint64_t seed);
size_t reservoir_place(struct reservoir *reservoir);

#endif
