/* One line on standard error that says how far a long job is: only on a terminal, only after a
 * second, rewritten in place at most ten times a second. */
#ifndef LATHE_CLI_PROGRESS_H
#define LATHE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;
    bool terminal, shown;
    int64_t start_ns, last_ns;
};

void progress_init(struct progress *progress, const char *what); /* `what` is borrowed */
/* total <= 0: unknown. Not for several threads at once. */
void progress_update(struct progress *progress, int64_t done, int64_t total);
/* The same of a job that is no share of a known whole. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void progress_end(struct progress *progress); /* removes the line */

#endif
