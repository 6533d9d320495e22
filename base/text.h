/* Strings: a growing buffer, words in lines, and the nearest name for "did you mean". */
#ifndef LATHE_BASE_TEXT_H
#define LATHE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* A string that grows. Start with `= {0}`. Once an allocation failed the text stays as it was and
 * `failed` is set: check it once, at the end. */
struct text {
    char *data; /* terminated; NULL while empty */
    size_t length, capacity;
    bool failed;
};

void text_add(struct text *text, const char *string);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_release(struct text *text);

/* Adds `words` in lines of at most `right` columns, each after `left` spaces; a longer word has a line
 * of its own. The first line goes on where the cursor is, at `column`. Line breaks stay, runs of
 * spaces become one. No line break at the end. */
void text_wrap(struct text *text, const char *words, int column, int left, int right);

/* Columns of a terminal: characters, not bytes. */
int text_width(const char *string, size_t n_bytes);

/* The name of `names` closest to `word` (Damerau-Levenshtein, case folded), or NULL when none is
 * close enough to be a slip (distance above a third of the length, at least 1). */
const char *text_nearest(const char *word, const char *const *names, size_t n_names);

#endif
