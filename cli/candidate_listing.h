/* Stored candidates on the screen. */
#ifndef LATHE_CLI_CANDIDATE_LISTING_H
#define LATHE_CLI_CANDIDATE_LISTING_H

#include <stdbool.h>

#include "cli/listing.h"
#include "cli/options.h"
#include "db/query.h"

/* For --help of what lists candidates. */
#define LIKE_FASTEST \
    "'like fastest': the interval in which nine of ten measurements of its decode would lie " \
    "overlaps that of the fastest row shown, so that which is faster is not certain; '-' on a " \
    "device whose error nobody knows."

/* Candidates as a listing: every column of the store is a key of the JSON; the table for people
 * shows those that tell candidates apart, and `by` (NULL: none) if it is another. */
void candidate_listing_fill(struct listing *listing, const struct rows *rows, const char *by);
/* The same with every column shown. */
void candidate_listing_fill_all(struct listing *listing, const struct rows *rows);

/* What `top` and `front` do: the query that ROWS_CANDIDATES and --by describe. */
enum status candidate_listing_run(const struct args *args, bool front_only, struct err *err);

#endif
