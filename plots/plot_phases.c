#include "plots/plot_phases.h"

#include <math.h>
#include <stdio.h>

#include "plots/figure.h"

enum { N_PHASES = 4, MOST_ROWS = 24 };

static double phase_ns(const struct plot_phases_row *row, int phase)
{
    return (const double[N_PHASES]){row->load_ns, row->init_ns, row->prefill_ns,
                                    row->decode_ns}[phase];
}

static double longest_ns(const struct plot_phases_row *rows, size_t n_rows, int phase)
{
    double longest = 0;
    for (size_t i = 0; i < n_rows; i++)
        longest = fmax(longest, phase_ns(&rows[i], phase)); /* fmax passes over a NaN */
    return longest;
}

static void add_panel(struct figure *figure, const struct plot_phases_row *rows, size_t n_rows,
                      int phase)
{
    static const char *const names[N_PHASES] = {"Load", "Init", "Prefill", "Decode a token"};
    char title[48];
    double longest = longest_ns(rows, n_rows, phase);
    bool seconds = longest >= 2e9, micro = longest < 1e5;
    double scale = seconds ? 1e-9 : micro ? 1e-3 : 1e-6;
    snprintf(title, sizeof title, "%s (%s)", names[phase], seconds ? "s" : micro ? "µs" : "ms");
    figure_title(figure, title);
    figure->y.hide_labels = phase > 0;
    figure->x.min = 0;
    figure->x.max = longest > 0 ? longest * scale * 1.32 : 1;
    struct series *bars = figure_series(figure, SERIES_BOXES, NULL, phase);
    for (size_t i = 0; i < n_rows; i++) {
        double value = phase_ns(&rows[i], phase) * scale, row = (double)i;
        char text[32];
        figure_category(figure, &figure->y, rows[i].model);
        if (isnan(value)) {
            figure_note_at_bar(figure, 0, row, "unknown");
            continue;
        }
        series_add_box(bars, 0, value, row - 0.34, row + 0.34);
        snprintf(text, sizeof text, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
        figure_note_at_bar(figure, value, row, text);
    }
    if (longest == 0)
        series_add_box(bars, 0, 0, 0, 0);
}

enum status plot_phases(const struct plot_phases_row *rows, size_t n_rows,
                        const struct plot_options *options, struct err *err)
{
    if (n_rows < 1 || n_rows > MOST_ROWS)
        return err_set(err, STATUS_RANGE, "cannot draw 'phases' of %zu models: expected 1 to %d",
                       n_rows, MOST_ROWS);
    struct page page = {0};
    enum status status = page_init(&page, N_PHASES, N_PHASES, err);
    page.width = 960;
    page.height = 130 + 30 * (int)n_rows;
    page.columns = 120;
    page.rows = 7 + 2 * (int)n_rows;
    if (status == STATUS_OK) {
        plot_apply(&page, options, "Time of each phase", NULL, NULL);
        for (int phase = 0; phase < N_PHASES; phase++)
            add_panel(&page.panels[phase], rows, n_rows, phase);
    }
    return plot_finish(&page, status, options, err);
}
