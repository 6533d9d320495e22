/* The rows of a fit, and which of them are refused before anything is fitted. */
#ifndef LATHE_FIT_FIT_ROWS_H
#define LATHE_FIT_FIT_ROWS_H

#include "base/text.h"
#include "fit/fit.h"

/* Rows of a fit. Start with = {0}. */
struct fit_rows {
    struct fit_row *items;
    size_t n, capacity;
};
/* Takes over row->net. Errors: STATUS_NOMEM (the network is released). */
enum status fit_rows_add(struct fit_rows *rows, struct fit_row *row, struct err *err);
void fit_rows_release(struct fit_rows *rows);

/* Removes contradictions: figures of equal networks under equal conditions that lie further apart
 * than repeats do. Of three or more those far from the median go, of two both. Adds one line a row
 * to `notes`. Returns how many rows lost a figure. */
int fit_rows_refuse_contradictions(struct fit_rows *rows, struct text *notes);

/* Removes rows of networks that the base's DRAM cannot hold: they would be priced from flash. Adds
 * one line a row to `notes`. Returns how many. */
int fit_rows_refuse_too_large(struct fit_rows *rows, const struct device *base, struct text *notes);

/* Blocks, head and cache of the same types. */
bool fit_same_types(const struct transformer *a, const struct transformer *b);
/* Equal in shape, whatever their types. Where the largest contexts differ: equal in width,
 * vocabulary, schedule and FFN. */
bool fit_same_network(const struct fit_row *a, const struct fit_row *b);

#endif
