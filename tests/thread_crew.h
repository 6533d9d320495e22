/* A crew of threads instead of processes (cli/crew.h), for tests that have no MPI. */
#ifndef LATHE_TESTS_THREAD_CREW_H
#define LATHE_TESTS_THREAD_CREW_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/crew.h"
#include "cli/search_run.h"

enum { CREW_MOST = 8 };

struct meeting {
    int64_t n;
    pthread_mutex_t mutex;
    pthread_barrier_t barrier;
    int64_t counter;
    int64_t numbers[CREW_MOST];
    uint64_t value;
    unsigned char *flags;
    const int64_t *own[CREW_MOST];
    size_t n_own[CREW_MOST];
};

struct thread_crew {
    struct crew crew; /* first */
    struct meeting *meeting;
    const struct args *args;
    int64_t fail_after; /* allocations of this member; 0: none fails */
    enum status status;
    struct err err;
};

static inline struct meeting *meet(struct crew *crew)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    pthread_barrier_wait(&meeting->barrier);
    return meeting;
}

static inline int64_t crew_add(struct crew *crew, int64_t value)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    pthread_mutex_lock(&meeting->mutex);
    int64_t before = meeting->counter;
    meeting->counter += value;
    pthread_mutex_unlock(&meeting->mutex);
    return before;
}

static inline int64_t crew_next(struct crew *crew)
{
    return crew_add(crew, 1);
}

static inline void crew_end(struct crew *crew)
{
    crew_add(crew, INT64_C(1) << 40);
}

static inline bool crew_all_well(struct crew *crew, bool is_well)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    meeting->numbers[crew->rank] = is_well ? crew->n : crew->rank;
    meet(crew);
    crew->first_failed = crew->n;
    for (int64_t i = crew->n; i-- > 0;)
        if (meeting->numbers[i] < crew->n)
            crew->first_failed = i;
    meet(crew);
    return crew->first_failed == crew->n;
}

static inline uint64_t crew_of_first(struct crew *crew, uint64_t value)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    if (crew->rank == 0)
        meeting->value = value;
    meet(crew);
    value = meeting->value;
    meet(crew);
    return value;
}

static inline void crew_unite(struct crew *crew, unsigned char *flags, size_t n)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    if (crew->rank == 0)
        meeting->flags = calloc(n, 1);
    meet(crew);
    pthread_mutex_lock(&meeting->mutex);
    for (size_t i = 0; i < n; i++)
        meeting->flags[i] |= flags[i];
    pthread_mutex_unlock(&meeting->mutex);
    meet(crew);
    memcpy(flags, meeting->flags, n);
    meet(crew);
    if (crew->rank == 0)
        free(meeting->flags);
}

static inline enum status crew_gather(struct crew *crew, const int64_t *numbers, size_t n,
                                      int64_t **all, size_t *n_all, struct err *err)
{
    struct meeting *meeting = ((struct thread_crew *)crew)->meeting;
    (void)err;
    *all = NULL;
    *n_all = 0;
    meeting->own[crew->rank] = numbers;
    meeting->n_own[crew->rank] = n;
    meet(crew);
    for (int64_t i = 0; crew->rank == 0 && i < crew->n; i++)
        *n_all += meeting->n_own[i];
    if (crew->rank == 0)
        *all = calloc(*n_all + 1, sizeof **all); /* not one of those that are made to fail */
    size_t at = 0;
    for (int64_t i = 0; crew->rank == 0 && i < crew->n; i++) {
        memcpy(*all + at, meeting->own[i], meeting->n_own[i] * sizeof **all);
        at += meeting->n_own[i];
    }
    meet(crew);
    return STATUS_OK;
}

static inline void *crew_member(void *user)
{
    struct thread_crew *member = user;
    memory_fail_after(member->fail_after > 0 ? member->fail_after : -1);
    member->status = search_run(member->args, &member->crew, &member->err);
    return NULL;
}

/* `lathe search ARGV...` by n threads, n <= CREW_MOST, of which one (-1: none) has so many allocations.
 * members: [n], their results. */
static inline void run_crew_short(int64_t n, int64_t which, int64_t fail_after, int argc,
                                  char *const *argv, struct thread_crew *members)
{
    struct meeting meeting = {.n = n};
    pthread_t threads[CREW_MOST];
    struct args *args = NULL;
    pthread_mutex_init(&meeting.mutex, NULL);
    pthread_barrier_init(&meeting.barrier, NULL, (unsigned)n);
    if (args_parse(&cmd_search, argc, argv, &args, NULL) != STATUS_OK)
        abort();
    for (int64_t i = 0; i < n; i++) {
        members[i] = (struct thread_crew){.crew = {.rank = i,
                                                   .n = n,
                                                   .first_failed = n,
                                                   .next = crew_next,
                                                   .end = crew_end,
                                                   .all_well = crew_all_well,
                                                   .of_first = crew_of_first,
                                                   .unite = crew_unite,
                                                   .gather = crew_gather},
                                          .meeting = &meeting,
                                          .fail_after = i == which ? fail_after : 0,
                                          .args = args};
        if (pthread_create(&threads[i], NULL, crew_member, &members[i]) != 0)
            abort();
    }
    for (int64_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    args_free(args);
    pthread_barrier_destroy(&meeting.barrier);
    pthread_mutex_destroy(&meeting.mutex);
}

static inline void run_crew(int64_t n, int argc, char *const *argv, struct thread_crew *members)
{
    run_crew_short(n, -1, 0, argc, argv, members);
}

#endif
