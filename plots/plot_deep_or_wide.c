#include "plots/plot_deep_or_wide.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "plots/figure.h"

enum { MOST_DEVICES = 4 };
static const char loss_stripe[] = "loss within 0.01 nats of the lowest";

static double depth_of(const struct depth_options *options, size_t i)
{
    return (double)options->item[i].net.schedule.n_layers;
}

/* "24 x 608": layers by width. */
static void note_network(struct figure *figure, const struct depth_options *options, size_t i,
                         double y, const char *what, int colour)
{
    char text[96];
    const struct transformer *net = &options->item[i].net;
    snprintf(text, sizeof text, "%" PRId64 " x %" PRId64 "%s", net->schedule.n_layers, net->d_model,
             what);
    figure_note(figure, depth_of(options, i), y, text, colour);
}

/* What is drawn so far reaches from *low to *high. */
static void extent(const struct figure *figure, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < figure->n_series; i++)
        for (size_t j = 0; j < figure->series[i].n; j++) {
            *low = fmin(*low, figure->series[i].data[j].y_low);
            *high = fmax(*high, figure->series[i].data[j].y_high);
        }
}

/* The depths of a range, from the bottom of the panel to its top. */
static void add_stripe(struct figure *figure, const struct depth_options *options,
                       struct depth_range range, const char *title, int colour)
{
    struct series *band = figure_series(figure, SERIES_BAND, title, colour);
    double first = depth_of(options, range.first), last = depth_of(options, range.last);
    if (range.first == range.last) { /* one depth is to be seen, too */
        first /= 1.015;
        last *= 1.015;
    }
    series_add_range(band, first, figure->y.min, figure->y.min, figure->y.max);
    series_add_range(band, last, figure->y.min, figure->y.min, figure->y.max);
}

static void draw_loss(struct figure *figure, const struct depth_options *options,
                      const struct plot_depth_point *points, size_t n_points)
{
    figure_axis(figure, &figure->y, "loss above the lowest of all depths (nats a token)", false);
    struct series *line = figure_series(figure, SERIES_LINE_POINTS,
                                        "loss that the law expects (band: 90 %)", COLOUR_BLUE);
    struct series *band = figure_series(figure, SERIES_BAND, NULL, COLOUR_BLUE);
    for (size_t i = 0; i < options->n; i++) {
        const struct quality_difference *d = &options->item[i].answer.difference;
        series_add(line, depth_of(options, i), d->nats);
        if (isfinite(d->low_nats) && isfinite(d->high_nats))
            series_add_range(band, depth_of(options, i), d->nats, d->low_nats, d->high_nats);
    }
    struct series *trained =
        figure_series(figure, SERIES_ERRORS, "MobileLLM's own sweep, as trained", COLOUR_BLACK);
    for (size_t i = 0; i < n_points; i++)
        if (isfinite(points[i].nats) && isfinite(points[i].low_nats) &&
            isfinite(points[i].high_nats))
            series_add_range(trained, points[i].depth, points[i].nats, points[i].low_nats,
                             points[i].high_nats);
    size_t ends[] = {0, options->best, options->n - 1};
    for (size_t k = 0; k < 3; k++)
        if (k == 0 || ends[k] != ends[k - 1])
            note_network(figure, options, ends[k], options->item[ends[k]].answer.difference.nats,
                         k == 1 ? ": lowest" : "", COLOUR_BLUE);
    double low, high;
    extent(figure, &low, &high);
    figure->y.min = low - 0.06 * (high - low);
    figure->y.max = high + 0.06 * (high - low);
    add_stripe(figure, options, depth_options_good(options), loss_stripe, COLOUR_GREY);
}

