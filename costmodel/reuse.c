#include "costmodel/reuse.h"

#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"

/* When the walk comes back to the block that execution i runs: how many distinct blocks and how
 * many executions' KV caches lie between the two uses, and whether the head does. */
struct way_back {
    int64_t blocks, executions;
    bool through_head;
};

static struct way_back way_back(const struct schedule *s, int64_t i)
{
    int64_t n = s->n_layers, total = schedule_executions(s);
    int64_t round = i / n, at = i % n;
    struct way_back whole = {n, n, i < n};
    switch (s->sharing) {
    case SHARING_IMMEDIATE:
        if (i % s->repeats > 0)
            return (struct way_back){1, 1, false};
        return (struct way_back){n, total - s->repeats + 1, true};
    case SHARING_REVERSE:
        /* Backward rounds and the first one after a backward one turn around at their first block.
         */
        if (round > 0 || s->repeats % 2 == 0)
            return (struct way_back){at + 1, 2 * at + 1, round == 0};
        return whole;
    case SHARING_NONE:
    case SHARING_REPEAT_ALL:
    case SHARING_BY_BLOCK: /* of a uniform stack there is none */
    case N_SHARINGS:
        break;
    }
    return whole;
}

/* Which experts a token picks says little about the next one's. */
static void add_unread(int64_t unread, int n_groups, struct reuse_run *run)
{
    for (int g = 0; g < n_groups; g++)
        run->distance[g] += group_is_picked(g) ? unread : 0;
}

void reuse_distance(const struct schedule *schedule, const struct reuse_sizes *sizes, int64_t i,
                    struct reuse_run *out)
{
    struct way_back back = way_back(schedule, i);
    out->count = 1;
    out->class = 0;
    out->step = 0;
    out->is_shared = sizes->is_shared;
    int64_t own = back.blocks * sizes->own + sizes->shared + back.executions * sizes->kv +
                  (back.through_head ? sizes->edges : 0);
    /* What all blocks share was last used by the execution before. */
    int64_t shared = sizes->own + sizes->shared + sizes->kv + (i == 0 ? sizes->edges : 0);
    for (int g = 0; g < sizes->n_groups; g++)
        out->distance[g] = sizes->is_shared >> g & 1 ? shared : own;
    add_unread(sizes->unread, sizes->n_groups, out);
    out->immediate = schedule->sharing == SHARING_IMMEDIATE && i % schedule->repeats > 0;
}

static bool is_shared(const struct operator_list *list, const struct weight_group *group)
{
    return list->schedule.share_ffn && group->is_shareable;
}

int64_t reuse_edge_bytes(const struct operator_list *list)
{
    int64_t sum = 0;
    for (int i = 0; i < list->n_prologue; i++)
        sum += list->prologue[i].weight_bytes;
    for (int i = 0; i < list->n_epilogue; i++)
        sum += list->epilogue[i].weight_bytes;
    return sum;
}

static int64_t unread_bytes(const struct operator_list *list)
{
    int64_t sum = 0;
    for (int c = 0; c < list->n_classes; c++)
        for (int g = 0; g < list->classes[c].n_groups; g++)
            sum += list->classes[c].n_blocks * list->classes[c].groups[g].unread_bytes;
    return sum;
}

/* For the walk back over a stack of different blocks: when each piece of weights was last met. */
struct pieces {
    const struct operator_list *list;
    int64_t n_executions;
    int64_t *block; /* [n_executions]: the block that each runs */
    int64_t *met;   /* [n_layers + 1][MAX_BLOCK_GROUPS]: by block, then those that all share */
};

static int64_t *piece(const struct pieces *pieces, int64_t block, const struct block_ops *class,
                      int group)
{
    const struct schedule *s = &pieces->list->schedule;
    int64_t owner = is_shared(pieces->list, &class->groups[group]) ? s->n_layers : block;
    return &pieces->met[owner * MAX_BLOCK_GROUPS + group];
}

/* What execution i touches before its group g and the walk has not met. */
static int64_t unmet_before(const struct pieces *pieces, int64_t block,
                            const struct block_ops *class, int g, int64_t mark)
{
    int64_t sum = g > 0 ? class->kv_read_bytes : 0;
    for (int h = 0; h < g; h++)
        if (*piece(pieces, block, class, h) != mark)
            sum += class->groups[h].bytes;
    return sum;
}

