/* A search that is ready to run: everything checked, its stores open. It is a new one, of the command
 * line, or one that --resume names, of the row of its run. */
#ifndef LATHE_CLI_SEARCH_BEGIN_H
#define LATHE_CLI_SEARCH_BEGIN_H

#include "cli/crew.h"
#include "cli/search_job.h"
#include "search/enumerate.h"

struct search {
    const struct args *args;
    struct crew *crew; /* NULL: one process */
    struct search_job job;
    struct enumeration whole; /* empty where the search is exact */
    struct store *store;      /* of this process */
    int64_t run_id;           /* in `store`, once there is a run */
    struct store *joined;     /* of the first process of a crew: where the front of all goes */
};

/* args, crew: set by the caller, the rest 0. A new search is checked in full before its database is
 * touched. Every process fails if one does. Call search_end, after errors too.
 * Errors: STATUS_USAGE, STATUS_INPUT, STATUS_NOT_FOUND, those of a job and of a store. */
enum status search_begin(struct search *search, struct err *err);
void search_end(struct search *search);

/* Begins a run, or takes up again the one that --resume names. That of a process of a crew may be
 * finished while another's is not.
 *   total  candidates in the space */
enum status search_open_run(struct search *search, int64_t total, struct err *err);

/* A failure anywhere is one everywhere: `status`, or STATUS_IO where another process failed. All
 * processes call it. */
enum status search_agree(const struct search *search, enum status status, struct err *err);

/* Of several processes one talks. */
static inline bool search_is_speaker(const struct search *search)
{
    return search->crew == NULL || search->crew->rank == 0;
}

#endif
