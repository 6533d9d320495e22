/* The channels of DRAM and flash: their queues, the transfer on its way, and when it arrives. */
#ifndef LATHE_SIMULATOR_CHANNELS_H
#define LATHE_SIMULATOR_CHANNELS_H

#include "simulator/engine_state.h"

void channels_start(struct engine *engine); /* of a pass */
void channels_release(struct engine *engine);

/* urgent: goes before everything that is prefetched. */
void dram_enqueue(struct engine *engine, bool urgent, struct transfer transfer);
void dram_read_tile(struct engine *engine, int32_t request);
/* Nothing moves until `until_ns`; a transfer on its way arrives that much later. */
void dram_pause(struct engine *engine, double until_ns);
void dram_next(struct engine *engine);
/* The transfer that is done; false when the ticket is not the current transfer's. */
bool dram_done(struct engine *engine, int32_t ticket, struct transfer *out);

void flash_enqueue(struct engine *engine, int32_t request);
void flash_ready(struct engine *engine, int32_t request); /* its command has been served */
void flash_done(struct engine *engine, int32_t request);

#endif