static void draw_decode(struct figure *figure, const struct depth_options *options,
                        const struct plot_depth_device *device)
{
    char label[160];
    snprintf(label, sizeof label, "decode on %s (ms a token, log scale)", device->name);
    figure_axis(figure, &figure->y, label, true);
    struct series *line = figure_series(figure, SERIES_LINE_POINTS,
                                        "decode, predicted (band: interval)", COLOUR_VERMILLION);
    struct series *band = figure_series(figure, SERIES_BAND, NULL, COLOUR_VERMILLION);
    for (size_t i = 0; i < options->n; i++) {
        const struct price *p = &device->prices[i];
        series_add(line, depth_of(options, i), p->decode_ns * 1e-6);
        if (isfinite(p->decode_ns_low) && isfinite(p->decode_ns_high))
            series_add_range(band, depth_of(options, i), p->decode_ns * 1e-6,
                             p->decode_ns_low * 1e-6, p->decode_ns_high * 1e-6);
    }
    struct depth_range best = depth_options_best(options, device->prices);
    char text[48];
    for (size_t k = 0; k < 2; k++) {
        size_t i = k == 0 ? best.first : best.last;
        if (k == 1 && i == best.first)
            break;
        snprintf(text, sizeof text, ": %.4g ms", device->prices[i].decode_ns * 1e-6);
        note_network(figure, options, i, device->prices[i].decode_ns * 1e-6, text,
                     COLOUR_VERMILLION);
    }
}

/* All panels of decode span one ratio, so that slopes of slow and fast devices compare. */
static void stripe_decode(struct figure *figures, const struct depth_options *options,
                          const struct plot_depth_device *devices, size_t n_devices)
{
    double low, high, ratio = 1.1;
    for (size_t d = 0; d < n_devices; d++) {
        extent(&figures[d], &low, &high);
        ratio = fmax(ratio, high / low);
    }
    for (size_t d = 0; d < n_devices; d++) {
        struct figure *figure = &figures[d];
        extent(figure, &low, &high);
        figure->y.n_tics = 6;
        double centre = sqrt(low * high);
        figure->y.min = centre / sqrt(ratio) / pow(ratio, 0.06);
        figure->y.max = centre * sqrt(ratio) * pow(ratio, 0.06);
        add_stripe(figure, options, depth_options_good(options), loss_stripe, COLOUR_GREY);
        add_stripe(figure, options, depth_options_best(options, devices[d].prices), "best by both",
                   COLOUR_GREEN);
    }
}

/* "125M: best by both are 16 to 40 layers on iPhone 13, 16 to 19 on rpi5". */
static void say_finding(struct text *title, const char *size, const struct depth_options *options,
                        const struct plot_depth_device *devices, size_t n_devices)
{
    text_addf(title, "%s: best by both are ", size);
    for (size_t d = 0; d < n_devices; d++) {
        struct depth_range best = depth_options_best(options, devices[d].prices);
        text_addf(title, "%s%.0f", d > 0 ? ", " : "", depth_of(options, best.first));
        if (best.last != best.first)
            text_addf(title, " to %.0f", depth_of(options, best.last));
        text_addf(title, "%s on %s", d == 0 ? " layers" : "", devices[d].name);
    }
}

enum status plot_deep_or_wide(const char *size, const struct depth_options *options,
                              const struct plot_depth_device *devices, size_t n_devices,
                              const struct plot_depth_point *points, size_t n_points,
                              const struct plot_options *drawn, struct err *err)
{
    if (n_devices < 1 || n_devices > MOST_DEVICES)
        return err_set(err, STATUS_RANGE, "cannot draw %zu devices: expected 1 to %d", n_devices,
                       MOST_DEVICES);
    struct text title = {0};
    struct page page = {0};
    enum status status = page_init(&page, 1 + (int)n_devices, 1, err);
    if (status == STATUS_OK) {
        page.height = 380 + 200 * (int)n_devices;
        page.rows = 20 + 16 * (int)n_devices;
        say_finding(&title, size, options, devices, n_devices);
        plot_apply(&page, drawn, title.data, NULL, NULL);
        draw_loss(&page.panels[0], options, points, n_points);
        for (size_t d = 0; d < n_devices; d++)
            draw_decode(&page.panels[1 + d], options, &devices[d]);
        stripe_decode(page.panels + 1, options, devices, n_devices);
        for (size_t p = 0; p <= n_devices; p++) {
            struct plot_axis *x = &page.panels[p].x;
            bool last = p == n_devices;
            figure_axis(&page.panels[p], x, last ? "layers (log scale)" : NULL, true);
            x->hide_labels = !last;
            x->min = depth_of(options, 0) / 1.15;
            x->max = depth_of(options, options->n - 1) * 1.15;
        }
        page.failed = page.failed || title.failed;
    }
    text_release(&title);
    return plot_finish(&page, status, drawn, err);
}
