/* What was wrong in a file, a line a kind.
 *
 * Two texts are of one kind when they differ only in figures and in what they quote: names go in
 * quotes. The first of a kind is told, with how many there were. */
#ifndef LATHE_FIT_COMPLAINTS_H
#define LATHE_FIT_COMPLAINTS_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

struct complaint {
    char text[sizeof((struct err *)0)->message];
    int first, n; /* the test or line that had it first, and how many had it */
};
/* Start with = {0}. */
struct complaints {
    struct complaint *items;
    size_t n, capacity;
};

/* at: the test or line. Errors: STATUS_NOMEM. */
enum status complaints_add(struct complaints *complaints, int at, const char *text,
                           struct err *err);
/* "PATH: UNIT 3 and 2 more: text". */
void complaints_print(const struct complaints *complaints, const char *path, const char *unit,
                      struct text *notes);
void complaints_release(struct complaints *complaints);

#endif
