/* The greatest common divisor. */
#ifndef LATHE_BASE_DIVISOR_H
#define LATHE_BASE_DIVISOR_H

#include <stdint.h>

/* a, b >= 0; of 0 and b it is b. */
static inline int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
