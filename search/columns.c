#include "search/columns.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "costmodel/segment_price.h"
#include "costmodel/shape_price.h"
#include "model/tensors.h"
#include "search/loss_scale.h"
#include "search/shape_variants.h"

enum { DECODE, PREFILL, N_PHASES };
enum { MAX_FFN_OPS = 12 };

/* What is stored of a block's tensors. */
struct stored {
    int64_t params, bytes;
};

/* The FFN of a width and d_ff. */
struct ffn_table {
    int64_t d_ff;
    struct stored own, shareable;
    bool has_ops[N_PHASES];
    int n_ops;
    struct op_cost ops[N_PHASES][MAX_FFN_OPS];
};

/* What depends on weight type, vocabulary and width only. */
struct width {
    enum dtype dtype;
    int64_t vocab_size, d_model; /* 0: none yet */
    struct stored outside[2];    /* the blocks, by tying */
    int64_t table_bytes[2];      /* by tying */
    bool has_edges[N_PHASES];
    struct edge_cost edges[N_PHASES];
};

/* And on the heads beside. */
struct heads {
    bool valid;
    int64_t n_heads, n_kv_heads, d_head;
    struct stored own;
    int64_t kv_row_bytes, kv_held_bytes; /* of an execution */
    struct tensor_list tensors;          /* of the shape that it was filled from */
    bool has_cost[N_PHASES];
    struct block_cost cost[N_PHASES]; /* of the operators before the FFN's... */
    struct block_ops ops[N_PHASES];   /* ...these, of the heads that were costed last... */
    struct op_cost op_costs[N_PHASES][MAX_BLOCK_OPS]; /* ...and their costs */
};

struct column_source {
    struct pricing pricing;
    struct width width;
    struct heads heads;
    struct ffn_table *ffn; /* [most_ffn] */
    size_t most_ffn, n_ffn, last_ffn;
    struct quality_repeats repeats[MAX_SCHEDULES];
    bool is_covered[MAX_SCHEDULES];

    const struct shape *shape;
    struct transformer net;
    struct block_cost cost[N_PHASES];
    struct segment_phase phases[N_PHASES];
    struct ffn_table *shape_ffn;
    bool has_cost[N_PHASES], has_loss, has_price, has_flop, energy_is_covered;
    struct loss_shape loss;
    struct shape_price price; /* for the walk */
    int64_t flop_edges, flop_block, live_bytes;
    struct depths depths[2][2]; /* by tying, one FFN for all */
    bool depths_known[2][2];

    int variant;  /* the next one's index */
    int schedule; /* of this one */
    int64_t next_id;
    bool has_base;
    struct loss_variant loss_variant;
    struct candidate base;
    unsigned filled; /* bit c: column c is */
    struct columns out;
    double *values; /* [N_COLUMNS + 1][max_layers + 1 + DEPTH_STEP]; the last: 0, 1, ... */
    const double *depth;
    int64_t most_executions;
    bool with_energy; /* it was asked for once: it comes with the time of a decode */
    int64_t n_walked;
};

enum column column_of(const struct metric *metric)
{
    static const size_t offsets[N_COLUMNS] = {
#define COLUMN_OFFSET(column, member) offsetof(struct candidate, row.member),
        COLUMNS(COLUMN_OFFSET)};
    int c = 0;
    while (c < N_COLUMNS && offsets[c] != metric->offset)
        c++;
    return (enum column)c;
}

static void open_schedule(struct column_source *source, int index)
{
    const struct pricing *pricing = &source->pricing;
    const struct space *space = pricing->enumeration->space;
    const struct schedule *schedule = &space->schedule[index];
    int64_t executions = space->max_layers * schedule->repeats;
    source->is_covered[index] = segment_covers(pricing->machine, schedule);
    if (pricing->loss != NULL)
        source->repeats[index] =
            quality_repeats_of(&pricing->loss->pricer, (double)schedule->repeats);
    if (source->most_executions < executions)
        source->most_executions = executions;
}

