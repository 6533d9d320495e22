/* What one pass asks of memory: a list of steps and a list of requests.
 *
 * A step is an operator; steps are in the order in which operators run. A request is one read of
 * one tile by one step; requests are in the order of reading.
 *
 * A tile is a piece of at most tile_bytes: of a matrix of weights, or of the KV cache of one
 * execution. Each tile has a number, which it keeps in every pass of the network, prefill or decode.
 * So a tile is used again when its number is read again. A matrix is cut into equal tiles. A KV
 * cache is cut at multiples of tile_bytes: when it grows, only its last tile changes. */
#ifndef LATHE_SIMULATOR_PROGRAM_H
#define LATHE_SIMULATOR_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "device/machine.h"
#include "model/ops.h"

/* Which tile is where. */
struct tile_map {
    int64_t tile_bytes;
    int32_t n_weight_tiles; /* the first of all; the KV cache's come after them */
    int32_t n_tiles;
    int32_t *group_first; /* [n_layers][MAX_BLOCK_GROUPS], owned */
    int32_t *kv_first;    /* [executions], owned */
    int32_t edge_first[N_EDGE_GROUPS];
};

/* A page of flash; smaller tiles would take longer to simulate and show nothing more. */
enum { LEAST_TILE_BYTES = 4 << 10 };

/* A size of tile for a pass that reads `pass_bytes`, on a chip with a buffer of `chip_bytes`: 32 KiB,
 * larger where a pass would have more than some 33000 tiles, but no more than a sixteenth of the
 * buffer and no less than LEAST_TILE_BYTES. */
int64_t tile_bytes_for(int64_t pass_bytes, int64_t chip_bytes);

/* The tiles of a decode at the largest context that will be simulated and of a prefill of the
 * largest prompt. Release with tile_map_release.
 * Errors: STATUS_NOMEM, STATUS_RANGE (more than 2^27 tiles). */
enum status tile_map_init(struct tile_map *map, const struct operator_list *decode,
                          const struct operator_list *prefill, int64_t tile_bytes, struct err *err);
void tile_map_release(struct tile_map *map);

struct step {
    const struct op *op; /* of the list: borrowed */
    int32_t execution;   /* -1: before or after the blocks */
    int32_t first_request, n_requests;
    double reuse_bytes; /* its weights' or cache's reuse distance (costmodel/reuse.h) */
    double dispatch_ns; /* of the operator, and of its block or pass if it is the first there */
};

struct request {
    int32_t tile; /* -1: rows gathered from the token table */
    int32_t step;
    bool is_cache; /* KV cache or state, not weights */
    int64_t bytes;
    int64_t next_use; /* request that reads the tile next; beyond n_requests: in the next pass, when
                         it is the same; tile -1: 0 */
};

enum { NEVER_USED = -1 };

/* Start with = {0}; building again reuses the memory. Release with program_release. */
struct program {
    struct step *steps;
    struct request *requests;
    size_t n_steps, n_requests;
    enum sharing sharing;
    int32_t n_executions;
    size_t steps_capacity, requests_capacity;
    int32_t *first_use; /* [n_tiles]: request that reads a tile first, or NEVER_USED */
    size_t first_use_capacity;
};

/* Without OP_SAMPLE, which the contract leaves out of a pass. `list` outlives the program.
 * Errors: STATUS_NOMEM. */
enum status program_build(struct program *program, const struct tile_map *map,
                          const struct operator_list *list, const struct machine *machine,
                          struct err *err);
void program_release(struct program *program);

#endif
