/* Between the files of the engine. */
#ifndef LATHE_SIMULATOR_ENGINE_PRIVATE_H
#define LATHE_SIMULATOR_ENGINE_PRIVATE_H

#include "simulator/engine.h"

enum event_kind {
    EVENT_DISPATCHED,  /* step */
    EVENT_DRAM_DONE,   /* ticket */
    EVENT_FLASH_READY, /* request: its command has been served */
    EVENT_FLASH_DONE,  /* request */
    EVENT_TILE_READ,   /* request: its port is done with it */
    EVENT_STEP_DONE,   /* step */
};

void engine_schedule(struct engine *engine, double at_ns, enum event_kind kind, int32_t what);
void engine_emit(struct engine *engine, int resource, double start_ns, double end_ns,
                 const struct op *op, const char *what, int32_t execution, int64_t bytes);
void engine_tell_occupancy(struct engine *engine);
const struct step *engine_step_of(const struct engine *engine, int32_t request);
int64_t engine_flash_bytes(const struct engine *engine, int32_t request);

/* Channels (channels.c). */
void channels_start(struct engine *engine);
void dram_enqueue(struct engine *engine, bool urgent, struct transfer transfer);
void dram_read_tile(struct engine *engine, int32_t request);
void dram_pause(struct engine *engine, double until_ns);
void dram_next(struct engine *engine);
/* The transfer that is done, if the ticket is the current one's. */
bool dram_done(struct engine *engine, int32_t ticket, struct transfer *out);
void flash_enqueue(struct engine *engine, int32_t request);
void flash_ready(struct engine *engine, int32_t request);
void flash_done(struct engine *engine, int32_t request);
void channels_release(struct engine *engine);

void pass_report_sum(struct pass_report *report); /* roles into total */

#endif
