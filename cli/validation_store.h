/* A validation in the store. */
#ifndef LATHE_CLI_VALIDATION_STORE_H
#define LATHE_CLI_VALIDATION_STORE_H

#include "cli/options.h"
#include "cli/validation_run.h"

/* Puts a run with a measurement a trial and a prediction a trial and clock into --db. Errors: those
 * of a write (db/store.h). */
enum status validation_store(const struct args *args, const struct validation_run *run,
                             struct err *err);

#endif
