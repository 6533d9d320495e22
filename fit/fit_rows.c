#include "fit/fit_rows.h"

#include <math.h>

#include "base/memory.h"
#include "base/stats.h"
#include "model/count.h"

/* Repeats of a benchmark on a device that throttles lie this far apart and no further. */
#define APART_FRAC 0.15

enum status fit_rows_add(struct fit_rows *rows, struct fit_row *row, struct err *err)
{
    enum status status =
        memory_grow((void **)&rows->items, &rows->capacity, rows->n + 1, sizeof *rows->items, err);
    if (status != STATUS_OK)
        transformer_release(&row->net);
    else
        rows->items[rows->n++] = *row;
    return status;
}

void fit_rows_release(struct fit_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++)
        transformer_release(&rows->items[i].net);
    memory_free(rows->items);
    *rows = (struct fit_rows){0};
}

bool fit_same_types(const struct transformer *a, const struct transformer *b)
{
    return a->block_dtype == b->block_dtype && a->head_dtype == b->head_dtype &&
           a->kv_dtype == b->kv_dtype;
}

bool fit_same_network(const struct fit_row *a, const struct fit_row *b)
{
    return a->net.max_context == b->net.max_context
               ? transformer_same_shape(&a->net, &b->net)
               : a->net.d_model == b->net.d_model && a->net.vocab_size == b->net.vocab_size &&
                     schedule_equal(&a->net.schedule, &b->net.schedule) &&
                     a->net.stack.first.d_ff == b->net.stack.first.d_ff;
}

static bool same_conditions(const struct fit_row *a, const struct fit_row *b, enum fit_phase phase)
{
    return fit_same_network(a, b) && fit_same_types(&a->net, &b->net) && a->threads == b->threads &&
           (phase == FIT_PREFILL ? a->prompt == b->prompt : a->context == b->context);
}

static double *figure_of(struct fit_row *row, enum fit_phase phase)
{
    return phase == FIT_DECODE ? &row->decode_ns : &row->prefill_ns;
}

/* Median over the rows alike to row i. */
static double median_of_alike(const struct fit_rows *rows, size_t i, enum fit_phase phase,
                              double *scratch, size_t *n_alike)
{
    size_t n = 0;
    for (size_t k = 0; k < rows->n; k++) {
        double ns = fit_measured_ns(&rows->items[k], phase);
        if (!isnan(ns) && same_conditions(&rows->items[i], &rows->items[k], phase))
            scratch[n++] = ns;
    }
    *n_alike = n;
    return stats_median(scratch, n);
}

int fit_rows_refuse_contradictions(struct fit_rows *rows, struct text *notes)
{
    int refused = 0;
    double *scratch = memory_new(2 * rows->n, sizeof *scratch);
    if (scratch == NULL)
        return 0;
    for (int phase = FIT_DECODE; phase <= FIT_PREFILL; phase++) {
        double *medians = scratch + rows->n;
        size_t n_alike;
        for (size_t i = 0; i < rows->n; i++)
            medians[i] = isnan(fit_measured_ns(&rows->items[i], (enum fit_phase)phase))
                             ? NAN
                             : median_of_alike(rows, i, (enum fit_phase)phase, scratch, &n_alike);
        for (size_t i = 0; i < rows->n; i++) {
            double *ns = figure_of(&rows->items[i], (enum fit_phase)phase);
            /* two rows are each half their distance from the median */
            if (isnan(*ns) || fabs(*ns / medians[i] - 1) <= APART_FRAC / 2)
                continue;
            median_of_alike(rows, i, (enum fit_phase)phase, scratch, &n_alike);
            if (n_alike > 2 && fabs(*ns / medians[i] - 1) <= APART_FRAC)
                continue;
            text_addf(notes, "%s: %s: %s of %.4g ms contradicts %.4g ms of the same conditions\n",
                      rows->items[i].where, rows->items[i].label,
                      phase == FIT_DECODE ? "a decode" : "a prompt", *ns / 1e6,
                      (2 * medians[i] - *ns) / 1e6);
            *ns = -*ns; /* taken out below, so that the others still see it */
            refused++;
        }
        for (size_t i = 0; i < rows->n; i++) {
            double *ns = figure_of(&rows->items[i], (enum fit_phase)phase);
            if (*ns < 0)
                *ns = NAN;
        }
    }
    memory_free(scratch);
    return refused;
}

int fit_rows_refuse_too_large(struct fit_rows *rows, const struct device *base, struct text *notes)
{
    int refused = 0;
    const struct level *dram = &base->levels[base->n_levels - 2];
    double room = (double)dram->capacity_bytes * dram->usable_frac;
    for (size_t i = 0; i < rows->n; i++) {
        struct fit_row *row = &rows->items[i];
        struct weight_bytes bytes;
        transformer_weight_bytes(&row->net, &bytes);
        double needed = (double)bytes.total + (double)transformer_kv_bytes(&row->net, row->context);
        if (needed <= room)
            continue;
        text_addf(
            notes,
            "%s: %s: needs %.3g GB, and '%s' has %.3g GB for it: --device gives another base\n",
            row->where, row->label, needed / 1e9, base->id, room / 1e9);
        row->decode_ns = row->prefill_ns = row->load_ns = NAN;
        refused++;
    }
    return refused;
}
