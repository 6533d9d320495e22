/* Candidates between the search, which knows networks, and the store, which knows rows. */
#ifndef LATHE_CLI_CANDIDATE_ROWS_H
#define LATHE_CLI_CANDIDATE_ROWS_H

#include "db/query.h"
#include "search/enumerate.h"

/* A row of the store from a priced candidate. Its texts are static.
 *   interval_frac  of the machine (device/interval.h), NaN: unknown */
void candidate_to_row(const struct candidate *candidate, double interval_frac,
                      struct candidate_row *out);

/* The network of a stored candidate, named after it: "1:42 <architecture>-q8_0".
 *   max_context  positions it is made for, which the row does not hold
 * Errors: STATUS_INPUT (a name in the row that this version does not know), STATUS_RANGE. */
enum status row_to_transformer(const struct candidate_row *row, int64_t max_context,
                               struct transformer *out, struct err *err);

#endif
