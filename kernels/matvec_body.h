/* matvec of float types in terms of simd_*.h, and how every matvec walks its rows.
 *
 * A slice of rows is cut in four and one row of each quarter runs at a time: four streams of
 * addresses far apart keep more of memory busy than one (on a Zen 4, cold: 1.2 to 1.4 times the
 * rate), while four neighbouring rows, which share pages, halve it, and software prefetch costs up
 * to a third. The rows also share what they load of x. */
#include <string.h>

#include "kernels/rows.h"

#define INLINE static inline __attribute__((always_inline))

enum { STREAMS = 4 };

/* Calls rows(n_streams, row, apart, y, y_apart) over the slice, STREAMS rows at a time. */
#define FOR_ROWS(row_bytes, rows, ...) \
    do { \
        int64_t quarter = (end - begin) / STREAMS; \
        const uint8_t *first = (const uint8_t *)w + begin * (row_bytes); \
        y += begin; \
        for (int64_t r = 0; r < quarter; r++) \
            rows(STREAMS, first + r * (row_bytes), quarter * (row_bytes), y + r, quarter, \
                 __VA_ARGS__); \
        for (int64_t r = STREAMS * quarter; r < end - begin; r++) \
            rows(1, first + r * (row_bytes), 0, y + r, 0, __VA_ARGS__); \
    } while (0)

#define DEFINE_MATVEC_FLOAT(type, ELEMENT_BYTES) \
    INLINE void rows_##type(int n_streams, const uint8_t *row, int64_t apart, float *y, \
                            int64_t y_apart, int64_t k, const float *x) \
    { \
        vec sum[STREAMS][2]; \
        int64_t i = 0; \
        for (int j = 0; j < n_streams; j++) \
            sum[j][0] = sum[j][1] = vec_zero(); \
        for (; i + 2 * LANES <= k; i += 2 * LANES) { \
            for (int half = 0; half < 2; half++) { \
                int64_t at = i + LANES * half; \
                vec in = vec_load(x + at); \
                for (int j = 0; j < n_streams; j++) \
                    sum[j][half] = vec_fma(vec_load_##type(row + j * apart + ELEMENT_BYTES * at), \
                                           in, sum[j][half]); \
            } \
        } \
        for (; i < k; i += LANES) { \
            int64_t left = k - i < LANES ? k - i : LANES; \
            vec in = left < LANES ? vec_load_part(x + i, left) : vec_load(x + i); \
            for (int j = 0; j < n_streams; j++) { \
                uint8_t last[ELEMENT_BYTES * LANES] = {0}; \
                memcpy(last, row + j * apart + ELEMENT_BYTES * i, (size_t)(ELEMENT_BYTES * left)); \
                sum[j][0] = vec_fma(vec_load_##type(last), in, sum[j][0]); \
            } \
        } \
        for (int j = 0; j < n_streams; j++) \
            y[j * y_apart] = vec_sum(vec_add(sum[j][0], sum[j][1])); \
    } \
    void SIMD(matvec_##type)(int64_t k, const void *w, const void *x, float *y, int64_t begin, \
                             int64_t end) \
    { \
        FOR_ROWS(ELEMENT_BYTES *k, rows_##type, k, x); \
    }
