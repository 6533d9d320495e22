#include "search/shape_tables.h"

#include <assert.h>

#include "base/memory.h"
#include "search/shape_variants.h"

enum status shape_tables_init(struct shape_tables *tables, const struct pricing *pricing,
                              int64_t most_executions, struct err *err)
{
    const struct space *space = pricing->enumeration->space;
    size_t n_ffn = (size_t)space->d_ff.n + (size_t)space->n_ff_ratios + space->d_ff_rule_256;
    *tables = (struct shape_tables){.space = space,
                                    .machine = pricing->machine,
                                    .workload = pricing->workload,
                                    .most_executions = most_executions,
                                    .ffn = memory_new(n_ffn, sizeof *tables->ffn),
                                    .most_ffn = n_ffn};
    return tables->ffn != NULL ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
}

void shape_tables_release(struct shape_tables *tables)
{
    memory_free(tables->ffn);
}

static void fill_width(struct shape_tables *tables, const struct shape *shape)
{
    struct width_table *width = &tables->width;
    const bool tie_embeddings = tables->net.tie_embeddings;
    width->dtype = shape->dtype;
    width->kv_dtype = shape->kv_dtype;
    width->vocab_size = shape->vocab_size;
    width->d_model = shape->d_model;
    for (int tied = 0; tied < 2; tied++) {
        struct param_count params;
        struct weight_bytes bytes;
        tables->net.tie_embeddings = tied != 0;
        transformer_stored(&tables->net, &params, &bytes);
        width->outside[tied] =
            (struct stored){params.total - params.blocks, bytes.total - bytes.blocks};
        width->table_bytes[tied] = lookup_table_bytes(&tables->net);
    }
    tables->net.tie_embeddings = tie_embeddings;
    for (int phase = 0; phase < N_TABLE_PHASES; phase++)
        width->has_edges[phase] = false;
    tables->n_ffn = tables->last_ffn = 0;
    tables->heads.valid = false;
}

static void add_stored(const struct tensor *tensor, struct stored *stored)
{
    stored->params += tensor_params(tensor);
    stored->bytes += tensor_bytes(tensor);
}

static void fill_heads(struct shape_tables *tables)
{
    const struct workload *workload = tables->workload;
    const struct block *block = &tables->net.stack.first;
    int64_t held =
        workload->prompt > workload->context + 1 ? workload->prompt : workload->context + 1;
    struct heads_table *heads = &tables->heads;
    heads->valid = true;
    heads->n_heads = block->n_heads;
    heads->n_kv_heads = block->n_kv_heads;
    heads->d_head = block->d_head;
    heads->own = (struct stored){0, 0};
    for (int t = 0; t < heads->tensors.n; t++)
        if (heads->tensors.tensors[t].role < TENSOR_FFN_NORM)
            add_stored(&heads->tensors.tensors[t], &heads->own);
    heads->kv_row_bytes = transformer_kv_bytes_per_token(&tables->net);
    heads->kv_held_bytes = transformer_kv_bytes(&tables->net, held);
    for (int phase = 0; phase < N_TABLE_PHASES; phase++)
        heads->has_cost[phase] = false;
}

static void fill_ffn(const struct tensor_list *tensors, int64_t d_ff, struct ffn_table *ffn)
{
    ffn->d_ff = d_ff;
    ffn->own = ffn->shareable = (struct stored){0, 0};
    for (int t = 0; t < tensors->n; t++) {
        const struct tensor *tensor = &tensors->tensors[t];
        if (tensor->role >= TENSOR_FFN_NORM)
            add_stored(tensor, group_is_shareable(tensor->group) ? &ffn->shareable : &ffn->own);
    }
    for (int phase = 0; phase < N_TABLE_PHASES; phase++)
        ffn->has_ops[phase] = false;
}

/* NULL: not in the tables of the width. d_ff is the innermost axis, so it mostly is the next one. */
static struct ffn_table *find_ffn(struct shape_tables *tables, int64_t d_ff)
{
    for (size_t i = 0; i < tables->n_ffn; i++) {
        size_t at = tables->last_ffn + 1 + i;
        at = at < tables->n_ffn ? at : at - tables->n_ffn;
        if (tables->ffn[at].d_ff == d_ff) {
            tables->last_ffn = at;
            return &tables->ffn[at];
        }
    }
    return NULL;
}

static bool same_width(const struct width_table *width, const struct shape *shape)
{
    return width->d_model == shape->d_model && width->vocab_size == shape->vocab_size &&
           width->dtype == shape->dtype && width->kv_dtype == shape->kv_dtype;
}

static bool same_heads(const struct heads_table *heads, const struct block *block)
{
    return heads->valid && heads->n_heads == block->n_heads &&
           heads->n_kv_heads == block->n_kv_heads && heads->d_head == block->d_head;
}

/* The tables of a shape, with what is stored; what it costs comes later, phase by phase. */
static struct ffn_table *look_up(struct shape_tables *tables, const struct shape *shape)
{
    const struct block *block = &shape->stack.first;
    if (!same_width(&tables->width, shape))
        fill_width(tables, shape);
    bool has_heads = same_heads(&tables->heads, block);
    struct ffn_table *ffn = find_ffn(tables, block->d_ff);
    if (has_heads && ffn != NULL)
        return ffn;
    if (!has_heads) {
        tensors_of_block(&tables->net, block, &tables->heads.tensors);
        fill_heads(tables);
    }
    if (ffn == NULL) {
        struct tensor_list tensors;
        assert(tables->n_ffn < tables->most_ffn);
        tables->last_ffn = tables->n_ffn++;
        ffn = &tables->ffn[tables->last_ffn];
        tensors_of_block(&tables->net, block, &tensors);
        fill_ffn(&tensors, block->d_ff, ffn);
    }
    return ffn;
}

