/* A law of loss as a JSON file, with where each number is from, like a device profile.
 *
 * {"format": "lathe-quality-law", "version": 1, "name", "kind", "formula", "rows", "cost",
 *  "error": {"held_out_error_frac", "held_out_cover_frac": {"value", "kind", "source"}},
 *  "constants": {key: {"value", "sd", "unit", "what", "kind", "source"}},
 *  "shared": {coefficient: {"value", "sd"}},
 *  "recipes": [{"name", "ffn", "level", "vocab", "rows", "shapes", "block_params": [least, most],
 *    "train_tokens": [least, most], "error_frac", "source", "coefficients": {...}}],
 *  "covariance": lower triangle, of shared and then each recipe's coefficients,
 *  "layer_score": {...}, "runs": [own runs that were fitted beyond data/quality]}
 *
 * Numbers carry nine digits, so that a fit writes the same file everywhere. */
#ifndef LATHE_QUALITY_LAW_FILE_H
#define LATHE_QUALITY_LAW_FILE_H

#include "quality/runs.h"

#define QUALITY_LAW_FORMAT "lathe-quality-law"
enum { QUALITY_LAW_VERSION = 1 };

/* Rounds coefficients, covariance and errors to what the file holds. */
void quality_law_round(struct quality_law *law);

/* `own`: runs behind the law that data/quality does not hold; NULL: none. `path` "-" is standard
 * output. Errors: STATUS_IO, STATUS_NOMEM. */
enum status quality_law_write(const char *path, const struct quality_law *law,
                              const struct quality_runs *own, struct err *err);

/* Every key is known and every number in its range, or it is an error that names file and path.
 * `own`: appended; NULL: not wanted. *text: what the file holds, the caller's to free, and NULL where
 * it could not be read; text NULL: not wanted. */
enum status quality_law_read(const char *path, struct quality_law *law, struct quality_runs *own,
                             char **text, struct err *err);

/* The same for a text. */
enum status quality_law_parse(const char *name, const char *text, struct quality_law *law,
                              struct quality_runs *own, struct err *err);

#endif
