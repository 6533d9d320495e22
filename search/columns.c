#include "search/columns.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "search/loss_scale.h"
#include "search/shape_tables.h"
#include "search/shape_variants.h"

/* What a schedule's variants share. */
struct shared {
    const struct schedule *schedule;
    bool is_covered;      /* by segments */
    struct shared *alike; /* the first of equal repeats that shares the FFN or not as this one */
    double *values;       /* [N_COLUMNS][stride], by depth */
    struct quality_repeats repeats;

    unsigned kept;   /* of the shape: bit c: column c is filled at the depths of any tying */
    unsigned filled; /* and of the tying: bit c: column c is, where it is this schedule's */
    bool has_loss;
    struct loss_variant loss;
};

/* With an FFN a block, or one for all. */
struct tyings {
    struct depths of[2]; /* by tying */
    struct depths any;   /* from the least of them to the most */
};

struct column_source {
    struct pricing pricing;
    struct shape_tables tables;
    struct shared shared[MAX_SCHEDULES];
    bool may_share_ffn[2]; /* [s]: there is a schedule that does (1), or not (0) */

    const struct shape *shape;
    bool has_loss, has_price, has_flop;
    struct loss_shape loss;
    struct shape_price price; /* for the walk */
    int64_t flop_edges, flop_block, live_bytes;
    struct tyings tyings[2]; /* by share_ffn */

    int tying, schedule; /* of this variant, as indices of the space */
    struct shared *now;  /* of this variant */
    int64_t next_id;
    bool has_base;
    struct candidate base;
    struct columns out;
    size_t stride;    /* max_layers + 1 + DEPTH_STEP */
    double *depth;    /* [stride]: 0, 1, ... */
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
    const struct schedule *schedule = &pricing->enumeration->space->schedule[index];
    struct shared *out = &source->shared[index], *alike = source->shared;
    while (alike < out && (alike->schedule->repeats != schedule->repeats ||
                           alike->schedule->share_ffn != schedule->share_ffn))
        alike++;
    out->schedule = schedule;
    out->alike = alike;
    out->values = source->depth + source->stride * (1 + (size_t)index * N_COLUMNS);
    out->is_covered = segment_covers(pricing->machine, schedule);
    source->may_share_ffn[schedule->share_ffn] = true;
    if (pricing->loss != NULL)
        out->repeats = quality_repeats_of(&pricing->loss->pricer, (double)schedule->repeats);
}

static int64_t most_executions(const struct space *space)
{
    int64_t most = 0;
    for (int s = 0; s < space->n_schedules; s++)
        if (most < space->max_layers * space->schedule[s].repeats)
            most = space->max_layers * space->schedule[s].repeats;
    return most;
}

/* The depths, then the values of each schedule. */
static enum status make_values(struct column_source *source, struct err *err)
{
    const struct space *space = source->pricing.enumeration->space;
    size_t stride = (size_t)space->max_layers + 1 + DEPTH_STEP;
    source->stride = stride;
    source->depth =
        memory_new(stride * (1 + (size_t)space->n_schedules * N_COLUMNS), sizeof *source->depth);
    if (source->depth == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t n = 0; n < stride; n++)
        source->depth[n] = (double)n;
    return STATUS_OK;
}