/* Walks back from execution i to the previous use of each of its groups, adding what is met for the
 * first time. */
static void walk_back_from(const struct pieces *pieces, int64_t i, int64_t edges,
                           struct reuse_run *run)
{
    const struct operator_list *list = pieces->list;
    int64_t total = pieces->n_executions, block = pieces->block[i], mark = i + 1;
    const struct block_ops *class = ops_class_of_block(list, block);
    int64_t distance = 0;
    unsigned found = 0, all = (1u << class->n_groups) - 1;
    for (int64_t back = 1; back <= total && found != all; back++) {
        int64_t j = i - back;
        if (j == -1)
            distance += edges;
        j = j < 0 ? j + total : j;
        int64_t met_block = pieces->block[j];
        const struct block_ops *met = ops_class_of_block(list, met_block);
        for (int h = met->n_groups - 1; h >= 0; h--) {
            int64_t *at = piece(pieces, met_block, met, h);
            if (h == 0)
                distance += met->kv_read_bytes;
            if (*at == mark)
                continue;
            *at = mark;
            distance += met->groups[h].bytes;
            for (int g = 0; g < class->n_groups; g++) {
                if (piece(pieces, block, class, g) != at)
                    continue;
                found |= 1u << g;
                run->distance[g] = distance + unmet_before(pieces, block, class, g, mark);
            }
        }
    }
}

/* The distance of each execution of a stack of different blocks. O(executions^2), for tens of
 * executions. */
static void walk_back(const struct pieces *pieces, int64_t edges, struct reuse_run *runs)
{
    const struct operator_list *list = pieces->list;
    enum sharing sharing = list->schedule.sharing;
    int64_t unread = unread_bytes(list);
    bool may_repeat = sharing == SHARING_IMMEDIATE || sharing == SHARING_BY_BLOCK;
    for (int64_t i = 0; i < pieces->n_executions; i++) {
        runs[i] = (struct reuse_run){.count = 1, .class = list->class_of_block[pieces->block[i]]};
        runs[i].immediate = may_repeat && i > 0 && pieces->block[i] == pieces->block[i - 1];
        walk_back_from(pieces, i, edges, &runs[i]);
        add_unread(unread, list->classes[runs[i].class].n_groups, &runs[i]);
    }
}

static struct reuse_sizes sizes_of(const struct operator_list *list, const struct block_ops *class)
{
    struct reuse_sizes sizes = {
        .n_groups = class->n_groups,
        .kv = class->kv_read_bytes,
        .edges = reuse_edge_bytes(list),
    };
    for (int g = 0; g < class->n_groups; g++) {
        const struct weight_group *group = &class->groups[g];
        if (is_shared(list, group)) {
            sizes.is_shared |= 1u << g;
            sizes.shared += group->bytes;
        } else {
            sizes.own += group->bytes;
        }
    }
    return sizes;
}

/* Of all blocks of a class, without what all blocks share. */
static int64_t class_bytes(const struct operator_list *list, const struct block_ops *class,
                           const struct reuse_sizes *sizes)
{
    return class->n_blocks * (sizes->own + ops_runs(list, class) * sizes->kv);
}

