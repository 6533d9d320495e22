/* Ctrl-C as a flag, so that a long job can keep what it found. A second Ctrl-C ends the program. */
#ifndef LATHE_CLI_INTERRUPT_H
#define LATHE_CLI_INTERRUPT_H

#include <signal.h>

/* From now on SIGINT and SIGTERM set the flag returned (never NULL) instead of ending the program.
 */
volatile sig_atomic_t *interrupt_flag(void);

#endif