enum status column_source_create(const struct pricing *pricing, struct column_source **out,
                                 struct err *err)
{
    const struct space *space = pricing->enumeration->space;
    struct column_source *source = memory_new(1, sizeof *source);
    enum status status;
    *out = NULL;
    if (source == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    source->pricing = *pricing;
    if ((status = shape_tables_init(&source->tables, pricing, most_executions(space), err)) ||
        (status = make_values(source, err))) {
        column_source_free(source);
        return status;
    }
    for (int s = 0; s < space->n_schedules; s++)
        open_schedule(source, s);
    *out = source;
    return STATUS_OK;
}

void column_source_free(struct column_source *source)
{
    if (source == NULL)
        return;
    shape_tables_release(&source->tables);
    memory_free(source->depth);
    memory_free(source);
}

static struct depths depths_of(const struct column_source *source, bool tied, bool share_ffn)
{
    const struct enumeration *e = source->pricing.enumeration;
    struct stored_lines lines = shape_tables_stored(&source->tables, tied, share_ffn);
    struct linear_count count = {lines.outside.params + lines.once.params, lines.layer.params};
    return depths_within(e->space, &e->budget, count);
}

static struct depths with_depths(struct depths all, struct depths more)
{
    if (more.low > more.high)
        return all;
    if (all.low > all.high)
        return more;
    return (struct depths){more.low < all.low ? more.low : all.low,
                           more.high > all.high ? more.high : all.high};
}

static void find_depths(struct column_source *source, bool share_ffn)
{
    const struct axis *tyings = &source->pricing.enumeration->space->tie_embeddings;
    struct tyings *out = &source->tyings[share_ffn];
    out->any = (struct depths){1, 0};
    for (int i = 0; i < tyings->n; i++) {
        bool tied = tyings->value[i] != 0;
        out->of[tied] = depths_of(source, tied, share_ffn);
        out->any = with_depths(out->any, out->of[tied]);
    }
}

void column_source_shape(struct column_source *source, const struct shape *shape)
{
    source->shape = shape;
    shape_tables_take(&source->tables, shape);
    source->has_loss = loss_shape_of(source->pricing.loss, &source->tables.net, &source->loss);
    source->live_bytes =
        live_activation_bytes(&source->tables.net, source->pricing.workload->prompt);
    source->has_price = source->has_flop = false;
    source->tying = 0;
    source->schedule = -1;
    source->next_id = shape->first_id;
    source->out.shape = shape;
    for (int i = 0; i < source->pricing.enumeration->space->n_schedules; i++)
        source->shared[i].kept = 0;
    for (int share_ffn = 0; share_ffn < 2; share_ffn++)
        if (source->may_share_ffn[share_ffn])
            find_depths(source, share_ffn);
}

static void open_variant(struct column_source *source, struct shared *now, struct depths depths)
{
    struct columns *out = &source->out;
    source->now = now;
    source->has_base = false;
    source->n_walked += !now->is_covered;
    out->schedule = now->schedule;
    out->first_id = source->next_id;
    out->low = depths.low;
    out->n = depths.high - depths.low + 1;
    source->next_id += out->n;
}

/* What the last tying left is forgotten, but for what all have in common. */
static void open_tying(struct column_source *source)
{
    const struct space *space = source->pricing.enumeration->space;
    source->out.tie_embeddings = space->tie_embeddings.value[source->tying] != 0;
    for (int i = 0; i < space->n_schedules; i++) {
        source->shared[i].filled = source->shared[i].kept;
        source->shared[i].has_loss = false;
    }
}

const struct columns *column_source_next(struct column_source *source)
{
    const struct space *space = source->pricing.enumeration->space;
    for (; source->tying < space->tie_embeddings.n; source->tying++, source->schedule = -1) {
        if (source->schedule < 0)
            open_tying(source);
        while (++source->schedule < space->n_schedules) {
            struct shared *now = &source->shared[source->schedule];
            const struct tyings *tyings = &source->tyings[now->schedule->share_ffn];
            struct depths depths = tyings->of[source->out.tie_embeddings];
            if (depths.low > depths.high)
                continue;
            open_variant(source, now, depths);
            return &source->out;
        }
    }
    return NULL;
}

/* All depths of the variant, a few at a time and beyond the last. */
#define EACH_DEPTH(source, i) \
    for (int64_t step_ = 0; step_ < (source)->out.n; step_ += DEPTH_STEP) \
        for (int64_t i = step_; i < step_ + DEPTH_STEP; i++)

/* What neither the sharing mode nor the head changes is one for all schedules alike. */
static struct shared *owner_of(const struct column_source *source, enum column column)
{
    const unsigned own = 1u << COLUMN_ID | 1u << COLUMN_PREFILL_NS | 1u << COLUMN_TTFT_COLD_NS |
                         1u << COLUMN_DECODE_NS | 1u << COLUMN_DECODE_TOK_S | 1u << COLUMN_ENERGY;
    return own >> column & 1 ? source->now : source->now->alike;
}

/* By depth. */
static double *values_of(const struct column_source *source, const struct shared *owner,
                         enum column column)
{
    return owner->values + column * source->stride;
}

/* All that the walk says, depth by depth. */
static void walk(struct column_source *source)
{
    struct columns *out = &source->out;
    struct schedule schedule = *out->schedule;
    double *decode_ns = values_of(source, source->now, COLUMN_DECODE_NS);
    double *prefill_ns = values_of(source, source->now, COLUMN_PREFILL_NS);
    double *energy = values_of(source, source->now, COLUMN_ENERGY);
    if (!source->has_price) {
        price_shape(&source->tables.net, source->pricing.machine, source->pricing.workload,
                    &source->price);
        source->has_price = true;
    }
    for (int64_t n = out->low; n < out->low + out->n; n++) {
        struct price price;
        schedule.n_layers = n;
        price_schedule(&source->price, &schedule, out->tie_embeddings, &price);
        decode_ns[n] = price.decode_ns;
        prefill_ns[n] = price.prefill_ns;
        energy[n] = price.energy_pj_per_token;
    }
    source->now->filled |= 1u << COLUMN_DECODE_NS | 1u << COLUMN_PREFILL_NS | 1u << COLUMN_ENERGY;
}

/* A head of its own adds a table to look tokens up in, which may be further away for it. Where it is
 * not, passes cost the same: they are priced at the depths of both tyings at once. */
static void fill_pass(struct column_source *source, enum column column, double *values)
{
    struct columns *out = &source->out;
    struct shared *shared = source->now;
    enum phase phase = column == COLUMN_PREFILL_NS ? PHASE_PREFILL : PHASE_DECODE;
    enum column time = phase == PHASE_PREFILL ? COLUMN_PREFILL_NS : COLUMN_DECODE_NS;
    const struct segment_phase *of_phase = shape_tables_phase(&source->tables, phase);
    if (!shared->is_covered || (column == COLUMN_ENERGY && !source->tables.energy_is_covered)) {
        walk(source);
        return;
    }
    source->with_energy |= column == COLUMN_ENERGY;
    bool with_energy =
        phase == PHASE_DECODE && source->with_energy && source->tables.energy_is_covered;
    unsigned columns = 1u << time | (with_energy ? 1u << COLUMN_ENERGY : 0);
    struct depths depths = {out->low, out->low + out->n - 1},
                  all = source->tyings[out->schedule->share_ffn].any;
    const int64_t *table_bytes = source->tables.width.table_bytes;
    int64_t most_bytes = table_bytes[0] > table_bytes[1] ? table_bytes[0] : table_bytes[1];
    if (segment_ignores_table(of_phase, out->schedule, most_bytes, all.low, all.high)) {
        depths = all;
        shared->kept |= columns;
    }
    shared->filled |= columns;
    double *ns = values_of(source, source->now, time);
    double *energy = values_of(source, source->now, COLUMN_ENERGY);
    segment_price(of_phase, out->schedule, table_bytes[out->tie_embeddings],
                  source->depth + depths.low, depths.low, depths.high - depths.low + 1,
                  ns + depths.low, with_energy ? energy + depths.low : NULL);
    (void)values; /* of a tying */
}

/* As price_of_passes. */
static void fill_load(struct column_source *source, enum column column, double *restrict load)
{
    const struct machine *m = source->pricing.machine;
    const struct columns *out = &source->out;
    const double *bytes = column_fill(source, COLUMN_WEIGHT_BYTES);
    const double *restrict depth = source->depth + out->low;
    double repeats = (double)out->schedule->repeats;
    double fixed_ns = m->load_fixed_ns, gbps = m->load_gbps, layer_ns = m->load_layer_ns;
    EACH_DEPTH(source, i)
    load[i] = fixed_ns + bytes[i] / gbps + depth[i] * repeats * layer_ns;
    (void)column;
}

static void fill_init(struct column_source *source, enum column column, double *restrict init)
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
    (void)column;
}

