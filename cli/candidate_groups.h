/* Which stored candidates cannot be told apart (search/alike.h). */
#ifndef LATHE_CLI_CANDIDATE_GROUPS_H
#define LATHE_CLI_CANDIDATE_GROUPS_H

#include "db/query.h"
#include "search/alike.h"

struct candidate_groups {
    struct alike_place *places; /* [rows]; owned */
    size_t n_groups;
};

/* Groups the rows in their order, by the law, recipe and tokens of their run (all are of one). Where
 * that compared no losses each row is a group. Release with candidate_groups_release, after errors
 * too. Errors: STATUS_INPUT, STATUS_NOMEM. */
enum status candidate_groups_make(struct store *store, const struct rows *rows,
                                  struct candidate_groups *out, struct err *err);
void candidate_groups_release(struct candidate_groups *groups);

/* The group that begins with row i in words: "8 rows, 13 to 41 layers"; "" when it is alone. Returns
 * buffer. */
char *candidate_groups_text(const struct candidate_groups *groups, const struct rows *rows,
                            size_t i, char *buffer, size_t size);

#endif
