/* The verb search: prices a space, or a part of it, and stores what is to be kept. */
#ifndef LATHE_CLI_SEARCH_RUN_H
#define LATHE_CLI_SEARCH_RUN_H

#include "cli/crew.h"
#include "cli/options.h"

/* crew: this process is one of several that do it together, each with a store of its own beside --db,
 * where the first puts the front of all; NULL: it does all, or what --shard says. Every process
 * fails if one does; crew->first_failed has the reason, and STATUS_IO "process 3 failed" is the
 * others'. */
enum status search_run(const struct args *args, struct crew *crew, struct err *err);

#endif
