/* A network's life on a machine, by events: load, init, prefill, decode.
 *
 * load     the file comes into memory, one of
 *            profile  at the rate and with the fixed costs that the profile's loader reaches (the
 *                     closed form's, fitted where the profile is)
 *            cold     from flash: copied at once, or mapped and then read page by page when the
 *                     first pass wants it
 *            warm     it is in the page cache: mapped (nothing moves) or copied (read and written)
 *          plus the profile's fixed cost and cost per executed block.
 * init     block by block: repacked at init_gbps, and compiled. Compiling block b costs (2b - 1)
 *          times init_block_sq_ns: a compiler that looks at all blocks before takes n^2 for n
 *          blocks (Table 7: 2.46 times the init for twice the blocks). The sum is the closed
 *          form's.
 * prefill  the prompt in one pass, right after init: the buffers above DRAM are empty.
 * decode   tokens after `context` tokens. Sampling is left out, by the contract.
 *
 * Weights may use `memory_bytes` less the KV cache and activations. Weights that exceed that come
 * from flash again in every pass: all of them when the file is mapped (the page cache is an LRU and
 * a pass is a cycle), the part that does not fit when the file is copied.
 *
 * Same arguments, same result to the bit. */
#ifndef LATHE_SIMULATOR_SIMULATE_H
#define LATHE_SIMULATOR_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "costmodel/price.h"
#include "model/transformer.h"
#include "simulator/engine_sink.h"

enum load_source {
    LOAD_PROFILE,
    LOAD_COLD,
    LOAD_WARM,
};

struct simulation {
    struct workload workload;
    int64_t tokens; /* decoded, >= 1 */
    enum load_source load;
    bool copied;          /* into memory of the process's own; false: mapped */
    int64_t memory_bytes; /* for weights, KV cache and activations; 0: the profile's usable DRAM */
    int64_t tile_bytes;   /* 0: tile_bytes_for */
    bool exact;           /* every token by events; false: as few as the steady state allows */
    bool prefill;         /* false: prefill is skipped, for sweeps of decode */
    /* Told of load, init, prefill and the decoded tokens. With a sink every token is run. */
    struct engine_sink sink;
};
/* Prompt and context of price.h, one token, mapped, as the profile loads. */
void simulation_init(struct simulation *simulation);

struct simulated {
    struct price price; /* the contract's keys, from events; load and init as above */
    struct pass_report prefill;
    struct pass_report decode; /* the token after `context` tokens, in the steady state */
    double first_decode_ns;    /* the first token after the prefill, caches as it left them */
    int64_t tokens;
    double tokens_ns;         /* of all tokens, growing context */
    double tokens_energy_pj;  /* NaN: unknown */
    int64_t tokens_simulated; /* passes of these that were run; the others are interpolated */
    double tokens_error_frac; /* largest error of the interpolation at a token that was checked */
    int64_t tile_bytes, n_tiles;
    /* Weights that have no room in memory: a pass that reads them takes them from flash again. 0:
     * all fit. */
    int64_t stream_bytes;
    double load_read_bytes, load_write_bytes; /* of DRAM and flash while loading */
};

/* `net` passed transformer_check. Errors: STATUS_RANGE (prompt, context or tokens beyond the
 * network's; KV cache and activations alone exceed the memory), STATUS_INPUT (the machine lacks
 * what a phase needs, named), STATUS_NOMEM. */
enum status simulate(const struct transformer *net, const struct machine *machine,
                     const struct simulation *simulation, struct simulated *out, struct err *err);

#endif