enum status column_source_create(const struct pricing *pricing, struct column_source **out,
                                 struct err *err)
{
    const struct space *space = pricing->enumeration->space;
    size_t depth = (size_t)space->max_layers + 1 + DEPTH_STEP;
    size_t n_ffn = (size_t)space->d_ff.n + (size_t)space->n_ff_ratios + space->d_ff_rule_256;
    struct column_source *source = memory_new(1, sizeof *source);
    struct ffn_table *ffn = memory_new(n_ffn, sizeof *ffn);
    double *values = memory_new((N_COLUMNS + 1) * depth, sizeof *values);
    *out = NULL;
    if (source == NULL || ffn == NULL || values == NULL) {
        memory_free(source);
        memory_free(ffn);
        memory_free(values);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    *source = (struct column_source){
        .pricing = *pricing, .ffn = ffn, .most_ffn = n_ffn, .values = values};
    for (int c = 0; c < N_COLUMNS; c++)
        source->out.value[c] = values + (size_t)c * depth;
    double *depths = values + N_COLUMNS * depth;
    for (size_t n = 0; n < depth; n++)
        depths[n] = (double)n;
    source->depth = depths;
    for (int s = 0; s < space->n_schedules; s++)
        open_schedule(source, s);
    *out = source;
    return STATUS_OK;
}

void column_source_free(struct column_source *source)
{
    if (source == NULL)
        return;
    memory_free(source->ffn);
    memory_free(source->values);
    memory_free(source);
}

static void fill_width(struct column_source *source)
{
    struct width *width = &source->width;
    const bool tie_embeddings = source->net.tie_embeddings;
    width->dtype = source->shape->dtype;
    width->vocab_size = source->shape->vocab_size;
    width->d_model = source->shape->d_model;
    for (int tied = 0; tied < 2; tied++) {
        struct param_count params;
        struct weight_bytes bytes;
        source->net.tie_embeddings = tied != 0;
        transformer_stored(&source->net, &params, &bytes);
        width->outside[tied] =
            (struct stored){params.total - params.blocks, bytes.total - bytes.blocks};
        width->table_bytes[tied] = lookup_table_bytes(&source->net);
    }
    source->net.tie_embeddings = tie_embeddings;
    for (int phase = 0; phase < N_PHASES; phase++)
        width->has_edges[phase] = false;
    source->n_ffn = source->last_ffn = 0;
    source->heads.valid = false;
}

static void add_stored(const struct tensor *tensor, struct stored *stored)
{
    stored->params += tensor_params(tensor);
    stored->bytes += tensor_bytes(tensor);
}

static void fill_heads(struct column_source *source)
{
    const struct workload *workload = source->pricing.workload;
    const struct block *block = &source->net.stack.first;
    int64_t held =
        workload->prompt > workload->context + 1 ? workload->prompt : workload->context + 1;
    struct heads *heads = &source->heads;
    heads->valid = true;
    heads->n_heads = block->n_heads;
    heads->n_kv_heads = block->n_kv_heads;
    heads->d_head = block->d_head;
    heads->own = (struct stored){0, 0};
    for (int t = 0; t < heads->tensors.n; t++)
        if (heads->tensors.tensors[t].role < TENSOR_FFN_NORM)
            add_stored(&heads->tensors.tensors[t], &heads->own);
    heads->kv_row_bytes = transformer_kv_bytes_per_token(&source->net);
    heads->kv_held_bytes = transformer_kv_bytes(&source->net, held);
    for (int phase = 0; phase < N_PHASES; phase++)
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
    for (int phase = 0; phase < N_PHASES; phase++)
        ffn->has_ops[phase] = false;
}

/* NULL: not in the tables of the width. d_ff is the innermost axis, so it mostly is the next one. */
static struct ffn_table *find_ffn(struct column_source *source, int64_t d_ff)
{
    for (size_t i = 0; i < source->n_ffn; i++) {
        size_t at = source->last_ffn + 1 + i;
        at = at < source->n_ffn ? at : at - source->n_ffn;
        if (source->ffn[at].d_ff == d_ff) {
            source->last_ffn = at;
            return &source->ffn[at];
        }
    }
    return NULL;
}

static bool same_width(const struct width *width, const struct shape *shape)
{
    return width->d_model == shape->d_model && width->vocab_size == shape->vocab_size &&
           width->dtype == shape->dtype;
}

static bool same_heads(const struct heads *heads, const struct block *block)
{
    return heads->valid && heads->n_heads == block->n_heads &&
           heads->n_kv_heads == block->n_kv_heads && heads->d_head == block->d_head;
}

/* The tables of a shape, with what is stored; what it costs comes later, phase by phase. */
static struct ffn_table *look_up(struct column_source *source)
{
    const struct block *block = &source->shape->stack.first;
    if (!same_width(&source->width, source->shape))
        fill_width(source);
    bool has_heads = same_heads(&source->heads, block);
    struct ffn_table *ffn = find_ffn(source, block->d_ff);
    if (has_heads && ffn != NULL)
        return ffn;
    if (!has_heads) {
        tensors_of_block(&source->net, block, &source->heads.tensors);
        fill_heads(source);
    }
    if (ffn == NULL) {
        struct tensor_list tensors;
        assert(source->n_ffn < source->most_ffn);
        source->last_ffn = source->n_ffn++;
        ffn = &source->ffn[source->last_ffn];
        tensors_of_block(&source->net, block, &tensors);
        fill_ffn(&tensors, block->d_ff, ffn);
    }
    return ffn;
}

static void list_phase(const struct column_source *source, int phase, struct operator_list *list)
{
    const struct workload *workload = source->pricing.workload;
    enum status status = phase == DECODE ? ops_decode(&source->net, workload->context, list, NULL)
                                         : ops_prefill(&source->net, workload->prompt, list, NULL);
    assert(status == STATUS_OK); /* one class needs no memory */
    (void)status;
}

static void list_edges(const struct column_source *source, int phase, struct edge_cost *out)
{
    struct operator_list list;
    list_phase(source, phase, &list);
    edge_cost_of(source->pricing.machine, &list, out);
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
static void cost_heads(struct column_source *source, int phase, const struct operator_list *pass)
{
    const struct machine *machine = source->pricing.machine;
    struct heads *heads = &source->heads;
    struct block_ops block, *last = &heads->ops[phase];
    struct op_cost *costs = heads->op_costs[phase];
    block_ops_clear(&block);
    ops_block_mixer(&source->net, &source->net.stack.first, &heads->tensors, pass, &block);
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

static void cost_ffn(struct column_source *source, int phase, const struct operator_list *pass)
{
    struct ffn_table *out = source->shape_ffn;
    struct tensor_list tensors;
    struct block_ops block;
    tensors_of_block(&source->net, &source->net.stack.first, &tensors);
    block_ops_clear(&block);
    ops_block_ffn(&source->net, &tensors, pass, &block);
    assert(block.n_ops <= MAX_FFN_OPS);
    out->n_ops = block.n_ops;
    for (int i = 0; i < block.n_ops; i++)
        op_cost_of(source->pricing.machine, &block.ops[i], &out->ops[phase][i]);
}

/* Fills what the tables lack of a phase. */
static void cost_phase(struct column_source *source, int phase)
{
    const struct workload *workload = source->pricing.workload;
    struct operator_list pass;
    pass.phase = phase == DECODE ? PHASE_DECODE : PHASE_PREFILL;
    pass.n_tokens = phase == DECODE ? 1 : workload->prompt;
    pass.context = phase == DECODE ? workload->context : 0;
    if (!source->width.has_edges[phase])
        list_edges(source, phase, &source->width.edges[phase]);
    if (!source->heads.has_cost[phase])
        cost_heads(source, phase, &pass);
    if (!source->shape_ffn->has_ops[phase])
        cost_ffn(source, phase, &pass);
    source->width.has_edges[phase] = true;
    source->heads.has_cost[phase] = true;
    source->shape_ffn->has_ops[phase] = true;
}

/* What a block of the shape costs, and what stands outside. */
static const struct segment_phase *phase_of(struct column_source *source, int phase)
{
    const struct machine *machine = source->pricing.machine;
    const struct ffn_table *ffn = source->shape_ffn;
    struct block_cost *cost = &source->cost[phase];
    if (source->has_cost[phase])
        return &source->phases[phase];
    if (!source->width.has_edges[phase] || !source->heads.has_cost[phase] || !ffn->has_ops[phase])
        cost_phase(source, phase);
    block_cost_copy(&source->heads.cost[phase], cost);
    for (int i = 0; i < ffn->n_ops; i++)
        block_cost_add(machine, &ffn->ops[phase][i], cost);
    segment_phase_init(&source->phases[phase], machine, cost, &source->width.edges[phase]);
    if (phase == DECODE)
        source->energy_is_covered =
            segment_covers_energy(&source->phases[phase], source->most_executions);
    source->has_cost[phase] = true;
    return &source->phases[phase];
}

void column_source_shape(struct column_source *source, const struct shape *shape)
{
    bool is_near = source->shape != NULL && same_width(&source->width, shape);
    source->shape = shape;
    if (is_near)
        source->net.stack = shape->stack;
    else
        shape_transformer(source->pricing.enumeration->space, shape, &source->net);
    source->shape_ffn = look_up(source);
    source->has_loss = loss_shape_of(source->pricing.loss, &source->net, &source->loss);
    source->live_bytes = live_activation_bytes(&source->net, source->pricing.workload->prompt);
    source->has_cost[DECODE] = source->has_cost[PREFILL] = false;
    source->has_price = source->has_flop = false;
    for (int i = 0; i < 4; i++)
        source->depths_known[i / 2][i % 2] = false;
    source->variant = 0;
    source->next_id = shape->first_id;
    source->out.shape = shape;
}

/* What does not grow with depth, and what does, of parameters and bytes: all, and of the blocks. */
struct stored_lines {
    struct stored outside, once, layer;
};

static struct stored_lines lines_of(const struct column_source *source, bool tied, bool share_ffn)
{
    const struct ffn_table *ffn = source->shape_ffn;
    const struct stored *own = &source->heads.own;
    struct stored_lines lines = {.outside = source->width.outside[tied]};
    lines.layer = (struct stored){own->params + ffn->own.params, own->bytes + ffn->own.bytes};
    struct stored *shareable = share_ffn ? &lines.once : &lines.layer;
    shareable->params += ffn->shareable.params;
    shareable->bytes += ffn->shareable.bytes;
    return lines;
}

static struct depths depths_of(struct column_source *source, bool tied, bool share_ffn)
{
    const struct enumeration *e = source->pricing.enumeration;
    struct depths *depths = &source->depths[tied][share_ffn];
    if (!source->depths_known[tied][share_ffn]) {
        struct stored_lines lines = lines_of(source, tied, share_ffn);
        struct linear_count count = {lines.outside.params + lines.once.params, lines.layer.params};
        *depths = depths_within(e->space, &e->budget, count);
        source->depths_known[tied][share_ffn] = true;
    }
    return *depths;
}

static void open_variant(struct column_source *source, struct depths depths)
{
    struct columns *out = &source->out;
    out->first_id = source->next_id;
    out->low = depths.low;
    out->n = depths.high - depths.low + 1;
    source->next_id += out->n;
    source->filled = 0;
    source->has_base = false;
    source->n_walked += !source->is_covered[source->schedule];
    if (source->has_loss)
        loss_variant_of(&source->loss, &source->repeats[source->schedule], out->schedule->share_ffn,
                        out->tie_embeddings, &source->loss_variant);
}

const struct columns *column_source_next(struct column_source *source)
{
    const struct space *space = source->pricing.enumeration->space;
    while (source->variant < space->tie_embeddings.n * space->n_schedules) {
        int tie = source->variant / space->n_schedules;
        source->schedule = source->variant % space->n_schedules;
        source->variant++;
        source->out.tie_embeddings = space->tie_embeddings.value[tie] != 0;
        source->out.schedule = &space->schedule[source->schedule];
        struct depths depths =
            depths_of(source, source->out.tie_embeddings, source->out.schedule->share_ffn);
        if (depths.low > depths.high)
            continue;
        open_variant(source, depths);
        return &source->out;
    }
    return NULL;
}

/* All depths of the variant, a few at a time and beyond the last. */
#define EACH_DEPTH(source, i) \
    for (int64_t step_ = 0; step_ < (source)->out.n; step_ += DEPTH_STEP) \
        for (int64_t i = step_; i < step_ + DEPTH_STEP; i++)

static void fill_line(const struct column_source *source, double at_0, double step,
                      double *restrict out)
{
    const double *restrict depth = source->depth + source->out.low;
    EACH_DEPTH(source, i)
    out[i] = at_0 + step * depth[i];
}

static void note_filled(struct column_source *source, enum column column)
{
    source->filled |= 1u << column;
}

/* All that the walk says, depth by depth. */
static void walk(struct column_source *source)
{
    struct columns *out = &source->out;
    struct schedule schedule = *out->schedule;
    if (!source->has_price) {
        enum status status = price_shape(&source->net, source->pricing.machine,
                                         source->pricing.workload, &source->price, NULL);
        assert(status == STATUS_OK); /* one class needs no memory */
        (void)status;
        source->has_price = true;
    }
    for (int64_t i = 0; i < out->n; i++) {
        struct price price;
        schedule.n_layers = out->low + i;
        price_schedule(&source->price, &schedule, out->tie_embeddings, &price);
        out->value[COLUMN_DECODE_NS][i] = price.decode_ns;
        out->value[COLUMN_PREFILL_NS][i] = price.prefill_ns;
        out->value[COLUMN_ENERGY][i] = price.energy_pj_per_token;
    }
    note_filled(source, COLUMN_DECODE_NS);
    note_filled(source, COLUMN_PREFILL_NS);
    note_filled(source, COLUMN_ENERGY);
}

static void fill_pass(struct column_source *source, enum column column)
{
    struct columns *out = &source->out;
    int phase = column == COLUMN_PREFILL_NS ? PREFILL : DECODE;
    enum column time = phase == PREFILL ? COLUMN_PREFILL_NS : COLUMN_DECODE_NS;
    const struct segment_phase *of_phase = phase_of(source, phase);
    if (!source->is_covered[source->schedule] ||
        (column == COLUMN_ENERGY && !source->energy_is_covered)) {
        walk(source);
        return;
    }
    source->with_energy |= column == COLUMN_ENERGY;
    bool with_energy = phase == DECODE && source->with_energy && source->energy_is_covered;
    segment_price(of_phase, out->schedule, source->width.table_bytes[out->tie_embeddings],
                  source->depth + out->low, out->low, out->n, out->value[time],
                  with_energy ? out->value[COLUMN_ENERGY] : NULL);
    note_filled(source, time);
    if (with_energy)
        note_filled(source, COLUMN_ENERGY);
}

static struct stored_lines variant_lines(const struct column_source *source)
{
    return lines_of(source, source->out.tie_embeddings, source->out.schedule->share_ffn);
}

/* As price_of_passes. */
static void fill_load(struct column_source *source, double *restrict load)
{
    const struct machine *m = source->pricing.machine;
    const struct columns *out = &source->out;
    const double *bytes = column_fill(source, COLUMN_WEIGHT_BYTES);
    const double *restrict depth = source->depth + out->low;
    double repeats = (double)out->schedule->repeats;
    double fixed_ns = m->load_fixed_ns, gbps = m->load_gbps, layer_ns = m->load_layer_ns;
    EACH_DEPTH(source, i)
    load[i] = fixed_ns + bytes[i] / gbps + depth[i] * repeats * layer_ns;
}

static void fill_init(struct column_source *source, double *restrict init)
{
    const struct machine *m = source->pricing.machine;
    const struct columns *out = &source->out;
    const double *bytes = column_fill(source, COLUMN_WEIGHT_BYTES);
    const double *restrict depth = source->depth + out->low;
    double repeats = (double)out->schedule->repeats;
    double fixed_ns = m->init_fixed_ns, layer_ns = m->init_layer_ns, sq_ns = m->init_block_sq_ns;
    double gbps = m->init_gbps > 0 ? m->init_gbps : INFINITY; /* else bytes take no time */
    EACH_DEPTH(source, i)
    init[i] =
        fixed_ns + bytes[i] / gbps + depth[i] * repeats * layer_ns + depth[i] * depth[i] * sq_ns;
}

static void fill_ttft(struct column_source *source, double *restrict ttft)
{
    const double *load = column_fill(source, COLUMN_LOAD_NS);
    const double *init = column_fill(source, COLUMN_INIT_NS);
    const double *prefill = column_fill(source, COLUMN_PREFILL_NS);
    EACH_DEPTH(source, i)
    ttft[i] = load[i] + init[i] + prefill[i];
}

static void fill_peak(struct column_source *source, double *restrict peak)
{
    const struct columns *out = &source->out;
    const double *bytes = column_fill(source, COLUMN_WEIGHT_BYTES);
    double held = (double)(out->schedule->repeats * source->heads.kv_held_bytes);
    double live = (double)source->live_bytes;
    const double *restrict depth = source->depth + out->low;
    EACH_DEPTH(source, i)
    peak[i] = bytes[i] + held * depth[i] + live;
}

static void fill_fits(struct column_source *source, double *restrict fits)
{
    const double *peak = column_fill(source, COLUMN_PEAK_BYTES);
    double share = (double)source->pricing.machine->app_share_bytes;
    for (int64_t i = 0; i < source->out.n; i++)
        fits[i] = peak[i] <= share;
}

static void fill_speed(struct column_source *source, double *restrict speed)
{
    const double *decode = column_fill(source, COLUMN_DECODE_NS);
    for (int64_t i = 0; i < source->out.n; i++)
        speed[i] = 1e9 / decode[i];
}

static void fill_loss(struct column_source *source, double *restrict delta)
{
    const int64_t low = source->out.low, n = source->out.n;
    if (source->has_loss)
        loss_deltas(&source->loss_variant, low, n, delta);
    else
        for (int64_t i = 0; i < n; i++)
            delta[i] = NAN;
}

static void fill_accuracy(struct column_source *source, double *restrict points)
{
    const double *delta = column_fill(source, COLUMN_LOSS_DELTA);
    for (int64_t i = 0; i < source->out.n; i++)
        points[i] = source->has_loss ? loss_points(&source->loss_variant, delta[i]) : NAN;
}

static void fill_flop(struct column_source *source, double *restrict flop)
{
    const struct columns *out = &source->out;
    if (!source->has_flop)
        flop_by_depth(&source->net, &source->flop_edges, &source->flop_block);
    source->has_flop = true;
    fill_line(source, (double)source->flop_edges,
              (double)(out->schedule->repeats * source->flop_block), flop);
}

static void fill_count(struct column_source *source, enum column column, double *out)
{
    struct stored_lines lines = variant_lines(source);
    double repeats = (double)source->out.schedule->repeats;
    if (column == COLUMN_ID)
        fill_line(source, (double)(source->out.first_id - source->out.low), 1, out);
    else if (column == COLUMN_N_LAYERS)
        fill_line(source, 0, 1, out);
    else if (column == COLUMN_N_LAYERS_EFFECTIVE)
        fill_line(source, 0, repeats, out);
    else if (column == COLUMN_PARAMS)
        fill_line(source, (double)(lines.outside.params + lines.once.params),
                  (double)lines.layer.params, out);
    else if (column == COLUMN_PARAMS_BLOCKS)
        fill_line(source, (double)lines.once.params, (double)lines.layer.params, out);
    else if (column == COLUMN_WEIGHT_BYTES)
        fill_line(source, (double)(lines.outside.bytes + lines.once.bytes),
                  (double)lines.layer.bytes, out);
    else
        fill_line(source, 0, repeats * (double)source->heads.kv_row_bytes, out);
}

const double *column_fill(struct column_source *source, enum column column)
{
    double *out = source->out.value[column];
    if (source->filled >> column & 1)
        return out;
    switch (column) {
    case COLUMN_DECODE_NS:
    case COLUMN_PREFILL_NS:
    case COLUMN_ENERGY:
        fill_pass(source, column);
        break;
    case COLUMN_LOSS_DELTA:
        fill_loss(source, out);
        break;
    case COLUMN_ACCURACY:
        fill_accuracy(source, out);
        break;
    case COLUMN_LOAD_NS:
        fill_load(source, out);
        break;
    case COLUMN_INIT_NS:
        fill_init(source, out);
        break;
    case COLUMN_TTFT_COLD_NS:
        fill_ttft(source, out);
        break;
    case COLUMN_PEAK_BYTES:
        fill_peak(source, out);
        break;
    case COLUMN_FITS_APP_SHARE:
        fill_fits(source, out);
        break;
    case COLUMN_DECODE_TOK_S:
        fill_speed(source, out);
        break;
    case COLUMN_FLOP_PER_TOKEN:
        fill_flop(source, out);
        break;
    case COLUMN_ID:
    case COLUMN_N_LAYERS:
    case COLUMN_N_LAYERS_EFFECTIVE:
    case COLUMN_PARAMS:
    case COLUMN_PARAMS_BLOCKS:
    case COLUMN_WEIGHT_BYTES:
    case COLUMN_KV_BYTES_PER_TOKEN:
        fill_count(source, column, out);
        break;
    case N_COLUMNS:
        assert(!"no such column");
    }
    note_filled(source, column);
    return out;
}

double column_least(struct column_source *source, enum column column)
{
    const struct columns *out = &source->out;
    if (column != COLUMN_LOSS_DELTA || !source->has_loss)
        return -INFINITY;
    return loss_least(&source->loss_variant, out->low, out->low + out->n - 1);
}

double column_constant(struct column_source *source, const struct metric *metric)
{
    if (!source->has_base) {
        shape_candidate(source->shape, &source->net, &source->base);
        variant_candidate(source->out.schedule, source->out.tie_embeddings, &source->base);
        source->has_base = true;
    }
    return metric_value(metric, &source->base);
}

int64_t column_source_walked(const struct column_source *source)
{
    return source->n_walked;
}
