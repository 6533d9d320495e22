/* From a command line to an exit status. */
#ifndef LATHE_CLI_COMMAND_LINE_H
#define LATHE_CLI_COMMAND_LINE_H

#include "base/status.h"

/* 0 done, 1 failed, 2 usage. */
int exit_status(enum status status);
/* Data that never reached the disk or the pipe is a failure like any other. Errors: STATUS_IO. */
enum status flush_output(struct err *err);

/* Runs one command line (argv without the program's name) and returns the exit status: 0 done, 1
 * failed, 2 usage. Prints the error. */
int run_command_line(int argc, char *const *argv);

#endif
