/* From a stored candidate back to a network. */
#ifndef LATHE_CLI_CANDIDATE_ROWS_H
#define LATHE_CLI_CANDIDATE_ROWS_H

#include "db/query.h"
#include "search/enumerate.h"

/* A stored candidate as the search had it, but for the blocks of a stack whose layers differ. Errors: STATUS_INPUT (a name in the row that this version
 * does not know). */
enum status row_to_candidate(const struct candidate_row *row, int64_t max_context,
                             struct candidate *out, struct err *err);

/* The network of a stored candidate, named after it: "1:42 <architecture>-q8_0".
 *   max_context  positions it is made for, which the row does not hold
 * Errors: STATUS_INPUT (a name in the row that this version does not know), STATUS_RANGE. */
enum status row_to_transformer(const struct candidate_row *row, int64_t max_context,
                               struct transformer *out, struct err *err);

#endif
