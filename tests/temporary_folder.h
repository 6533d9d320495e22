/* A test's own folder for the files that it writes: in $TMPDIR, or else in /tmp. */
#ifndef LATHE_TESTS_TEMPORARY_FOLDER_H
#define LATHE_TESTS_TEMPORARY_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEMPORARY_MOST = 256 };

/* Makes one below `parent`; its path is written to `folder`. 0, or -1: it cannot be made. */
static inline int temporary_make_in(const char *parent, char folder[TEMPORARY_MOST])
{
    int length = snprintf(folder, TEMPORARY_MOST, "%s/lathe-test-XXXXXX", parent);
    return length < TEMPORARY_MOST && mkdtemp(folder) != NULL ? 0 : -1;
}

static inline int temporary_make(char folder[TEMPORARY_MOST])
{
    const char *parent = getenv("TMPDIR");
    return temporary_make_in(parent != NULL && parent[0] != '\0' ? parent : "/tmp", folder);
}

/* The path of `name` in `folder`; it stays until the call after the next. */
static inline const char *temporary_path(const char *folder, const char *name)
{
    static char paths[2][TEMPORARY_MOST + 256];
    static int turn;
    turn = 1 - turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

#endif
