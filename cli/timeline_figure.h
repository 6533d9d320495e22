/* A figure of what each resource does while neighbouring blocks run. */
#ifndef LATHE_CLI_TIMELINE_FIGURE_H
#define LATHE_CLI_TIMELINE_FIGURE_H

#include "cli/options.h"
#include "simulator/simulate.h"

/* Draws two neighbouring distinct blocks, with all their repeats, from the middle of one decoded
 * token of each MODEL of the command line, one panel a model, where --timeline says.
 * Errors: those of open_model, simulate and plot_timeline. */
enum status draw_timelines(const struct args *args, const struct machine *machine,
                           const struct simulation *simulation, struct err *err);

#endif
