/* What two runs must have in common for their candidates to belong to one search; and a run that
 * others are joined in. */
#ifndef LATHE_CLI_RUN_TRAITS_H
#define LATHE_CLI_RUN_TRAITS_H

#include "base/text.h"
#include "db/query.h"

/* A run's row with its texts, the profile and the law that it names. Start with `= {0}`; release with
 * stored_run_release, after errors too. */
struct stored_run {
    struct rows runs, devices, laws;
    const struct run_row *run;       /* in the lists */
    const struct device_row *device; /* NULL: none */
    const struct law_row *law;       /* NULL: none */
};
/* Errors: STATUS_NOT_FOUND, STATUS_INPUT. run_id 0: the latest search. */
enum status stored_run_read(struct store *store, int64_t run_id, struct stored_run *out,
                            struct err *err);
void stored_run_release(struct stored_run *stored);

/* The traits in order: 0 .. N_RUN_TRAITS - 1. */
enum { N_RUN_TRAITS = 15 };
const char *run_trait_name(int i); /* "space", "device profile", ... */
/* Its value as text; empty where the run has none. */
void run_trait(const struct stored_run *stored, int i, struct text *out);
/* Of all of them: equal where they are. */
uint64_t run_traits_hash(const struct stored_run *stored);

/* Begins a run that is the search that `part` is a part of. keep: as --keep. Errors: those of a write
 * (db/store.h). */
enum status joined_run_begin(const struct stored_run *part, const char *command, const char *keep,
                             struct store *store, int64_t *run_id, struct err *err);

#endif
