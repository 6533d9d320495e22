/* When a tile is asked for, and which level it comes from. */
#ifndef LATHE_SIMULATOR_FETCH_H
#define LATHE_SIMULATOR_FETCH_H

#include "simulator/engine_state.h"

/* Issues requests in their order, as far as overlap and room allow. Sets fetch_stalled when it can
 * go on once a tile was read: call it again then. */
void fetch_tiles(struct engine *engine);
/* Asks DRAM's own buffer for a tile, which it holds afterwards; true when it was there. */
bool fetch_dram_has(struct engine *engine, const struct request *request);

#endif
