/* What a MODEL on the command line means: a preset, a config.json or a directory that holds one, or
 * a GGUF file. (run:id, from the store, is resolved above.) */
#ifndef LATHE_MODEL_MODEL_ARG_H
#define LATHE_MODEL_MODEL_ARG_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

/* A preset's name wins over a file of that name; "./name" is the file. A file that begins with
 * "GGUF" is one, whatever it is called; anything else is read as JSON. `*out` passed
 * transformer_check and is released with transformer_release. `warnings`: lines, NULL allowed.
 * Errors: STATUS_NOT_FOUND, with the nearest preset; those of the readers. */
enum status model_open(const char *arg, struct transformer *out, struct text *warnings,
                       struct err *err);

/* Whether model_open reads `arg` as a GGUF file: then it has weights, not only an architecture. */
bool model_arg_is_gguf(const char *arg);

#endif
