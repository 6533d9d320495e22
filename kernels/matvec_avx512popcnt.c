/* matvec of sign bits with VPOPCNTDQ: 512 of them an instruction. */
#include "kernels/simd_avx512.h"

#include "kernels/matvec_body.h"

static __mmask64 first_bytes(int64_t n)
{
    return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

INLINE void rows_b1(int n_streams, const uint8_t *row, int64_t apart, float *y, int64_t y_apart,
                    int64_t k, const void *x)
{
    const uint8_t *signs = (const uint8_t *)x + 4;
    int64_t sign_bytes = (k + 7) / 8;
    float scale_x, scale_w;
    __m512i differ[STREAMS];
    for (int j = 0; j < n_streams; j++)
        differ[j] = _mm512_setzero_si512();
    for (int64_t i = 0; i < sign_bytes; i += 64) {
        __mmask64 mask = first_bytes(sign_bytes - i);
        __m512i in = _mm512_maskz_loadu_epi8(mask, signs + i);
        for (int j = 0; j < n_streams; j++) {
            __m512i w = _mm512_maskz_loadu_epi8(mask, row + j * apart + i);
            differ[j] = _mm512_add_epi64(differ[j], _mm512_popcnt_epi64(_mm512_xor_si512(w, in)));
        }
    }
    memcpy(&scale_x, x, 4);
    for (int j = 0; j < n_streams; j++) {
        memcpy(&scale_w, row + j * apart + sign_bytes, 4);
        y[j * y_apart] =
            scale_w * scale_x * (float)(k - 2 * (int64_t)_mm512_reduce_add_epi64(differ[j]));
    }
}

void matvec_b1_avx512(int64_t k, const void *w, const void *x, float *y, int64_t begin, int64_t end)
{
    FOR_ROWS((k + 7) / 8 + 4, rows_b1, k, x);
}

/* A few rows at a time stay in the first-level cache while all tokens pass by. */
void matmul_b1_avx512(int64_t m, int64_t k, const void *w, const void *x, int64_t x_bytes, float *y,
                      int64_t y_stride, int64_t begin, int64_t end, void *scratch)
{
    enum { ROWS = 32 };
    (void)scratch;
    for (int64_t r = begin; r < end; r += ROWS) {
        int64_t last = end - r < ROWS ? end : r + ROWS;
        for (int64_t t = 0; t < m; t++)
            matvec_b1_avx512(k, w, (const uint8_t *)x + t * x_bytes, y + t * y_stride, r, last);
    }
}
