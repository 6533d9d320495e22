/* exp and what follows from it, on a `vec` of whichever instruction set was included before. */
#ifndef LATHE_KERNELS_VEC_MATH_H
#define LATHE_KERNELS_VEC_MATH_H

/* x = n ln 2 + r, |r| <= ln 2 / 2, ln 2 in two parts; e^r by Cephes' expf polynomial (S. Moshier):
 * relative error about 2e-7. Below -87.3 the result stays at the smallest normal number. */
static inline vec vec_exp(vec x)
{
    x = vec_min(vec_max(x, vec_set1(-87.3f)), vec_set1(88.3f));
    vec n = vec_round(vec_mul(x, vec_set1(1.44269504f)));
    vec r = vec_fma(n, vec_set1(-0.693359375f), x);
    r = vec_fma(n, vec_set1(2.12194440e-4f), r);
    vec p = vec_set1(1.9875691500e-4f);
    p = vec_fma(p, r, vec_set1(1.3981999507e-3f));
    p = vec_fma(p, r, vec_set1(8.3334519073e-3f));
    p = vec_fma(p, r, vec_set1(4.1665795894e-2f));
    p = vec_fma(p, r, vec_set1(1.6666665459e-1f));
    p = vec_fma(p, r, vec_set1(5.0000001201e-1f));
    p = vec_add(vec_fma(p, vec_mul(r, r), r), vec_set1(1));
    return vec_times_power(p, n);
}

static inline vec vec_tanh(vec x)
{
    vec twice = vec_exp(vec_add(x, x));
    return vec_sub(vec_set1(1), vec_div(vec_set1(2), vec_add(twice, vec_set1(1))));
}

#endif
