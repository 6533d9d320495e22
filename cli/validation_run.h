/* What a validation works on: the profile, the networks, what was timed and what was said. */
#ifndef LATHE_CLI_VALIDATION_RUN_H
#define LATHE_CLI_VALIDATION_RUN_H

#include "cli/progress.h"
#include "device/machine.h"
#include "fit/fit_input.h"
#include "timing/trial.h"
#include "validate/validate.h"

enum { MAX_VALIDATED_MODELS = 64 };

struct validation_run {
    const char *device_name;
    struct device device;
    struct transformer models[MAX_VALIDATED_MODELS]; /* named; none: drawn ones */
    int n_models;
    struct validation validation;
    struct fit_rows rows;         /* of another runtime; none: the networks run here */
    struct state_reference state; /* of the machine, that the profile speaks of */
    struct trial_report report;
    struct progress progress;
    uint64_t seed;
};

#endif
