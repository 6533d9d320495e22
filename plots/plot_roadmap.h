/* Kind 'roadmap': Table 10 of the MobileLLM paper as two waterfalls, a panel a size: each step's
 * points of accuracy as the law predicts them, with their interval, beside those printed. */
#ifndef LATHE_PLOTS_PLOT_ROADMAP_H
#define LATHE_PLOTS_PLOT_ROADMAP_H

#include "plots/plot_options.h"
#include "quality/paper_check.h"

/* comparisons[n]: those with a place in the waterfall are drawn, in the order given; a panel ends
 * with the last place. Steps that are not finite are left out. Errors: of page_draw; STATUS_RANGE
 * (no step, more than four waterfalls). */
enum status plot_roadmap(const struct quality_comparison *comparisons, int n,
                         const struct plot_options *options, struct err *err);

#endif
