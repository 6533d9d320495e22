/* A network as the law sees it, as JSON: what a store keeps of a reference. */
#ifndef LATHE_QUALITY_SHAPE_JSON_H
#define LATHE_QUALITY_SHAPE_JSON_H

#include "base/json.h"
#include "quality/law.h"

/* {"d_model", "n_layers", "repeats", "n_heads", "n_kv_heads", "d_head", "d_ff", "vocab_size",
 *  "gated", "tied", "share_ffn", "weights": "16 bits" | "8 bits" | "fewer"} */
void quality_shape_write(const struct quality_shape *shape, struct json_node *object);
/* Errors: STATUS_INPUT, STATUS_RANGE. */
enum status quality_shape_read(const struct json *object, struct quality_shape *out,
                               struct err *err);

#endif
