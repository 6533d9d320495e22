#include "plots/plot_accuracy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plots/figure.h"

enum { MOST_FAMILIES = 7 };

static const char *family_of(const struct plot_accuracy_row *row)
{
    return row->family ? row->family : "other";
}

static bool is_shown(const struct plot_accuracy_row *row)
{
    return row->decode_ns > 0 && isfinite(row->decode_ns) && isfinite(row->accuracy_frac);
}

/* Families with most models get the colours. */
static size_t rank_families(const struct plot_accuracy_row *rows, size_t n_rows,
                            const char *families[MOST_FAMILIES])
{
    size_t n = 0, count[MOST_FAMILIES] = {0};
    for (size_t i = 0; i < n_rows; i++) {
        const char *name = family_of(&rows[i]);
        size_t members = 0, first = n_rows, at = 0;
        for (size_t j = n_rows; j-- > 0;) {
            if (is_shown(&rows[j]) && strcmp(family_of(&rows[j]), name) == 0) {
                members++;
                first = j;
            }
        }
        if (first != i || members < 2)
            continue;
        while (at < n && count[at] >= members)
            at++;
        if (at == MOST_FAMILIES)
            continue;
        n = n < MOST_FAMILIES ? n + 1 : n;
        for (size_t k = n - 1; k > at; k--) {
            families[k] = families[k - 1];
            count[k] = count[k - 1];
        }
        families[at] = name;
        count[at] = members;
    }
    return n;
}

static int colour_of_family(const char *name, const char *const *families, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(families[i], name) == 0)
            return (int)i;
    }
    return COLOUR_GREY;
}

/* The members in the order of their latency, so that the line does not turn back. */
static void add_family(struct figure *figure, const struct plot_accuracy_row *rows, size_t n_rows,
                       const char *name, int colour, const char *const *families, size_t n_families,
                       bool join)
{
    struct series *series = figure_series(
        figure, join && colour >= 0 ? SERIES_LINE_POINTS : SERIES_POINTS, name, colour);
    double last = 0;
    size_t last_index = 0;
    for (;;) {
        size_t best = n_rows;
        for (size_t i = 0; i < n_rows; i++) {
            if (!is_shown(&rows[i]) ||
                colour_of_family(family_of(&rows[i]), families, n_families) != colour)
                continue;
            bool after = rows[i].decode_ns > last ||
                         (rows[i].decode_ns == last && last > 0 && i > last_index);
            if (after && (best == n_rows || rows[i].decode_ns < rows[best].decode_ns))
                best = i;
        }
        if (best == n_rows)
            return;
        last = rows[best].decode_ns;
        last_index = best;
        series_add(series, last * 1e-6, rows[best].accuracy_frac * 100);
    }
}

enum status plot_accuracy(const struct plot_accuracy_row *rows, size_t n_rows, bool join,
                          const char *accuracy_name, const struct plot_options *options,
                          struct err *err)
{
    const char *families[MOST_FAMILIES];
    size_t n_families = rank_families(rows, n_rows, families);
    struct page page = {0};
    enum status status = page_init(&page, 1, 1, err);
    page.width = 900;
    page.height = n_rows > 20 ? 740 : 600; /* names need room */
    page.columns = 120;
    page.rows = 40;
    if (status == STATUS_OK) {
        struct figure *figure = page.panels;
        char label[128];
        snprintf(label, sizeof label, "%s (%%)", accuracy_name ? accuracy_name : "accuracy");
        plot_apply(&page, options, "Accuracy against predicted latency", NULL, NULL);
        figure_axis(figure, &figure->x, "predicted decode latency (ms per token, log scale)", true);
        figure_axis(figure, &figure->y, label, false);
        for (size_t i = 0; i < n_families; i++)
            add_family(figure, rows, n_rows, families[i], (int)i, families, n_families, join);
        add_family(figure, rows, n_rows, "other", COLOUR_GREY, families, n_families, join);
        for (size_t i = 0; i < n_rows; i++) {
            int colour = colour_of_family(family_of(&rows[i]), families, n_families);
            if (is_shown(&rows[i]))
                figure_note(figure, rows[i].decode_ns * 1e-6, rows[i].accuracy_frac * 100,
                            rows[i].model, colour);
        }
    }
    return plot_finish(&page, status, options, err);
}
