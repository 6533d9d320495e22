/* The front of a stored search with other bounds: searched again from the run's own row. */
#ifndef LATHE_CLI_LOOSENED_H
#define LATHE_CLI_LOOSENED_H

#include "db/store.h"
#include "search/binding.h"

struct loosened_front {
    size_t n;
    double *score; /* [n][objectives of the run], as objective_score; owned */
};

/* By columns, or exactly where layers differ, against the same reference of losses and with the
 * profile as it was.
 *   vocab_size  only candidates with that vocabulary; 0: all
 * Release with loosened_front_release, after errors too. Errors: STATUS_UNSUPPORTED (the run is a part
 * of a search), STATUS_INPUT (the row lacks something), STATUS_RANGE, STATUS_INTERRUPTED, those of a
 * search. */
enum status loosened_front_search(struct store *store, int64_t run_id, const struct bounds *bounds,
                                  int64_t vocab_size, struct loosened_front *out, struct err *err);
void loosened_front_release(struct loosened_front *front);

#endif
