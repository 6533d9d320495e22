/* Calibration: this machine's device profile from timings taken on it.
 *
 * Kernels are checked against their portable definitions, then timed with the memory levels
 * (calibrate_kernels.h). Then drawn networks run whole (networks_drawn.h, trial.h), and what their
 * passes are made of is fitted to them with the kernels' values as prior (fit_networks.h). A
 * sentinel and the share of the processors this process got say whether the machine was quiet
 * (calibration_judge.h).
 *
 * What it cannot show: other processes' traffic at another time, heat, huge NUMA machines. */
#ifndef LATHE_CALIBRATE_CALIBRATE_H
#define LATHE_CALIBRATE_CALIBRATE_H

#include "calibrate/calibration.h"
#include "calibrate/kernel_timer.h"

/* Runs everything; `timer`: kernel_timer_here, but for tests. Release with calibration_release,
 * whatever the status. Errors: STATUS_NOMEM, STATUS_INTERRUPTED, STATUS_INPUT (a kernel disagrees
 * with its definition), STATUS_RANGE (more threads than the machine has cores). Storage that cannot
 * be tested is no error. */
enum status calibrate(const struct calibration_options *options, const struct kernel_timer *timer,
                      struct calibration *out, struct err *err);

#endif
