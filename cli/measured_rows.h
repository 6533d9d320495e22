/* A measurement as rows: one for each model, thread count, prompt and depth. */
#ifndef LATHE_CLI_MEASURED_ROWS_H
#define LATHE_CLI_MEASURED_ROWS_H

#include <stdio.h>

#include "cli/listing.h"
#include "contract/measurement_fields.h"
#include "timing/measure.h"

struct measured_item {
    struct measurement_row row;
    double phases[N_RUNNER_PHASES]; /* of decode, ns */
    int64_t load_cold; /* 1: files were read from storage; unknown when nothing was loaded */
    double read_gbps, decode_gbps, decode_read_frac;
};

struct measured_rows {
    struct measured_item *items;
    size_t n, capacity;
    char measured_at[32];
};

/* Texts are borrowed from the plan's models. Rows of which nothing was measured are left out.
 * Release with measured_rows_release. Errors: STATUS_NOMEM. */
enum status measured_rows_make(const struct measure_plan *plan,
                               const struct measurement *measurement, struct measured_rows *out,
                               struct err *err);
void measured_rows_release(struct measured_rows *rows);

/* What the network is, run by lathe on this machine; threads, prompt and context are left alone.
 * Texts are borrowed from `net`. */
void describe_subject(const struct transformer *net, struct subject *out);

/* Columns and rows; with phases only in JSON. */
void measured_rows_list(const struct measured_rows *rows, bool with_phases,
                        struct listing *listing);
/* A table of where a decoded token's time goes. */
enum status measured_rows_print_phases(const struct measured_rows *rows, FILE *stream,
                                       struct err *err);

#endif
