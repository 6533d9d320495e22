/* What is wrong with runs that can each be read: two vocabularies under one recipe, losses in bits,
 * rows that contradict each other, token counts in billions, one run where two are needed.
 *
 * A row that is refused loses its value, and a note says which line and why; the others are used. */
#ifndef LATHE_QUALITY_RUNS_DOUBTS_H
#define LATHE_QUALITY_RUNS_DOUBTS_H

#include "base/text.h"
#include "quality/runs.h"

/* Where the runs are from, and what they are for. */
struct runs_source {
    const char *name; /* of the file, for notes */
    enum quality_purpose purpose;
    const struct quality_law *law; /* NULL: none */
    bool says_nats;                /* the column's name tells the unit */
    struct text *notes;            /* NULL: not wanted */
};

/* "runs.csv: line 3: message" */
void runs_note(const struct runs_source *source, int line, const char *message);

/* The same recipe and shape: one run, perhaps at two token counts. */
bool quality_same_run(const struct quality_run *a, const struct quality_run *b);

/* runs: [n], of one file. */
void runs_refuse_doubtful(const struct runs_source *source, struct quality_run *runs, size_t n);

#endif
