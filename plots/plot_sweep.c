#include "plots/plot_sweep.h"

#include "plots/figure.h"

enum { MOST_LINES = 16 };

enum status plot_sweep(const double *sizes_mb, size_t n_sizes, const struct plot_sweep_line *lines,
                       size_t n_lines, const struct plot_options *options, struct err *err)
{
    if (n_lines < 1 || n_lines > MOST_LINES)
        return err_set(err, STATUS_RANGE, "cannot draw 'sweep' of %zu lines: expected 1 to %d",
                       n_lines, MOST_LINES);
    struct page page = {0};
    enum status status = page_init(&page, 1, 1, err);
    if (status == STATUS_OK) {
        struct figure *figure = page.panels;
        plot_apply(&page, options, "Sharing modes against the size of the buffer", NULL, NULL);
        figure_axis(figure, &figure->x, "level above DRAM (MB, log scale)", true);
        figure_axis(figure, &figure->y, "decode (ms a token)", false);
        figure->y.min = 0;
        for (size_t i = 0; i < n_lines; i++) {
            struct series *line = figure_series(figure, SERIES_LINE_POINTS, lines[i].name, (int)i);
            for (size_t s = 0; s < n_sizes; s++)
                series_add(line, sizes_mb[s], lines[i].decode_ns[s] * 1e-6);
        }
    }
    return plot_finish(&page, status, options, err);
}
