#include "simulator/program.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/reuse.h"

enum {
    USUAL_TILE = 32 << 10,
    MOST_REQUESTS = 1 << 15,
    MOST_TILES = 1 << 27,
};

int64_t tile_bytes_for(int64_t pass_bytes, int64_t chip_bytes)
{
    int64_t tile = USUAL_TILE;
    while (pass_bytes / tile > MOST_REQUESTS)
        tile *= 2;
    if (tile > chip_bytes / 16)
        tile = chip_bytes / 16;
    return tile > LEAST_TILE_BYTES ? tile : LEAST_TILE_BYTES;
}

static int64_t tiles_in(int64_t bytes, int64_t tile_bytes)
{
    return (bytes + tile_bytes - 1) / tile_bytes;
}

static int64_t group_tiles(const struct op *ops, int n, int group, int64_t tile_bytes)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        if (ops[i].group == group)
            sum += tiles_in(ops[i].weight_bytes, tile_bytes);
    return sum;
}

static int64_t edge_tiles(const struct operator_list *list, int group, int64_t tile_bytes)
{
    return group_tiles(list->prologue, list->n_prologue, group, tile_bytes) +
           group_tiles(list->epilogue, list->n_epilogue, group, tile_bytes);
}

static int64_t kv_tiles(const struct block_ops *class, int64_t tile_bytes)
{
    int64_t sum = 0;
    for (int i = 0; i < class->n_ops; i++)
        sum += tiles_in(class->ops[i].kv_read_bytes, tile_bytes);
    return sum;
}

/* The tiles of a block's groups from `next` on, as many as the one of the two passes that reads more
 * of its experts needs; returns what comes after them. */
static int64_t place_block(struct tile_map *map, const struct operator_list *list,
                           const struct operator_list *prefill, int64_t block, int64_t next)
{
    const struct block_ops *filling = ops_class_of_block(prefill, block);
    const struct block_ops *class = ops_class_of_block(list, block);
    int32_t *first = &map->group_first[block * MAX_BLOCK_GROUPS];
    for (int g = 0; g < class->n_groups; g++) {
        if (block > 0 && list->schedule.share_ffn && class->groups[g].is_shareable) {
            first[g] = map->group_first[g];
            continue;
        }
        first[g] = (int32_t)next;
        int64_t n = group_tiles(class->ops, class->n_ops, g, map->tile_bytes);
        int64_t filled = group_tiles(filling->ops, filling->n_ops, g, map->tile_bytes);
        next += group_is_picked(g) && filled > n ? filled : n;
    }
    return next;
}

enum status tile_map_init(struct tile_map *map, const struct operator_list *list,
                          const struct operator_list *prefill, int64_t tile_bytes, struct err *err)
{
    const struct schedule *schedule = &list->schedule;
    int64_t n_layers = schedule->n_layers, executions = ops_executions(list), next = 0;
    *map = (struct tile_map){.tile_bytes = tile_bytes};
    map->group_first = memory_new((size_t)n_layers * MAX_BLOCK_GROUPS, sizeof *map->group_first);
    map->kv_first = memory_new((size_t)executions, sizeof *map->kv_first);
    enum status status = STATUS_OK;
    if (!map->group_first || !map->kv_first)
        status = err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", executions);
    for (int64_t block = 0; block < n_layers && !status && next < MOST_TILES; block++)
        next = place_block(map, list, prefill, block, next);
    for (int group = EDGE_FINAL; group <= EDGE_HEAD; group++) {
        map->edge_first[group] = (int32_t)next;
        next += edge_tiles(list, group, tile_bytes);
    }
    map->n_weight_tiles = (int32_t)next;
    for (int64_t i = 0; i < executions && !status && next < MOST_TILES; i++) {
        map->kv_first[i] = (int32_t)next;
        int64_t decoding = kv_tiles(ops_class(list, i), tile_bytes);
        int64_t filling = kv_tiles(ops_class(prefill, i), tile_bytes);
        next += decoding > filling ? decoding : filling;
    }
    if (!status && next >= MOST_TILES)
        status = err_set(err, STATUS_RANGE, "too large to simulate in tiles of %" PRId64 " bytes",
                         tile_bytes);
    map->n_tiles = (int32_t)next;
    if (status)
        tile_map_release(map);
    return status;
}

void tile_map_release(struct tile_map *map)
{
    memory_free(map->group_first);
    memory_free(map->kv_first);
    *map = (struct tile_map){0};
}

/* While a program is built. */
struct builder {
    struct program *program;
    const struct tile_map *map;
    const struct machine *machine;
    int32_t
        next_tile[MAX_BLOCK_GROUPS]; /* where the next matrix of each group of the block starts */
    int32_t next_edge[N_EDGE_GROUPS];
    int32_t next_kv;
    double dispatch_ns; /* of the block or pass, until its first operator takes it */
    struct err *err;
};

static enum status add_request(struct builder *b, int32_t tile, int64_t bytes, bool is_cache)
{
    struct program *program = b->program;
    if (program->n_requests == program->requests_capacity) {
        enum status status =
            memory_grow((void **)&program->requests, &program->requests_capacity,
                        program->n_requests + 1, sizeof *program->requests, b->err);
        if (status)
            return status;
    }
    program->requests[program->n_requests++] = (struct request){
        .tile = tile, .step = (int32_t)program->n_steps, .is_cache = is_cache, .bytes = bytes};
    return STATUS_OK;
}

