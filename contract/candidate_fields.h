/* A candidate: one architecture of a search, with its counts and its price. A row of the store's
 * table `candidate`, a line of `top`, and what --where and --minimize compare.
 *
 * To add a field: a row here (or in price_fields.h, when the price has it; loss_fields.h), the line in
 * search/enumerate.c (or costmodel/) that works it out, and its line in docs/database.md. */
#ifndef LATHE_CONTRACT_CANDIDATE_FIELDS_H
#define LATHE_CONTRACT_CANDIDATE_FIELDS_H

#include "contract/loss_fields.h"
#include "contract/price_fields.h"

/* F(type, name, unit, places, title, meaning) */
/* clang-format off */
#define CANDIDATE_FIELDS(F) \
    F(int64_t, run_id, UNIT_ID, KEPT, NULL, "run.id") \
    F(int64_t, id, UNIT_ID, METRIC, NULL, "rank in canonical order, unique within the run") \
    F(int64_t, n_layers, UNIT_NONE, METRIC | IN_TABLE, "layers", "distinct blocks") \
    F(int64_t, n_layers_effective, UNIT_NONE, METRIC | IN_TABLE, "depth", "executed blocks") \
    F(const char *, sharing, UNIT_NONE, METRIC | IN_TABLE | IF_ROWS_DIFFER, "sharing", "none, immediate, repeat-all, reverse, by-block") \
    F(int64_t, repeats, UNIT_NONE, METRIC, "repeats", "executions of a block; unknown where blocks have their own (by-block)") \
    F(int64_t, share_ffn, UNIT_BOOL, METRIC, "one ffn for all", "one FFN for every block") \
    F(int64_t, d_model, UNIT_NONE, METRIC | IN_TABLE, "d_model", "width") \
    F(int64_t, n_heads, UNIT_NONE, METRIC | IN_TABLE, "heads", "query heads") \
    F(int64_t, n_kv_heads, UNIT_NONE, METRIC | IN_TABLE, "kv", "key and value heads") \
    F(int64_t, d_head, UNIT_NONE, METRIC, "d_head", "width of a head") \
    F(int64_t, d_ff, UNIT_NONE, METRIC | IN_TABLE, "d_ff", "hidden width of the FFN") \
    F(const char *, layers_text, UNIT_NONE, KEPT, "runs", "blocks that differ, run by run: 12F3/1536 8W1/768") \
    F(const char *, layers, UNIT_NONE, KEPT, "blocks", "the same as JSON, one object a run") \
    F(int64_t, n_full, UNIT_NONE, KEPT, "full", "blocks with attention to all tokens, where they may differ") \
    F(int64_t, n_windowed, UNIT_NONE, KEPT, "windowed", "blocks with attention to the last tokens") \
    F(int64_t, n_without_attention, UNIT_NONE, KEPT, "without attention", "blocks that are an FFN alone") \
    F(int64_t, vocab_size, UNIT_NONE, METRIC, "vocab", "rows of the token table") \
    F(int64_t, tie_embeddings, UNIT_BOOL, METRIC | IN_TABLE | IF_ROWS_DIFFER, "tied", "the head reads the token table") \
    F(const char *, ffn_kind, UNIT_NONE, METRIC, "ffn kind", "relu, gelu, swiglu, geglu") \
    F(const char *, dtype, UNIT_NONE, METRIC, "type", "weight type of the blocks") \
    F(const char *, head_dtype, UNIT_NONE, KEPT, "head type", "weight type of the head") \
    F(const char *, kv_dtype, UNIT_NONE, METRIC, "kv type", "type of the KV cache") \
    F(int64_t, params, UNIT_PARAMS, METRIC, "params", "all, shared and tied ones once") \
    F(int64_t, params_embedding, UNIT_PARAMS, METRIC, "in token table", "of the token table") \
    F(int64_t, params_blocks, UNIT_PARAMS, METRIC, "in blocks", "of the distinct blocks") \
    F(int64_t, weight_bytes, UNIT_BYTES, METRIC, "weights", "as stored") \
    F(int64_t, kv_bytes_per_token, UNIT_BYTES, METRIC, "kv cache a token", "that a token adds to the KV cache") \
    F(int64_t, kv_bytes, UNIT_BYTES, METRIC, "kv cache", "KV cache held after prompt or context, where blocks may differ") \
    F(double, score, UNIT_NONE, METRIC, "score", "sum of the scores of its blocks; more is better")
/* Behind the price. */
#define CANDIDATE_LAST_FIELDS(F) \
    F(int64_t, flop_per_token, UNIT_FLOP, METRIC, "flop a token", "of one decoded token") \
    F(int64_t, on_front, UNIT_BOOL, KEPT | IN_TABLE | IF_ROWS_DIFFER, "front", "not dominated in run.objectives")
/* clang-format on */

/* The texts are static names, or borrowed. */
struct candidate_row {
    const struct fields *fields;
    CANDIDATE_FIELDS(RECORD_MEMBER)
    struct price price;
    struct loss loss;
    CANDIDATE_LAST_FIELDS(RECORD_MEMBER)
};
extern const struct fields candidate_fields;

#endif
