#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/quantity.h"

enum { FIRST_NS = 1000000000, BETWEEN_NS = 100000000 };

void progress_init(struct progress *progress, const char *what)
{
    *progress = (struct progress){
        .what = what, .terminal = isatty(STDERR_FILENO) == 1, .start_ns = clock_ns()};
}

void progress_update(struct progress *progress, int64_t done, int64_t total)
{
    if (!progress->terminal)
        return;
    int64_t now = clock_ns();
    if (now - progress->start_ns < FIRST_NS || now - progress->last_ns < BETWEEN_NS)
        return;
    progress->last_ns = now;
    progress->shown = true;
    char count[32], left[32];
    format_count(done, count, sizeof count);
    if (total > 0 && done > 0) {
        double elapsed_ns = (double)(now - progress->start_ns);
        double left_ns = elapsed_ns * (double)(total - done) / (double)done;
        fprintf(stderr, "\r%s: %3.0f %%, %s, %s left\033[K", progress->what,
                100.0 * (double)done / (double)total, count,
                format_time_ns(left_ns > 0 ? left_ns : 0, left, sizeof left));
    } else {
        fprintf(stderr, "\r%s: %s\033[K", progress->what, count);
    }
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