/* `next`: [op->group]. */
static enum status add_weights(struct builder *b, const struct op *op, int32_t *next)
{
    if (op->group == GROUP_NONE)
        return STATUS_OK;
    if (op->kind == OP_EMBED)
        return op->weight_bytes > 0 ? add_request(b, -1, op->weight_bytes, false) : STATUS_OK;
    enum status status = STATUS_OK;
    int64_t n = tiles_in(op->weight_bytes, b->map->tile_bytes);
    int32_t first = next[op->group];
    for (int64_t i = 0; i < n && !status; i++)
        status = add_request(b, first + (int32_t)i,
                             op->weight_bytes * (i + 1) / n - op->weight_bytes * i / n, false);
    next[op->group] += (int32_t)n;
    return status;
}

static enum status add_cache(struct builder *b, const struct op *op)
{
    enum status status = STATUS_OK;
    for (int64_t left = op->kv_read_bytes; left > 0 && !status; left -= b->map->tile_bytes)
        status = add_request(b, b->next_kv++, left < b->map->tile_bytes ? left : b->map->tile_bytes,
                             true);
    return status;
}

static enum status add_step(struct builder *b, const struct op *op, int32_t execution,
                            double reuse_bytes)
{
    struct program *program = b->program;
    if (op->kind == OP_SAMPLE)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (program->n_steps == program->steps_capacity)
        status = memory_grow((void **)&program->steps, &program->steps_capacity,
                             program->n_steps + 1, sizeof *program->steps, b->err);
    if (status)
        return status;
    struct step *step = &program->steps[program->n_steps];
    *step = (struct step){
        .op = op,
        .execution = execution,
        .first_request = (int32_t)program->n_requests,
        .reuse_bytes = reuse_bytes,
        .dispatch_ns = b->machine->op_ns[op->kind] + b->dispatch_ns,
    };
    b->dispatch_ns = 0;
    status = add_weights(b, op, execution < 0 ? b->next_edge : b->next_tile);
    if (!status)
        status = add_cache(b, op);
    step->n_requests = (int32_t)program->n_requests - step->first_request;
    program->n_steps++;
    return status;
}

static enum status add_blocks(struct builder *b, const struct operator_list *list)
{
    const struct schedule *schedule = &list->schedule;
    int64_t executions = ops_executions(list);
    double pass_bytes = (double)reuse_pass_bytes(list);
    struct reuse_walk walk;
    enum status status = reuse_walk_start(&walk, list, NULL, 0, b->err);
    if (status)
        return status;
    b->program->sharing = schedule->sharing;
    b->program->n_executions = (int32_t)executions;
    for (int64_t i = 0; i < executions && !status; i++) {
        const struct block_ops *class = ops_class(list, i);
        int64_t block = ops_block(list, i);
        memcpy(b->next_tile, &b->map->group_first[block * MAX_BLOCK_GROUPS], sizeof b->next_tile);
        b->next_kv = b->map->kv_first[i];
        b->dispatch_ns += b->machine->layer_ns;
        struct reuse_run run;
        if (walk.runs)
            run = walk.runs[i];
        else
            reuse_distance(schedule, &walk.sizes, i, &run);
        for (int o = 0; o < class->n_ops && !status; o++) {
            int group = class->ops[o].group;
            double distance = group == GROUP_NONE ? pass_bytes : (double)run.distance[group];
            status = add_step(b, &class->ops[o], (int32_t)i, distance);
        }
    }
    reuse_walk_end(&walk);
    return status;
}

/* Backwards: the next use of a tile is the request met before. */
static enum status link_uses(struct program *program, int32_t n_tiles, struct err *err)
{
    enum status status = memory_grow((void **)&program->first_use, &program->first_use_capacity,
                                     (size_t)n_tiles + 1, sizeof *program->first_use, err);
    if (status)
        return status;
    for (int32_t i = 0; i < n_tiles; i++)
        program->first_use[i] = NEVER_USED;
    int64_t n = (int64_t)program->n_requests;
    for (int round = 0; round < 2; round++) /* the first one finds what comes round the end */
        for (int64_t r = n - 1; r >= 0; r--) {
            struct request *request = &program->requests[r];
            if (request->tile < 0)
                continue;
            int64_t next = program->first_use[request->tile];
            request->next_use = next > r ? next : n + next;
            program->first_use[request->tile] = (int32_t)r;
        }
    return STATUS_OK;
}

enum status program_build(struct program *program, const struct tile_map *map,
                          const struct operator_list *list, const struct machine *machine,
                          struct err *err)
{
    struct builder b = {.program = program,
                        .map = map,
                        .machine = machine,
                        .dispatch_ns = machine->pass_ns,
                        .err = err};
    memcpy(b.next_edge, map->edge_first, sizeof b.next_edge);
    program->n_steps = program->n_requests = 0;
    double pass_bytes = (double)reuse_pass_bytes(list);
    enum status status = STATUS_OK;
    for (int i = 0; i < list->n_prologue && !status; i++)
        status = add_step(&b, &list->prologue[i], -1, pass_bytes);
    if (!status)
        status = add_blocks(&b, list);
    for (int i = 0; i < list->n_epilogue && !status; i++)
        status = add_step(&b, &list->epilogue[i], -1, pass_bytes);
    return status ? status : link_uses(program, map->n_tiles, err);
}

void program_release(struct program *program)
{
    memory_free(program->steps);
    memory_free(program->requests);
    memory_free(program->first_use);
    *program = (struct program){0};
}
