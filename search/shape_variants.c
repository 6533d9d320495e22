#include "search/shape_variants.h"

#include "model/count.h"

void shape_transformer(const struct space *space, const struct shape *shape,
                       struct transformer *net)
{
    const struct block *first = &shape->stack.first;
    transformer_init(net, shape->d_model, 1, first->n_heads, first->n_kv_heads, first->d_head,
                     first->d_ff, shape->vocab_size);
    net->stack = shape->stack;
    net->ffn = space->ffn;
    net->max_context = space->max_context;
    transformer_set_dtype(net, dtype_base(shape->dtype));
    net->kv_dtype = shape->kv_dtype;
}

static struct linear_count count_by_depth(struct transformer *net, const struct schedule *schedule,
                                          bool tie_embeddings)
{
    struct param_count one, two;
    net->schedule = *schedule;
    net->tie_embeddings = tie_embeddings;
    net->schedule.n_layers = 1;
    transformer_count(net, &one);
    net->schedule.n_layers = 2;
    transformer_count(net, &two);
    int64_t per_layer = two.total - one.total;
    return (struct linear_count){one.total - per_layer, per_layer};
}

struct depths depths_within(const struct space *space, const struct budget *budget,
                            struct linear_count count)
{
    int64_t least = budget->min - count.fixed, most = budget->max - count.fixed;
    struct depths depths = {space->min_layers, space->max_layers};
    if (most < count.per_layer)
        return (struct depths){1, 0};
    int64_t low = least <= 0 ? 1 : (least + count.per_layer - 1) / count.per_layer;
    int64_t high = most / count.per_layer;
    if (low > depths.low)
        depths.low = low;
    if (high < depths.high)
        depths.high = high;
    return depths;
}

bool shape_variant(const struct space *space, const struct budget *budget, struct transformer *net,
                   int index, struct variant *out)
{
    int tie = index / space->n_schedules;
    if (tie >= space->tie_embeddings.n)
        return false;
    out->tie_embeddings = space->tie_embeddings.value[tie] != 0;
    out->schedule = &space->schedule[index % space->n_schedules];
    out->count = count_by_depth(net, out->schedule, out->tie_embeddings);
    out->depths = depths_within(space, budget, out->count);
    return true;
}
