/* Which stored candidates cannot be told apart, and which are outdone (search/alike.h). */
#ifndef LATHE_CLI_CANDIDATE_GROUPS_H
#define LATHE_CLI_CANDIDATE_GROUPS_H

#include "db/query.h"
#include "search/alike.h"

struct candidate_groups {
    struct alike_place *places; /* [rows]; owned */
    size_t *outdone_by;         /* [rows], of alike_outdone; owned */
    size_t n_groups, n_outdone;
};

/* Groups the rows in their order, by the law, recipe and tokens of their run (all are of one). Where
 * that compared no losses each row is a group.
 *   is_front  the rows are a front: what is outdone is in no group. Of a front of anything but decode
 *             and loss nothing is outdone, a row may be there for something else
 * Release with candidate_groups_release, after errors
 * too. Errors: STATUS_INPUT, STATUS_NOMEM. */
enum status candidate_groups_make(struct store *store, const struct rows *rows, bool is_front,
                                  struct candidate_groups *out, struct err *err);
void candidate_groups_release(struct candidate_groups *groups);

/* The others of the group that begins with row i: "+7, 13 to 41 layers"; "" when it is alone. Returns
 * buffer. */
char *candidate_groups_text(const struct candidate_groups *groups, const struct rows *rows,
                            size_t i, char *buffer, size_t size);

#endif
