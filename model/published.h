/* Published accuracies: the paper's Tables 3 and 8, zero shot, percent.
 *
 * Rows of data/published/accuracy_table3.csv and accuracy_table8.csv, each with the preset that has
 * its architecture. A model in both tables has a row for each. */
#ifndef LATHE_MODEL_PUBLISHED_H
#define LATHE_MODEL_PUBLISHED_H

#include <stddef.h>

#include "base/status.h"

enum { N_PUBLISHED_TASKS = 8 };
/* "arc_e" "arc_c" "boolq" "piqa" "siqa" "hellaswag" "obqa" "winogrande" */
extern const char *const published_tasks[N_PUBLISHED_TASKS];

struct published_accuracy {
    char model[48];  /* as the table prints it */
    char preset[48]; /* name of the preset */
    char table[16];  /* "table3", "table8" */
    double accuracy[N_PUBLISHED_TASKS];
    double average; /* as printed */
    char source[256];
};

struct published_list {
    struct published_accuracy *items;
    size_t n;
};

/* Errors: STATUS_NOT_FOUND (no data folder), STATUS_INPUT (also a row without a preset),
 * STATUS_NOMEM. */
enum status published_open(struct published_list *out, struct err *err);
void published_release(struct published_list *list);

/* Average of a preset: that of Table 3 where it has one, else of Table 8; NaN where neither has it.
 */
double published_average(const struct published_list *list, const char *preset);

#endif
