/* The MODEL and weight-type arguments of every verb that takes a network. */
#ifndef LATHE_CLI_MODEL_SOURCE_H
#define LATHE_CLI_MODEL_SOURCE_H

#include "cli/options.h"
#include "model/transformer.h"

/* Reads MODEL (preset, config.json, GGUF, or RUN:ID from --db where the verb has that option) and
 * applies --dtype, --head-dtype and --kv-dtype. Release with transformer_release. */
enum status open_model(const struct args *args, const char *model, struct transformer *out,
                       struct err *err);

/* The same in the types that it has. */
enum status open_stored_model(const struct args *args, const char *model, struct transformer *out,
                              struct err *err);

/* What --dtype and --head-dtype say. */
enum status apply_weight_types(const struct args *args, struct transformer *net, struct err *err);
/* What --dtype, --head-dtype and --kv-dtype say. */
enum status apply_types(const struct args *args, struct transformer *net, struct err *err);

/* The block that speaks for a network whose layers differ: the first with experts, else the first
 * with attention. */
const struct block *typical_block(const struct transformer *net);

#endif
