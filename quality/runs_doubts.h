/* What is wrong with runs that can each be read: two vocabularies under one recipe, losses in bits,
 * accuracies where losses are asked, rows that contradict each other, one run where two are needed.
 *
 * A row that is refused loses its value, and a note says which line and why; the others are used. */
#ifndef LATHE_QUALITY_RUNS_DOUBTS_H
#define LATHE_QUALITY_RUNS_DOUBTS_H

#include "base/text.h"
#include "quality/runs.h"

/* Where the runs are from, and what they are for. */
struct runs_source {
    enum quality_purpose purpose;
    const struct quality_law *law; /* NULL: none */
    struct text *notes;            /* NULL: not wanted */
};

/* "runs.csv: line 3: message"; notes NULL: nothing */
void runs_note(struct text *notes, const struct quality_run *run, const char *message);

/* The same recipe and shape: one run, perhaps at two token counts. */
bool quality_same_run(const struct quality_run *a, const struct quality_run *b);

/* runs: [n], of all files. */
void runs_refuse_doubtful(const struct runs_source *source, struct quality_run *runs, size_t n);

#endif
