/* From a command line to an exit status. */
#ifndef LATHE_CLI_COMMAND_LINE_H
#define LATHE_CLI_COMMAND_LINE_H

/* Runs one command line (argv without the program's name) and returns the exit status: 0 done, 1
 * failed, 2 usage. Prints the error. */
int run_command_line(int argc, char *const *argv);

#endif
