/* Step two of a calibration: what passes are made of, fitted to networks that ran.
 *
 * The kernels' values are the prior (timing_fit.h). How much of the last cache the networks see, and
 * how it gives way, is the best of a grid. With 15 networks or more each fifth is predicted from the
 * others, which gives the profile's errors. Nothing is timed here. */
#ifndef LATHE_CALIBRATE_FIT_NETWORKS_H
#define LATHE_CALIBRATE_FIT_NETWORKS_H

#include "calibrate/calibration.h"

/* The trials have run (n_rounds >= 1 each). Errors: STATUS_INPUT (no trial at a thread count),
 * STATUS_NOMEM, those of machine_resolve and price_network. */
enum status fit_networks(struct calibration *calibration, struct err *err);

#endif
