/* The front of a run on the run's own objectives, as far as a figure can show it: two of them.
 *
 * Titles and units are the fields' own (contract/candidate_fields.h). Everything is read in two
 * passes by SQL; memory is bounded whatever the run's size, but for the front itself. */
#ifndef LATHE_PLOTS_RUN_FRONT_H
#define LATHE_PLOTS_RUN_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/candidate_fields.h"
#include "plots/candidates.h"

/* A field as an axis. */
struct field_axis {
    const struct field *field; /* of candidate_fields; an integer or a real */
    int sign;                  /* 1: less is better, -1: more is better, 0: neither */
    char low[48], high[48];    /* columns of its interval; "" where it has none */
    /* Set once the data are known: */
    double scale; /* to what is drawn */
    char unit[24];
    bool log; /* times, where all are positive */
};
/* "decode", "parameters in blocks"; returns buffer. */
char *field_axis_words(const struct field_axis *axis, char *buffer, size_t size);
/* "decode (ms, log scale; less is better)"; returns buffer. */
char *field_axis_label(const struct field_axis *axis, char *buffer, size_t size);
/* A record's value, not scaled; NaN: unknown. */
double field_axis_value(const struct field_axis *axis, const struct candidate_row *row);

/* What a run's front is drawn on: the first objective upwards and the second along, but a loss is
 * always upwards. Of one objective: along is the depth. Of none (a run of an old version): decode
 * against parameters in blocks. */
struct front_axes {
    struct field_axis x, y;
    int n_objectives; /* of the run; names of types and modes do not count */
};
/* Errors: STATUS_INPUT (objectives that this version does not know). */
enum status front_axes_of_run(struct store *store, int64_t run_id, struct front_axes *out,
                              struct err *err);

struct front_point {
    double x, y;          /* not scaled */
    double y_low, y_high; /* NaN: unknown */
    int64_t n_layers_effective, d_model;
    char sharing[24];
};
/* cloud: one candidate for each occupied cell of a grid over the run (at most CLOUD_CELLS); front:
 * those that no other one beats in x and y (of one objective: the best by it), from the best x to the
 * worst, hence from the worst y to the best. Sets the axes' scales. Release with
 * run_front_release. Errors: also STATUS_NOT_FOUND when no candidate has both values. */
enum { CLOUD_ACROSS = 60, CLOUD_UP = 36, CLOUD_CELLS = CLOUD_ACROSS * CLOUD_UP };
struct run_front {
    struct front_point *cloud, *front;
    size_t n_cloud, n_front;
    size_t cloud_capacity, front_capacity;
};
enum status run_front_read(struct store *store, const struct selection *selection,
                           struct front_axes *axes, struct run_front *out, struct err *err);
void run_front_release(struct run_front *front);

#endif
