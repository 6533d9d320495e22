/* A validation on the screen. */
#ifndef LATHE_CLI_VALIDATION_LISTING_H
#define LATHE_CLI_VALIDATION_LISTING_H

#include "cli/validation_run.h"

/* Prints the summary of each phase and clock, and the trials: all as JSON or of named models, else
 * those with the largest errors. Errors: STATUS_NOMEM, STATUS_IO. */
enum status validation_print(struct validation_run *run, bool as_json, struct err *err);

#endif