static void fill_ttft(struct column_source *source, enum column column, double *restrict ttft)
{
    const double *load = column_fill(source, COLUMN_LOAD_NS);
    const double *init = column_fill(source, COLUMN_INIT_NS);
    const double *prefill = column_fill(source, COLUMN_PREFILL_NS);
    EACH_DEPTH(source, i)
    ttft[i] = load[i] + init[i] + prefill[i];
    (void)column;
}

static void fill_peak(struct column_source *source, enum column column, double *restrict peak)
{
    const struct columns *out = &source->out;
    const double *bytes = column_fill(source, COLUMN_WEIGHT_BYTES);
    double held = (double)(out->schedule->repeats * source->tables.heads.kv_held_bytes);
    double live = (double)source->live_bytes;
    const double *restrict depth = source->depth + out->low;
    EACH_DEPTH(source, i)
    peak[i] = bytes[i] + held * depth[i] + live;
    (void)column;
}

static void fill_fits(struct column_source *source, enum column column, double *restrict fits)
{
    const double *peak = column_fill(source, COLUMN_PEAK_BYTES);
    double share = (double)source->pricing.machine->app_share_bytes;
    for (int64_t i = 0; i < source->out.n; i++)
        fits[i] = peak[i] <= share;
    (void)column;
}

static void fill_speed(struct column_source *source, enum column column, double *restrict speed)
{
    const double *decode = column_fill(source, COLUMN_DECODE_NS);
    for (int64_t i = 0; i < source->out.n; i++)
        speed[i] = 1e9 / decode[i];
    (void)column;
}

static const struct loss_variant *loss_of(struct column_source *source)
{
    struct shared *alike = source->now->alike;
    if (!alike->has_loss)
        loss_variant_of(&source->loss, &alike->repeats, alike->schedule->share_ffn,
                        source->out.tie_embeddings, &alike->loss);
    alike->has_loss = true;
    return &alike->loss;
}

static void fill_loss(struct column_source *source, enum column column, double *restrict delta)
{
    const int64_t low = source->out.low, n = source->out.n;
    if (source->has_loss)
        loss_deltas(loss_of(source), low, n, delta);
    else
        for (int64_t i = 0; i < n; i++)
            delta[i] = NAN;
    (void)column;
}

