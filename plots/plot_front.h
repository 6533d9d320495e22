/* Kind 'front': what a search was for, one objective against the other (plots/run_front.h: which is
 * up and which along). All candidates are a cloud, the best of them a line; published models have
 * their names.
 *
 * A band says how far the front can be trusted: with a loss, the law's 90 % interval of each of its
 * networks; with decode, what is as fast as the front as far as predictions can tell. Of more than
 * two objectives the first two are drawn, and the figure says so: its line is then their front, not
 * the run's. Of one objective the best candidate is marked, along the depth. */
#ifndef LATHE_PLOTS_PLOT_FRONT_H
#define LATHE_PLOTS_PLOT_FRONT_H

#include <stddef.h>
#include <stdint.h>

#include "contract/candidate_fields.h"
#include "db/store.h"
#include "plots/plot_options.h"

/* A published model on the run's device, with what is known of it; the rest is unknown. */
struct plot_mark {
    const char *name;
    const struct candidate_row *row;
};

/* run_id 0: the latest search. marks[n_marks]: those with an unknown value are left out, and the
 * figure says so. Errors: of page_draw; STATUS_NOT_FOUND (no run or no candidates), STATUS_INPUT. */
enum status plot_front(struct store *store, int64_t run_id, const struct plot_mark *marks,
                       size_t n_marks, const struct plot_options *options, struct err *err);

#endif
