/* Which tile is asked for when, and which level it comes from. */
#ifndef LATHE_SIMULATOR_FETCH_H
#define LATHE_SIMULATOR_FETCH_H

#include "simulator/engine_state.h"

/* Issues requests in their order, as far as overlap and room allow; fetch_stalled: it wants to be
 * called again when a tile was read. */
void fetch_tiles(struct engine *engine);
/* Asks DRAM's own buffer for a tile, which it holds afterwards; true when it was there. */
bool fetch_dram_has(struct engine *engine, const struct request *request);

#endif
