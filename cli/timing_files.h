/* Files of timings that another runtime printed, as `fit` and `validate` take them. */
#ifndef LATHE_CLI_TIMING_FILES_H
#define LATHE_CLI_TIMING_FILES_H

#include "base/text.h"
#include "cli/options.h"
#include "fit/fit_device.h"

/* --model, for the option tables of both. */
#define ROW_TIMED_MODEL \
    ROW(OPTION_TEXTS, "model", "NAME=MODEL", NULL, NULL, \
        "which MODEL the file calls NAME; may be given again")

/* Appends the file's rows, --model's names understood; `notes` says which cannot be used and why.
 * Errors: STATUS_USAGE (--model), those of fit_read. */
enum status timing_file_read(const struct args *args, const char *path, struct fit_rows *rows,
                             struct text *notes, struct err *err);

#endif
