/* A calibration as a device profile. */
#ifndef LATHE_CALIBRATE_CALIBRATION_PROFILE_H
#define LATHE_CALIBRATE_CALIBRATION_PROFILE_H

#include "calibrate/calibration.h"

/* JSON (docs/profiles.md), every number with kind, source and spread; free with memory_free. It
 * reads back with device_parse as the device of calibration_settle. Errors: STATUS_NOMEM. */
enum status calibration_profile(const struct calibration *calibration, char **text,
                                struct err *err);

#endif
