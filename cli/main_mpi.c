/* lathe-mpi: the verb search by many processes, on one machine or on many. Built where MPI is. */
#define _DEFAULT_SOURCE /* SIGXFSZ */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/version.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/search_run.h"

/* MPI's own failures end all processes, with MPI's message: nothing can be agreed on then. */
struct mpi_crew {
    struct crew crew; /* first: the functions get its address */
    MPI_Win window;   /* process 0 has the counter of numbers in it */
};

/* One-sided: process 0 goes on pricing meanwhile. Where the network cannot do it alone, the answer
 * waits until process 0 asks for a number itself, a chunk later at most. */
static int64_t add_to_counter(struct crew *crew, int64_t value)
{
    struct mpi_crew *mpi = (struct mpi_crew *)crew;
    int64_t before = 0;
    MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, mpi->window);
    MPI_Fetch_and_op(&value, &before, MPI_INT64_T, 0, 0, MPI_SUM, mpi->window);
    MPI_Win_unlock(0, mpi->window);
    return before;
}

static int64_t next_number(struct crew *crew)
{
    return add_to_counter(crew, 1);
}

/* Beyond any space's chunks, and however many call it, no overflow. */
static void end_numbers(struct crew *crew)
{
    add_to_counter(crew, INT64_C(1) << 40);
}

static bool all_well(struct crew *crew, bool is_well)
{
    int64_t failed = is_well ? crew->n : crew->rank;
    MPI_Allreduce(&failed, &crew->first_failed, 1, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
    return crew->first_failed == crew->n;
}

static uint64_t of_first(struct crew *crew, uint64_t value)
{
    (void)crew;
    MPI_Bcast(&value, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    return value;
}

static void unite(struct crew *crew, unsigned char *flags, size_t n)
{
    (void)crew;
    MPI_Allreduce(MPI_IN_PLACE, flags, (int)n, MPI_UNSIGNED_CHAR, MPI_MAX, MPI_COMM_WORLD);
}

static enum status gather(struct crew *crew, const int64_t *numbers, size_t n, int64_t **all,
                          size_t *n_all, struct err *err)
{
    const size_t n_crew = crew->rank == 0 ? (size_t)crew->n : 0;
    int count = (int)n, total = 0;
    int *counts = memory_new(n_crew, sizeof *counts), *places = memory_new(n_crew, sizeof *places);
    bool is_well = counts != NULL && places != NULL;
    *n_all = 0;
    *all = NULL;
    if (all_well(crew, is_well) && counts != NULL && places != NULL) {
        MPI_Gather(&count, 1, MPI_INT, counts, 1, MPI_INT, 0, MPI_COMM_WORLD);
        for (size_t i = 0; i < n_crew; i++) {
            places[i] = total;
            total += counts[i];
        }
        *all = memory_new((size_t)total, sizeof **all);
        is_well = all_well(crew, *all != NULL);
    } else {
        is_well = false;
    }
    if (is_well) {
        MPI_Gatherv(numbers, count, MPI_INT64_T, *all, counts, places, MPI_INT64_T, 0,
                    MPI_COMM_WORLD);
        *n_all = (size_t)total;
    }
    memory_free(counts);
    memory_free(places);
    return is_well ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}

/* A launcher of another MPI starts processes that know nothing of one another: each would do the
 * whole search. Launchers say in the environment how many they started. */
static enum status check_launcher(const struct crew *crew, struct err *err)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE",
                                            "SLURM_STEP_NUM_TASKS", "MV2_COMM_WORLD_SIZE"};
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    for (size_t i = 0; i < sizeof variables / sizeof *variables && crew->n == 1; i++) {
        const char *value = getenv(variables[i]);
        if (value == NULL || atoi(value) <= 1)
            continue;
        MPI_Get_library_version(library, &length);
        return err_set(err, STATUS_UNSUPPORTED,
                       "the launcher started %d processes (%s), but they do not find one another: "
                       "this program needs the launcher of '%.*s'",
                       atoi(value), variables[i], (int)strcspn(library, ",\n"), library);
    }
    return STATUS_OK;
}

