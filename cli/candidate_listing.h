/* Stored candidates on the screen. */
#ifndef LATHE_CLI_CANDIDATE_LISTING_H
#define LATHE_CLI_CANDIDATE_LISTING_H

#include <stdbool.h>

#include "base/text.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "db/query.h"

/* For --help of what lists candidates. */
#define ROWS_ALIKE \
    "Rows that cannot be told apart from the one above them, neither in decode (the intervals in " \
    "which nine of ten measurements would lie overlap) nor in loss (within the interval of the " \
    "difference, or 0.01 nats), are one line: 'like it' says how many more there are and how " \
    "deep. Columns that say the same in all rows are left out. --limit 0 lists every row with " \
    "the number of its group; --json has every column."

/* Candidates as a listing: every column of the store is a key of the JSON; the table for people
 * shows those that tell candidates apart, and those of `also` (NULL ends them). */
void candidate_listing_fill(struct listing *listing, const struct rows *rows,
                            const char *const *also);
/* The same with every column shown. */
void candidate_listing_fill_all(struct listing *listing, const struct rows *rows);

/* How rows are printed: as many as `limit` (0: all), the first ones or from end to end of the list.
 * In a table with a limit what cannot be told apart (search/alike.h) is one line, and what is outdone
 * on a front is left out; without a limit, and in JSON, rows say which group they are of and what
 * outdoes them. */
struct candidate_view {
    int64_t limit;
    bool is_front; /* the rows are a front */
    bool from_end_to_end, json;
    const char *by; /* a column to show although the table leaves it out; NULL: none */
};
/* rows: of one run, in their order. */
enum status candidate_listing_print(struct store *store, const struct rows *rows,
                                    const struct candidate_view *view, struct err *err);

/* The options of ROWS_CANDIDATES that say which candidates; *where: texts it borrows, to be released. */
enum status candidate_listing_query(const struct args *args, struct text *where,
                                    struct candidate_query *out, struct err *err);
/* What `top` and `front` do: the query that ROWS_CANDIDATES and --by describe. */
enum status candidate_listing_run(const struct args *args, bool front_only, struct err *err);

#endif
