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
    case N_SHARINGS:
        break;
    }
    return whole;
}

void reuse_distance(const struct schedule *schedule, const struct reuse_sizes *sizes, int64_t i,
                    struct reuse_run *out)
{
    struct way_back back = way_back(schedule, i);
    int64_t ffns = schedule->share_ffn ? 1 : back.blocks;
    out->count = 1;
    out->class = 0;
    out->step = 0;
    out->attention_distance = back.blocks * sizes->attention + ffns * sizes->ffn +
                              back.executions * sizes->kv + (back.through_head ? sizes->edges : 0);
    out->ffn_distance = schedule->share_ffn ? sizes->attention + sizes->ffn + sizes->kv +
                                                  (i == 0 ? sizes->edges : 0)
                                            : out->attention_distance;
    out->immediate = schedule->sharing == SHARING_IMMEDIATE && i % schedule->repeats > 0;
}

static int64_t kv_bytes(const struct block_ops *class)
{
    int64_t sum = 0;
    for (int i = 0; i < class->n_ops; i++)
        sum += class->ops[i].kv_read_bytes;
    return sum;
}

static int64_t edge_bytes(const struct operator_list *list)
{
    int64_t sum = 0;
    for (int i = 0; i < list->n_prologue; i++)
        sum += list->prologue[i].weight_bytes;
    for (int i = 0; i < list->n_epilogue; i++)
        sum += list->epilogue[i].weight_bytes;
    return sum;
}

/* The distance of each execution of a stack of different blocks: walk back to the previous use,
 * adding what is met for the first time. O(executions^2), for tens of executions. */
static void walk_back(const struct operator_list *list, int64_t edges, int64_t *stamp,
                      int64_t *ffn_stamp, struct reuse_run *runs)
{
    const struct schedule *s = &list->schedule;
    int64_t total = schedule_executions(s);
    for (int64_t i = 0; i < total; i++) {
        int64_t block = schedule_block(s, i), mark = i + 1;
        int64_t ffn_block = s->share_ffn ? 0 : block;
        const struct block_ops *class = ops_class(list, i);
        struct reuse_run *run = &runs[i];
        *run = (struct reuse_run){.count = 1, .class = (int)(class - list->classes)};
        run->immediate = s->sharing == SHARING_IMMEDIATE && i % s->repeats > 0;
        int64_t distance = 0;
        bool found = false, ffn_found = false;
        for (int64_t back = 1; back <= total && !(found && ffn_found); back++) {
            int64_t j = i - back;
            if (j == -1)
                distance += edges;
            j = j < 0 ? j + total : j;
            int64_t met = schedule_block(s, j);
            int64_t met_ffn = s->share_ffn ? 0 : met;
            const struct block_ops *was = ops_class(list, j);
            /* Backwards through execution j: FFN, KV cache, attention weights. Its own FFN comes
             * after the attention of execution i, so the distance to the previous FFN adds that
             * attention. */
            if (ffn_stamp[met_ffn] != mark)
                distance += was->ffn_bytes, ffn_stamp[met_ffn] = mark;
            if (met_ffn == ffn_block && !ffn_found) {
                ffn_found = true;
                run->ffn_distance = distance + kv_bytes(class) +
                                    (stamp[block] == mark ? 0 : class->attention_bytes);
            }
            distance += kv_bytes(was);
            if (stamp[met] != mark)
                distance += was->attention_bytes, stamp[met] = mark;
            if (met == block && !found) {
                found = true;
                run->attention_distance = distance;
            }
        }
    }
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
        const struct block_ops *class = &list->classes[0];
        walk->sizes = (struct reuse_sizes){class->attention_bytes, class->ffn_bytes,
                                           kv_bytes(class), edge_bytes(list)};
        return STATUS_OK;
    }
    walk->sizes = (struct reuse_sizes){.edges = edge_bytes(list)};
    size_t total = (size_t)schedule_executions(&list->schedule);
    size_t n = (size_t)list->schedule.n_layers;
    int64_t *stamp = memory_new(2 * n, sizeof *stamp);
    walk->runs = memory_new(total, sizeof *walk->runs);
    if (!stamp || !walk->runs) {
        memory_free(stamp);
        reuse_walk_end(walk);
        return err_set(err, STATUS_NOMEM, "out of memory for %zu executions", total);
    }
    walk_back(list, walk->sizes.edges, stamp, stamp + n, walk->runs);
    memory_free(stamp);
    return STATUS_OK;
}

/* Reverse: within a round the distance grows by a constant from one execution to the next, so the
 * run ends where it would pass the next capacity, or with the round. */
static int64_t reverse_run(const struct reuse_walk *walk, int64_t i, struct reuse_run *first)
{
    const struct schedule *s = &walk->list->schedule;
    int64_t left = s->n_layers - i % s->n_layers;
    int64_t step =
        walk->sizes.attention + (s->share_ffn ? 0 : walk->sizes.ffn) + 2 * walk->sizes.kv;
    if (s->share_ffn && i == 0)
        return 1;
    if (way_back(s, i).blocks == s->n_layers && left > 1)
        return left; /* the whole round is one distance */
    first->step = step;
    for (int c = 0; c < walk->n_capacities; c++) {
        int64_t room = walk->capacities[c] - first->attention_distance;
        if (room >= 0)
            return room / step + 1 < left ? room / step + 1 : left;
    }
    return left;
}

bool reuse_walk_next(struct reuse_walk *walk, struct reuse_run *run)
{
    const struct schedule *s = &walk->list->schedule;
    int64_t i = walk->next, total = schedule_executions(s), count = 1;
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
    case N_SHARINGS:
        assert(!"no such sharing mode");
    }
    run->count = count;
    return true;
}

void reuse_walk_end(struct reuse_walk *walk)
{
    memory_free(walk->runs);
    walk->runs = NULL;
}

int64_t reuse_pass_bytes(const struct operator_list *list)
{
    int64_t sum = edge_bytes(list);
    for (int c = 0; c < list->n_classes; c++) {
        const struct block_ops *class = &list->classes[c];
        sum +=
            class->n_blocks * (class->attention_bytes + list->schedule.repeats * kv_bytes(class));
        if (!list->schedule.share_ffn)
            sum += class->n_blocks * class->ffn_bytes;
    }
    if (list->schedule.share_ffn)
        sum += ops_class(list, 0)->ffn_bytes;
    return sum;
}