static void fill_accuracy(struct column_source *source, enum column column, double *restrict points)
{
    const double *delta = column_fill(source, COLUMN_LOSS_DELTA);
    for (int64_t i = 0; i < source->out.n; i++)
        points[i] = source->has_loss ? loss_points(loss_of(source), delta[i]) : NAN;
    (void)column;
}

/* A count is a line in depth. */
struct line {
    double at_0, step;
};

static struct line flop_line(struct column_source *source)
{
    if (!source->has_flop)
        flop_by_depth(&source->tables.net, &source->flop_edges, &source->flop_block);
    source->has_flop = true;
    return (struct line){(double)source->flop_edges,
                         (double)(source->out.schedule->repeats * source->flop_block)};
}

static struct line line_of(struct column_source *source, enum column column)
{
    const struct columns *out = &source->out;
    const struct stored_lines stored =
        shape_tables_stored(&source->tables, out->tie_embeddings, out->schedule->share_ffn);
    const struct stored *outside = &stored.outside, *once = &stored.once, *layer = &stored.layer;
    double repeats = (double)out->schedule->repeats;
    switch (column) {
    case COLUMN_ID:
        return (struct line){(double)(out->first_id - out->low), 1};
    case COLUMN_N_LAYERS:
        return (struct line){0, 1};
    case COLUMN_N_LAYERS_EFFECTIVE:
        return (struct line){0, repeats};
    case COLUMN_PARAMS:
        return (struct line){(double)(outside->params + once->params), (double)layer->params};
    case COLUMN_PARAMS_BLOCKS:
        return (struct line){(double)once->params, (double)layer->params};
    case COLUMN_WEIGHT_BYTES:
        return (struct line){(double)(outside->bytes + once->bytes), (double)layer->bytes};
    case COLUMN_KV_BYTES_PER_TOKEN:
        return (struct line){0, repeats * (double)source->tables.heads.kv_row_bytes};
    case COLUMN_FLOP_PER_TOKEN:
        return flop_line(source);
    default:
        assert(!"not a line in depth");
        return (struct line){0, 0};
    }
}

static void fill_count(struct column_source *source, enum column column, double *restrict out)
{
    const double *restrict depth = source->depth + source->out.low;
    const struct line line = line_of(source, column);
    EACH_DEPTH(source, i)
    out[i] = line.at_0 + line.step * depth[i];
}

typedef void filler(struct column_source *source, enum column column, double *out);
static filler *const fillers[N_COLUMNS] = {
    [COLUMN_ID] = fill_count,
    [COLUMN_N_LAYERS] = fill_count,
    [COLUMN_N_LAYERS_EFFECTIVE] = fill_count,
    [COLUMN_PARAMS] = fill_count,
    [COLUMN_PARAMS_BLOCKS] = fill_count,
    [COLUMN_WEIGHT_BYTES] = fill_count,
    [COLUMN_KV_BYTES_PER_TOKEN] = fill_count,
    [COLUMN_FLOP_PER_TOKEN] = fill_count,
    [COLUMN_LOAD_NS] = fill_load,
    [COLUMN_INIT_NS] = fill_init,
    [COLUMN_PREFILL_NS] = fill_pass,
    [COLUMN_TTFT_COLD_NS] = fill_ttft,
    [COLUMN_DECODE_NS] = fill_pass,
    [COLUMN_DECODE_TOK_S] = fill_speed,
    [COLUMN_ENERGY] = fill_pass,
    [COLUMN_PEAK_BYTES] = fill_peak,
    [COLUMN_FITS_APP_SHARE] = fill_fits,
    [COLUMN_LOSS_DELTA] = fill_loss,
    [COLUMN_ACCURACY] = fill_accuracy,
};

const double *column_fill(struct column_source *source, enum column column)
{
    struct shared *owner = owner_of(source, column);
    double *out = values_of(source, owner, column) + source->out.low;
    if (owner->filled >> column & 1)
        return out;
    fillers[column](source, column, out);
    owner->filled |= 1u << column;
    return out;
}

double column_least(struct column_source *source, enum column column)
{
    const struct columns *out = &source->out;
    if (column != COLUMN_LOSS_DELTA || !source->has_loss)
        return -INFINITY;
    return loss_least(loss_of(source), out->low, out->low + out->n - 1);
}

double column_constant(struct column_source *source, const struct metric *metric)
{
    if (!source->has_base) {
        shape_candidate(source->shape, &source->tables.net, &source->base);
        variant_candidate(source->out.schedule, source->out.tie_embeddings, &source->base);
        source->has_base = true;
    }
    return metric_value(metric, &source->base);
}

int64_t column_source_walked(const struct column_source *source)
{
    return source->n_walked;
}
