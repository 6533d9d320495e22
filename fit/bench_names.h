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

/* The network that a benchmark calls `name`: an alias, a MODEL, or a preset by the name without
 * folder, ending and type. `has_types`: out, whether it is a file that says its own types. Errors:
 * STATUS_NOT_FOUND. */
enum status fit_model(const char *name, const struct fit_aliases *aliases, struct transformer *out,
                      bool *has_types, struct err *err);

#endif
