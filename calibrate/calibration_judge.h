/* Whether to trust a calibration: what its session says of the machine's other work. */
#ifndef LATHE_CALIBRATE_CALIBRATION_JUDGE_H
#define LATHE_CALIBRATE_CALIBRATION_JUDGE_H

#include "calibrate/calibration.h"

/* The default threads become those at which networks decode fastest; fewer than all are noted. */
void calibration_compare_threads(struct calibration *calibration);

/* Writes into note, if it is empty, why the session of trial_report was not quiet. */
void calibration_judge(struct calibration *calibration);

#endif
