/* The networks that a calibration runs, and their trials.
 *
 * Sizes and aspects fill a Latin hypercube, types take turns. Of six networks one runs each block
 * twice in a row and the next is its twin, the same without: what the second runs cost is the
 * difference. Drawn from one seed, so that two calibrations run the same. */
#ifndef LATHE_CALIBRATE_NETWORKS_DRAWN_H
#define LATHE_CALIBRATE_NETWORKS_DRAWN_H

#include "calibrate/calibration.h"

enum { N_RUN_TYPES = 3, CALIBRATION_SEED = 20260 };
extern const enum dtype run_types[N_RUN_TYPES]; /* of the networks' weights, in turn */

/* Into networks and trials (two a network and thread count, side by side), and the device's
 * timed_d_in, timed_context and timed_tokens. n_points and threads are set. Networks have 5e6 to
 * most_params parameters. Errors: STATUS_NOMEM. */
enum status draw_networks(int n_networks, double most_params, struct calibration *out,
                          struct err *err);

int trials_of_network(const struct calibration *calibration);
/* Is trial i of a network that runs its blocks twice, with a twin? The twin's trial is
 * trials_of_network further. */
bool is_half_of_pair(const struct calibration *calibration, int i);

#endif