/* One process speaks of what failed: the first that did, or the first of all. */
static bool is_speaker(const struct crew *crew)
{
    return crew->rank == (crew->first_failed < crew->n ? crew->first_failed : 0);
}

static void print_failure(const struct crew *crew, enum status status, const struct err *err)
{
    char host[256] = "?";
    if (!is_speaker(crew))
        return;
    gethostname(host, sizeof host - 1);
    if (crew->n > 1 && status != STATUS_USAGE)
        fprintf(stderr, "lathe-mpi search: process %lld of %lld on %s: %s\n",
                (long long)crew->rank + 1, (long long)crew->n, host, err->message);
    else
        fprintf(stderr, "lathe-mpi search: %s\n", err->message);
    if (status == STATUS_USAGE)
        fprintf(stderr, "Try 'lathe-mpi search --help'.\n");
}

static int help(const struct crew *crew, int argc, char **argv)
{
    static const char usage[] = "lathe-mpi: 'lathe search' by many processes\n\n"
                                "Usage: mpirun -n N lathe-mpi search [OPTIONS]\n\n"
                                "The options are those of 'lathe search'. Each process writes a "
                                "file of its own beside\nthe one that --db names.\n";
    const bool is_asked = argc > 1 && strcmp(argv[1], "--help") == 0;
    if (crew->rank != 0)
        return is_asked ? 0 : 2;
    if (argc > 1 && !is_asked)
        fprintf(stderr, "lathe-mpi: unknown command '%s': it has search alone\n", argv[1]);
    fprintf(is_asked ? stdout : stderr, "%s", usage);
    return is_asked ? 0 : 2;
}

static enum status run_search(struct crew *crew, int argc, char **argv, struct err *err)
{
    struct args *args = NULL;
    enum status status = args_parse(&cmd_search, argc, argv, &args, err);
    if (status == STATUS_OK && args_help(args)) {
        if (crew->rank == 0)
            help_command(&cmd_search, stdout);
    } else if (status == STATUS_OK) {
        status = search_run(args, crew, err);
    }
    args_free(args);
    return status;
}

static int run(struct crew *crew, int argc, char **argv)
{
    struct err err = {""};
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        if (crew->rank == 0)
            printf("lathe-mpi %s (%s)\n", version_number(), version_commit());
        return 0;
    }
    if (argc < 2 || strcmp(argv[1], cmd_search.name) != 0)
        return help(crew, argc, argv);
    enum status status = check_launcher(crew, &err);
    if (status == STATUS_OK)
        status = run_search(crew, argc - 2, argv + 2, &err);
    if (status == STATUS_OK && (status = flush_output(&err)) != STATUS_OK)
        crew->first_failed = crew->rank;
    if (status != STATUS_OK)
        print_failure(crew, status, &err);
    return exit_status(status);
}

int main(int argc, char **argv)
{
    int level, rank, n;
    int64_t *counter = NULL;
    struct mpi_crew mpi = {.crew = {.next = next_number,
                                    .end = end_numbers,
                                    .all_well = all_well,
                                    .of_first = of_first,
                                    .unite = unite,
                                    .gather = gather}};
    signal(SIGXFSZ, SIG_IGN); /* as in main.c */
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    mpi.crew.rank = rank;
    mpi.crew.n = mpi.crew.first_failed = n;
    MPI_Win_allocate(rank == 0 ? (MPI_Aint)sizeof *counter : 0, sizeof *counter, MPI_INFO_NULL,
                     MPI_COMM_WORLD, &counter, &mpi.window);
    if (rank == 0)
        *counter = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    int status = run(&mpi.crew, argc, argv);
    MPI_Win_free(&mpi.window);
    MPI_Finalize();
    return status;
}
