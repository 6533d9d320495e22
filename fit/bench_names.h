/* What benchmarks call weight types and models. */
#ifndef LATHE_FIT_BENCH_NAMES_H
#define LATHE_FIT_BENCH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "model/transformer.h"

/* What a model is called in a benchmark file, and the MODEL it is. */
struct fit_alias {
    const char *name, *model;
};
struct fit_aliases {
    const struct fit_alias *items;
    size_t n;
};

/* The weight types that a file type stands for: "Q4_K - Medium", "Q4_K_M", "q8_0", "all F32".
 * `head` is the type that llama.cpp gives the head of such a file. Errors: STATUS_INPUT. */
enum status fit_file_type(const char *name, enum dtype *blocks, enum dtype *head, struct err *err);

/* What comes after the last slash of either kind: "C:\\models\\a.gguf". */
const char *bench_base_name(const char *path);

/* The preset that has these parameters, `half_unit` more or less (0: exactly, but for the few that a
 * file stores beside the weights), with its embeddings stored once or twice. Presets of one shape
 * are one. Errors: STATUS_NOT_FOUND (none; several, which are named). */
enum status fit_model_by_params(const char *name, double n_params, double half_unit,
                                struct transformer *out, struct err *err);

/* The network that a benchmark calls `name`: an alias, a MODEL, or a preset by the name without
 * folder, ending and type. `has_types`: out, whether it is a file that says its own types. Errors:
 * STATUS_NOT_FOUND. */
enum status fit_model(const char *name, const struct fit_aliases *aliases, struct transformer *out,
                      bool *has_types, struct err *err);

#endif