enum status reuse_walk_start(struct reuse_walk *walk, const struct operator_list *list,
                             const int64_t *capacities, int n_capacities, struct err *err)
{
    walk->list = list;
    walk->capacities = capacities;
    walk->n_capacities = n_capacities;
    walk->next = 0;
    walk->runs = NULL;
    if (!list->class_of_block) {
        walk->n_executions = schedule_executions(&list->schedule);
        walk->sizes = sizes_of(list, &list->classes[0]);
        walk->sizes.unread = unread_bytes(list);
        walk->pass_bytes = walk->sizes.edges + walk->sizes.shared +
                           class_bytes(list, &list->classes[0], &walk->sizes);
        return STATUS_OK;
    }
    walk->sizes = (struct reuse_sizes){.edges = reuse_edge_bytes(list)};
    walk->pass_bytes = reuse_pass_bytes(list);
    size_t total = (size_t)ops_executions(list);
    size_t n = ((size_t)list->schedule.n_layers + 1) * MAX_BLOCK_GROUPS;
    struct pieces pieces = {list, (int64_t)total, memory_new(total, sizeof *pieces.block),
                            memory_new(n, sizeof *pieces.met)};
    walk->runs = memory_new(total, sizeof *walk->runs);
    walk->n_executions = (int64_t)total;
    enum status status = STATUS_OK;
    if (!pieces.met || !pieces.block || !walk->runs) {
        reuse_walk_end(walk);
        status = err_set(err, STATUS_NOMEM, "out of memory for %zu executions", total);
    } else {
        for (size_t i = 0; i < total; i++)
            pieces.block[i] = ops_block(list, (int64_t)i);
        walk_back(&pieces, walk->sizes.edges, walk->runs);
    }
    memory_free(pieces.block);
    memory_free(pieces.met);
    return status;
}

/* Reverse: within a round the distance grows by a constant from one execution to the next, so the
 * run ends where it would pass the next capacity, or with the round. */
static int64_t reverse_run(const struct reuse_walk *walk, int64_t i, struct reuse_run *first)
{
    const struct schedule *s = &walk->list->schedule;
    int64_t left = s->n_layers - i % s->n_layers;
    int64_t step = walk->sizes.own + 2 * walk->sizes.kv;
    if (s->share_ffn && i == 0)
        return 1;
    if (step == 0 || (way_back(s, i).blocks == s->n_layers && left > 1))
        return left; /* the whole round is one distance, or blocks own nothing */
    first->step = step;
    for (int c = 0; c < walk->n_capacities; c++) {
        int64_t room = walk->capacities[c] - first->distance[0];
        if (room >= 0)
            return room / step + 1 < left ? room / step + 1 : left;
    }
    return left;
}

bool reuse_walk_next(struct reuse_walk *walk, struct reuse_run *run)
{
    const struct schedule *s = &walk->list->schedule;
    int64_t i = walk->next, total = walk->n_executions, count = 1;
    if (i >= total)
        return false;
    if (walk->runs) {
        *run = walk->runs[i];
        walk->next = i + 1;
        return true;
    }
    reuse_distance(s, &walk->sizes, i, run);
    /* Executions alike are not always adjacent (immediate: 0 1 0 1), so `next` counts the runs
     * there: the firsts, then the repeats. With a shared FFN execution 0 is alone: its FFN crossed
     * the head. */
    bool alone = s->share_ffn && i == 0;
    switch (s->sharing) {
    case SHARING_NONE:
    case SHARING_REPEAT_ALL:
        count = alone ? 1 : i < s->n_layers ? s->n_layers - i : total - i;
        walk->next = i + count;
        break;
    case SHARING_IMMEDIATE:
        if (i % s->repeats != 0) {
            count = total - s->n_layers;
            walk->next = total;
        } else if (alone && s->n_layers > 1) {
            walk->next = s->repeats; /* the other firsts */
        } else {
            count = i == 0 ? s->n_layers : s->n_layers - 1;
            walk->next = 1; /* the repeats */
        }
        break;
    case SHARING_REVERSE:
        count = reverse_run(walk, i, run);
        walk->next = i + count;
        break;
    case SHARING_BY_BLOCK:
    case N_SHARINGS:
        assert(!"no such sharing mode of a uniform stack");
    }
    run->count = count;
    return true;
}

void reuse_walk_end(struct reuse_walk *walk)
{
    memory_free(walk->runs);
    walk->runs = NULL;
}

/* What all blocks share has one size (transformer_check), so that block 0 speaks for it. */
int64_t reuse_pass_bytes(const struct operator_list *list)
{
    struct reuse_sizes sizes = sizes_of(list, ops_class(list, 0));
    int64_t sum = sizes.edges + sizes.shared;
    for (int c = 0; c < list->n_classes; c++) {
        sizes = sizes_of(list, &list->classes[c]);
        sum += class_bytes(list, &list->classes[c], &sizes);
    }
    return sum;
}
