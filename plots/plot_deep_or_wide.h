/* Kind 'deep-or-wide': loss and decode against depth at equal total parameters, one above the other,
 * with the depths that are best by both shaded (search/depth_options.h says which these are). */
#ifndef LATHE_PLOTS_PLOT_DEEP_OR_WIDE_H
#define LATHE_PLOTS_PLOT_DEEP_OR_WIDE_H

#include "plots/plot_options.h"
#include "search/depth_options.h"

/* A panel of decode. */
struct plot_depth_device {
    const char *name;           /* "iPhone 13" */
    const struct price *prices; /* [options->n]; an unknown interval: no band */
};

/* A network that was trained: nats above the lowest of `options`, with an interval. */
struct plot_depth_point {
    double depth, nats, low_nats, high_nats;
};

/* size: "125M", for the title. n_devices 1 .. 4. Points that are not finite are left out. Errors: of
 * page_draw; STATUS_RANGE (n_devices). */
enum status plot_deep_or_wide(const char *size, const struct depth_options *options,
                              const struct plot_depth_device *devices, size_t n_devices,
                              const struct plot_depth_point *points, size_t n_points,
                              const struct plot_options *drawn, struct err *err);

#endif