void shape_tables_take(struct shape_tables *tables, const struct shape *shape)
{
    if (same_width(&tables->width, shape))
        tables->net.stack = shape->stack;
    else
        shape_transformer(tables->space, shape, &tables->net);
    tables->of_shape = look_up(tables, shape);
    tables->has_cost[PHASE_DECODE] = tables->has_cost[PHASE_PREFILL] = false;
}

static void list_phase(const struct shape_tables *tables, enum phase phase,
                       struct operator_list *list)
{
    const struct workload *workload = tables->workload;
    enum status status = phase == PHASE_DECODE
                             ? ops_decode(&tables->net, workload->context, list, NULL)
                             : ops_prefill(&tables->net, workload->prompt, list, NULL);
    assert(status == STATUS_OK); /* one class needs no memory */
    (void)status;
}

static void list_edges(const struct shape_tables *tables, enum phase phase, struct edge_cost *out)
{
    struct operator_list list;
    list_phase(tables, phase, &list);
    edge_cost_of(tables->machine, &list, out);
}

static bool is_same(const struct op *a, const struct op *b)
{
    return a->kind == b->kind && a->role == b->role && a->group == b->group && a->part == b->part &&
           a->dtype == b->dtype && a->m == b->m && a->n == b->n && a->k == b->k &&
           a->n_kv == b->n_kv && a->weight_bytes == b->weight_bytes &&
           a->activation_bytes == b->activation_bytes && a->kv_read_bytes == b->kv_read_bytes &&
           a->kv_write_bytes == b->kv_write_bytes && a->flop == b->flop;
}

/* From one choice of heads to the next of a width, few operators change. */
static void cost_heads(struct shape_tables *tables, enum phase phase,
                       const struct operator_list *pass)
{
    const struct machine *machine = tables->machine;
    struct heads_table *heads = &tables->heads;
    struct block_ops block, *last = &heads->ops[phase];
    struct op_cost *costs = heads->op_costs[phase];
    block_ops_clear(&block);
    ops_block_mixer(&tables->net, &tables->net.stack.first, &heads->tensors, pass, &block);
    block_cost_start(machine, &heads->cost[phase]);
    for (int i = 0; i < block.n_ops; i++) {
        if (i >= last->n_ops || !is_same(&block.ops[i], &last->ops[i])) {
            op_cost_of(machine, &block.ops[i], &costs[i]);
            last->ops[i] = block.ops[i];
        }
        block_cost_add(machine, &costs[i], &heads->cost[phase]);
    }
    last->n_ops = block.n_ops;
}

static void cost_ffn(struct shape_tables *tables, enum phase phase,
                     const struct operator_list *pass)
{
    struct ffn_table *out = tables->of_shape;
    struct tensor_list tensors;
    struct block_ops block;
    tensors_of_block(&tables->net, &tables->net.stack.first, &tensors);
    block_ops_clear(&block);
    ops_block_ffn(&tables->net, &tables->net.stack.first, &tensors, pass, &block);
    assert(block.n_ops <= MAX_FFN_OPS);
    out->n_ops = block.n_ops;
    for (int i = 0; i < block.n_ops; i++)
        op_cost_of(tables->machine, &block.ops[i], &out->ops[phase][i]);
}

/* Fills what the tables lack of a phase. */
static void cost_phase(struct shape_tables *tables, enum phase phase)
{
    const struct workload *workload = tables->workload;
    struct operator_list pass;
    pass.phase = phase;
    pass.n_tokens = phase == PHASE_DECODE ? 1 : workload->prompt;
    pass.context = phase == PHASE_DECODE ? workload->context : 0;
    if (!tables->width.has_edges[phase])
        list_edges(tables, phase, &tables->width.edges[phase]);
    if (!tables->heads.has_cost[phase])
        cost_heads(tables, phase, &pass);
    if (!tables->of_shape->has_ops[phase])
        cost_ffn(tables, phase, &pass);
    tables->width.has_edges[phase] = true;
    tables->heads.has_cost[phase] = true;
    tables->of_shape->has_ops[phase] = true;
}

const struct segment_phase *shape_tables_phase(struct shape_tables *tables, enum phase phase)
{
    const struct machine *machine = tables->machine;
    const struct ffn_table *ffn = tables->of_shape;
    struct block_cost *cost = &tables->cost[phase];
    if (tables->has_cost[phase])
        return &tables->phases[phase];
    if (!tables->width.has_edges[phase] || !tables->heads.has_cost[phase] || !ffn->has_ops[phase])
        cost_phase(tables, phase);
    block_cost_copy(&tables->heads.cost[phase], cost);
    for (int i = 0; i < ffn->n_ops; i++)
        block_cost_add(machine, &ffn->ops[phase][i], cost);
    segment_phase_init(&tables->phases[phase], machine, cost, &tables->width.edges[phase]);
    if (phase == PHASE_DECODE)
        tables->energy_is_covered =
            segment_covers_energy(&tables->phases[phase], tables->most_executions);
    tables->has_cost[phase] = true;
    return &tables->phases[phase];
}
