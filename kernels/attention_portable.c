/* The definition of attention: one softmax over the positions a token sees, taken in one sweep.
 *
 * The running maximum rescales what is summed so far when it grows (Milakov and Gimelshein,
 * arXiv:1805.02867), so no scores are kept and any context fits in d_head floats of scratch. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "kernels/rows.h"
#include "model/quantize.h"

int64_t attention_scratch_bytes_portable(int64_t d_head)
{
    return round_up_64(d_head * (int64_t)sizeof(float));
}

static void attend(enum dtype dtype, const struct attention *a, int64_t head, int64_t position,
                   const float *q, float *out, float *row)
{
    int64_t group = head / (a->n_heads / a->n_kv_heads);
    const uint8_t *k = (const uint8_t *)a->k + group * a->head_bytes;
    const uint8_t *v = (const uint8_t *)a->v + group * a->head_bytes;
    int64_t oldest = a->window > 0 && position >= a->window ? position - a->window + 1 : 0;
    float largest = -INFINITY, sum = 0;

    memset(out, 0, (size_t)a->d_head * sizeof *out);
    for (int64_t p = oldest; p <= position; p++) {
        dequantize_row(dtype, a->d_head, k + p * a->row_bytes, row);
        float logit = 0;
        for (int64_t i = 0; i < a->d_head; i++)
            logit += q[i] * row[i];
        logit *= a->scale;
        if (a->alibi != NULL)
            logit += a->alibi[head] * (float)(p - position);
        if (a->softcap > 0)
            logit = a->softcap * tanhf(logit / a->softcap);

        float grown = fmaxf(largest, logit);
        float keep = expf(largest - grown), weight = expf(logit - grown);
        largest = grown;
        sum = sum * keep + weight;
        dequantize_row(dtype, a->d_head, v + p * a->row_bytes, row);
        for (int64_t i = 0; i < a->d_head; i++)
            out[i] = out[i] * keep + weight * row[i];
    }
    for (int64_t i = 0; i < a->d_head; i++)
        out[i] /= sum;
}

#define DEFINE_ATTENTION(type, TYPE) \
    void attention_##type##_portable(const struct attention *a, const float *q, int64_t q_stride, \
                                     float *out, int64_t out_stride, int64_t token_begin, \
                                     int64_t token_end, int64_t head_begin, int64_t head_end, \
                                     void *scratch) \
    { \
        assert(a->d_head <= ATTENTION_MAX_HEAD); \
        for (int64_t t = token_begin; t < token_end; t++) { \
            for (int64_t h = head_begin; h < head_end; h++) \
                attend(TYPE, a, h, a->first + t, q + t * q_stride + h * a->d_head, \
                       out + t * out_stride + h * a->d_head, scratch); \
        } \
    }

DEFINE_ATTENTION(f32, DTYPE_F32)
DEFINE_ATTENTION(f16, DTYPE_F16)
DEFINE_ATTENTION(bf16, DTYPE_BF16)
DEFINE_ATTENTION(q8_0, DTYPE_Q8_0)
