/* What was predicted or measured: a model on a device under a workload; and what was predicted.
 * Rows of the store's tables `prediction` and (measurement_fields.h) `measurement`, and the lines of
 * `lathe predict` and `lathe measure`. */
#ifndef LATHE_CONTRACT_PREDICTION_FIELDS_H
#define LATHE_CONTRACT_PREDICTION_FIELDS_H

#include "contract/loss_fields.h"
#include "contract/price_fields.h"

/* F(type, name, unit, places, title, meaning) */
/* clang-format off */
#define SUBJECT_FIELDS(F) \
    F(const char *, model, UNIT_NONE, KEPT | IN_TABLE, "model", "name of the network") \
    F(int64_t, device_id, UNIT_NONE, IN_STORE, NULL, "device.id") \
    F(const char *, device, UNIT_NONE, KEPT | IN_TABLE, "device", "name of the device profile") \
    F(const char *, runtime, UNIT_NONE, IN_STORE, NULL, "what runs the network") \
    F(const char *, dtype, UNIT_NONE, KEPT | IN_TABLE, "type", "weight type of the blocks") \
    F(const char *, head_dtype, UNIT_NONE, KEPT, NULL, "weight type of the head") \
    F(const char *, kv_dtype, UNIT_NONE, KEPT, NULL, "type of the KV cache") \
    F(int64_t, threads, UNIT_NONE, KEPT | IN_TABLE, "threads", "") \
    F(int64_t, prompt, UNIT_TOKENS, KEPT, NULL, "of the prefill") \
    F(int64_t, context, UNIT_TOKENS, KEPT, NULL, "in the cache when decode is timed") \
    F(int64_t, n_layers, UNIT_NONE, IN_STORE, NULL, "distinct blocks") \
    F(int64_t, n_layers_effective, UNIT_NONE, IN_STORE, NULL, "executed blocks") \
    F(const char *, sharing, UNIT_NONE, IN_STORE, NULL, "as in candidate") \
    F(int64_t, d_model, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, n_heads, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, n_kv_heads, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, d_head, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, d_ff, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, vocab_size, UNIT_NONE, IN_STORE, NULL, "") \
    F(int64_t, tie_embeddings, UNIT_BOOL, IN_STORE, NULL, "") \
    F(int64_t, params, UNIT_PARAMS, IN_STORE, NULL, "all, shared and tied ones once") \
    F(int64_t, params_blocks, UNIT_PARAMS, IN_STORE, NULL, "of the distinct blocks") \
    F(int64_t, weight_bytes, UNIT_BYTES, IN_STORE, NULL, "as stored") \
    F(int64_t, kv_bytes_per_token, UNIT_BYTES, IN_STORE, NULL, "that a token adds")

#define BASIS_FIELDS(F) \
    F(const char *, basis, UNIT_NONE, PREDICTED, "basis", "datasheet, calibrated, fitted") \
    F(double, error_median_frac, UNIT_FRAC, PREDICTED, "error", "of this basis so far, 0..1") \
    F(double, error_p90_frac, UNIT_FRAC, PREDICTED, "90 %", "of this basis so far, 0..1") \
    F(const char *, predicted_at, UNIT_UTC, IN_STORE, NULL, "")
/* clang-format on */

struct subject {
    SUBJECT_FIELDS(RECORD_MEMBER)
};

struct prediction_row {
    const struct fields *fields;
    int64_t id, run_id;
    struct subject subject;
    const char *clock; /* "estimate" or "simulate" */
    struct price price;
    struct loss loss;
    BASIS_FIELDS(RECORD_MEMBER)
};
extern const struct fields prediction_fields;

#endif
