/* Random numbers by counter: the n-th number of a stream follows from the seed, the stream and n alone,
 * so that threads can draw in any order. SplitMix64 (Steele et al., Fast splittable pseudorandom number
 * generators, OOPSLA 2014). */
#ifndef LATHE_SEARCH_COUNTER_RANDOM_H
#define LATHE_SEARCH_COUNTER_RANDOM_H

#include <stdint.h>

struct counter_random {
    uint64_t key;
};

static inline uint64_t counter_random_mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Stream `index` of round `round` of a seed. */
static inline struct counter_random counter_random_start(uint64_t seed, uint64_t round,
                                                         uint64_t index)
{
    return (struct counter_random){
        counter_random_mix(counter_random_mix(counter_random_mix(seed) ^ round) ^ index)};
}

static inline uint64_t counter_random_next(struct counter_random *random)
{
    random->key += UINT64_C(0x9e3779b97f4a7c15);
    return counter_random_mix(random->key);
}

/* [0, 1) */
static inline double counter_random_uniform(struct counter_random *random)
{
    return (double)(counter_random_next(random) >> 11) * 0x1p-53;
}

/* 0 .. n - 1 */
static inline int counter_random_below(struct counter_random *random, int n)
{
    return (int)(counter_random_uniform(random) * n);
}

#endif
