/* Another program that answers lines with lines, for as long as it is asked: it reads its standard input
 * and writes one line for each. What it complains of goes to our standard error. */
#ifndef LATHE_BASE_LINE_PROCESS_H
#define LATHE_BASE_LINE_PROCESS_H

#include <signal.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

enum { MAX_ANSWER_BYTES = 4096 }; /* of a line */

struct line_process; /* in a process group of its own: Ctrl-C is ours to see */

/* `command` is the shell's. Errors: STATUS_IO, STATUS_NOMEM. */
enum status line_process_start(const char *command, struct line_process **out, struct err *err);
/* Writes `lines` (n of them, each ended) and reads n. Reads while it writes, so that neither waits for
 * the other.
 *   timeout_s  of waiting for the next answer
 *   stop       non-zero: end; NULL: never
 *   answers    is emptied; n lines, each ended
 * Errors, after which the process is of no more use: STATUS_IO (it ended, with its status; it did not
 * answer in time; it answered more than it was asked; a line too long), STATUS_INTERRUPTED,
 * STATUS_NOMEM. */
enum status line_process_ask(struct line_process *process, const char *lines, size_t n,
                             double timeout_s, const volatile sig_atomic_t *stop,
                             struct text *answers, struct err *err);
/* Closes its input, and ends it if it does not end by itself soon. NULL allowed. */
void line_process_end(struct line_process *process);

#endif
