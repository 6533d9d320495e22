#include "cli/progress.h"

#include <stdarg.h>
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

static bool is_due(struct progress *progress, int64_t now)
{
    if (!progress->terminal || now - progress->start_ns < FIRST_NS ||
        now - progress->last_ns < BETWEEN_NS)
        return false;
    progress->last_ns = now;
    progress->shown = true;
    return true;
}

void progress_update(struct progress *progress, int64_t done, int64_t total)
{
    char count[32], left[32];
    int64_t now = clock_ns();
    if (!is_due(progress, now))
        return;
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

void progress_say(struct progress *progress, const char *format, ...)
{
    if (!is_due(progress, clock_ns()))
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "\r%s: ", progress->what);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\033[K");
    va_end(arguments);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
