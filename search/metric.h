/* Metrics of a candidate by name: what --where filters on and --minimize orders by.
 *
 * Names are the store's columns: the fields of contract/candidate_fields.h that a search knows. A time, size or energy can be asked for in another unit by its
 * suffix (decode_ns as decode_us, decode_ms, decode_s; weight_bytes as weight_kb, _mb, _gb, _mib;
 * energy_pj_per_token as energy_mj_per_token), so `decode_ms<20` reads as it should. */
#ifndef LATHE_SEARCH_METRIC_H
#define LATHE_SEARCH_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "search/enumerate.h"

enum metric_kind {
    METRIC_INT,
    METRIC_REAL,
    METRIC_CHOICE, /* an enum, compared by its number */
};
struct metric {
    const struct field *field; /* of candidate_fields, IN_SEARCH */
    enum metric_kind kind;
    size_t offset; /* in struct candidate */
    double scale;  /* value in the asked unit = field * scale */
};

/* Errors: STATUS_USAGE with the nearest name. */
enum status metric_parse(const char *name, struct metric *out, struct err *err);
double metric_value(const struct metric *metric, const struct candidate *candidate);

/* Conjunctions of comparisons: "decode_ms<20 and d_head=64, params_blocks>=90M". Operators < <= >
 * >= = == !=; counts may carry K M B; sharing, ffn_kind and
 * types compare with names, quoted or not ('none'). A subset of what the store takes in SQL, apart
 * from the suffixes: there is no OR. */
enum { MAX_CONDITIONS = 16 };
enum comparison { IS_LESS, IS_LESS_EQUAL, IS_GREATER, IS_GREATER_EQUAL, IS_EQUAL, IS_NOT_EQUAL };
struct filter {
    int n;
    struct {
        struct metric metric;
        enum comparison comparison;
        double value;
    } condition[MAX_CONDITIONS];
};
/* NULL or "": everything passes. Errors: STATUS_USAGE. */
enum status filter_parse(const char *text, struct filter *out, struct err *err);
bool comparison_holds(double x, enum comparison comparison, double y);
bool filter_passes(const struct filter *filter, const struct candidate *candidate);

/* Objectives: "decode_ns" or "min:decode_ns", "max:params_blocks". */
enum { MAX_OBJECTIVES = 6 };
struct objectives {
    int n;
    struct metric metric[MAX_OBJECTIVES];
    double sign[MAX_OBJECTIVES]; /* 1 minimise, -1 maximise */
    bool compare_losses;         /* a loss is among them: only within one vocabulary */
};
enum status objectives_add(struct objectives *objectives, const char *text, struct err *err);
/* Objective i so that less is better; an unknown value is worst: infinite. */
double objective_score(const struct objectives *objectives, int i,
                       const struct candidate *candidate);
/* Latency against loss: min decode_ns, min loss_delta_nats. */
/* Is it known by a law of loss only? */
bool metric_is_of_loss(const struct metric *metric);

#define OBJECTIVES_DEFAULT "decode_ns,loss_delta_nats"
void objectives_default(struct objectives *out);

#endif
