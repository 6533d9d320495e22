#include "search/loss_scale.h"

#include <assert.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "quality/shape_json.h"
#include "quality/shape_of.h"
#include "search/network_name.h"
#include "search/shape_variants.h"

enum status loss_scale_init(struct loss_scale *scale, const struct quality_law *law, int recipe,
                            double tokens, int64_t max_layers, struct err *err)
{
    *scale = (struct loss_scale){.law = law,
                                 .recipe = recipe,
                                 .tokens = tokens,
                                 .points_per_nat = law->constants.value[QUALITY_POINTS]};
    for (unsigned bits = 0; bits < QUALITY_OUTSIDES; bits++)
        quality_outside_text(bits, scale->outside[bits], sizeof scale->outside[bits]);
    return quality_pricer_init(law, recipe, tokens, (int)max_layers, &scale->pricer, err);
}

void loss_scale_release(struct loss_scale *scale)
{
    quality_pricer_release(&scale->pricer);
    memory_free(scale->reference);
    scale->reference = NULL;
    scale->n = scale->capacity = 0;
}

/* The loss as candidates are priced, so that the best of a search is at 0 to the bit. */
static double priced_loss(const struct loss_scale *scale, const struct quality_shape *shape)
{
    struct quality_width width;
    struct quality_line line;
    struct quality_point point;
    if (shape->n_layers > scale->pricer.max_depth) {
        quality_point_of(scale->law, scale->recipe, shape, scale->tokens, &point);
        return quality_loss(scale->law, scale->recipe, &point, NULL);
    }
    struct quality_repeats repeats = quality_repeats_of(&scale->pricer, shape->repeats);
    quality_width_of(&scale->pricer, shape, &width);
    quality_line_of(&scale->pricer, &width, &repeats, shape->tied, shape->shared_ffn, &line);
    return quality_price(&line, (int64_t)shape->n_layers);
}

enum status loss_scale_add(struct loss_scale *scale, const char *name,
                           const struct quality_shape *reference, struct err *err)
{
    assert(loss_scale_find(scale, reference->vocab) == NULL);
    void *array = scale->reference;
    enum status status =
        memory_grow(&array, &scale->capacity, scale->n + 1, sizeof *scale->reference, err);
    scale->reference = array;
    if (status != STATUS_OK)
        return status;
    struct loss_reference *out = &scale->reference[scale->n++];
    *out = (struct loss_reference){.shape = *reference};
    snprintf(out->name, sizeof out->name, "%s", name);
    quality_ask(scale->law, scale->recipe, scale->tokens, reference, &out->question);
    out->loss_nats = priced_loss(scale, reference);
    return STATUS_OK;
}

const struct loss_reference *loss_scale_find(const struct loss_scale *scale, double vocab)
{
    for (size_t i = 0; i < scale->n; i++)
        if (scale->reference[i].shape.vocab == vocab)
            return &scale->reference[i];
    return NULL;
}

/* The best candidate of a shape. */
struct best {
    double loss_nats;
    int variant;
    int64_t n_layers;
};

static struct best best_of_shape(const struct loss_scale *scale, const struct enumeration *e,
                                 const struct shape *shape)
{
    struct best best = {.loss_nats = INFINITY};
    struct transformer net;
    struct variant variant;
    struct quality_shape seen;
    struct quality_width width;
    struct quality_line line;
    shape_transformer(e->space, shape, &net);
    enum status status = quality_shape_of(&net, &seen, NULL);
    assert(status == STATUS_OK);
    (void)status;
    quality_width_of(&scale->pricer, &seen, &width);
    for (int i = 0; shape_variant(e->space, &e->budget, &net, i, &variant); i++) {
        struct quality_repeats repeats =
            quality_repeats_of(&scale->pricer, (double)variant.schedule->repeats);
        quality_line_of(&scale->pricer, &width, &repeats, variant.tie_embeddings,
                        variant.schedule->share_ffn, &line);
        for (int64_t n = variant.depths.low; n <= variant.depths.high; n++) {
            double loss_nats = quality_price(&line, n);
            if (loss_nats < best.loss_nats)
                best = (struct best){loss_nats, i, n};
        }
    }
    return best;
}

static enum status add_candidate(struct loss_scale *scale, const struct enumeration *e,
                                 const struct shape *shape, const struct best *best,
                                 struct err *err)
{
    struct transformer net;
    struct variant variant;
    struct quality_shape seen;
    shape_transformer(e->space, shape, &net);
    bool there = shape_variant(e->space, &e->budget, &net, best->variant, &variant);
    assert(there);
    (void)there;
    net.schedule = *variant.schedule;
    net.schedule.n_layers = best->n_layers;
    net.tie_embeddings = variant.tie_embeddings;
    name_network(&net);
    enum status status = quality_shape_of(&net, &seen, err);
    return status == STATUS_OK ? loss_scale_add(scale, net.name, &seen, err) : status;
}

enum status loss_scale_add_best(struct loss_scale *scale, const struct enumeration *e, int n_jobs,
                                struct err *err)
{
    enum status status = STATUS_OK;
    struct best *best = memory_new(e->n_shapes, sizeof *best);
    if (best == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    if (n_jobs == 0)
        n_jobs = omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 64) num_threads(n_jobs) if (n_jobs > 1)
    for (size_t s = 0; s < e->n_shapes; s++)
        best[s] = best_of_shape(scale, e, &e->shapes[s]);
    for (int v = 0; v < e->space->vocab_size.n && status == STATUS_OK; v++) {
        size_t found = e->n_shapes;
        for (size_t s = 0; s < e->n_shapes; s++)
            if (e->shapes[s].vocab_size == e->space->vocab_size.value[v] &&
                (found == e->n_shapes || best[s].loss_nats < best[found].loss_nats))
                found = s;
        if (found < e->n_shapes)
            status = add_candidate(scale, e, &e->shapes[found], &best[found], err);
    }
    memory_free(best);
    return status;
}

char *loss_scale_print(const struct loss_scale *scale)
{
    struct json_node *root = json_new_array();
    for (size_t i = 0; i < scale->n; i++) {
        struct json_node *item = json_add_object(root, NULL);
        json_add_string(item, "name", scale->reference[i].name);
        quality_shape_write(&scale->reference[i].shape, json_add_object(item, "shape"));
    }
    char *text = json_print_compact(root);
    json_free(root);
    return text;
}

static enum status parse_reference(struct loss_scale *scale, const struct json *item,
                                   struct err *err)
{
    const char *name;
    struct json at;
    struct quality_shape shape;
    enum status status = json_get_string(item, "name", &name, err);
    if (status == STATUS_OK)
        status = json_get_object(item, "shape", &at, err);
    if (status == STATUS_OK)
        status = quality_shape_read(&at, &shape, err);
    if (status == STATUS_OK && loss_scale_find(scale, shape.vocab) != NULL)
        status = json_error(item, err, "a second reference for one vocabulary");
    return status == STATUS_OK ? loss_scale_add(scale, name, &shape, err) : status;
}

enum status loss_scale_parse(struct loss_scale *scale, const char *name, const char *text,
                             struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(name, text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK && !json_is_array(&root))
        status = json_error(&root, err, "expected a list of references");
    if (status == STATUS_OK)
        for (struct json item = json_first(&root); item.item != NULL && status == STATUS_OK;
             item = json_next(&item))
            status = parse_reference(scale, &item, err);
    json_close(doc);
    return status;
}

bool candidate_shape(const struct candidate *candidate, struct quality_shape *out)
{
    const struct candidate_row *row = &candidate->row;
    if (candidate->stack != NULL || row->layers != NULL)
        return false;
    *out = (struct quality_shape){
        .d_model = (double)row->d_model,
        .n_layers = (double)candidate->schedule.n_layers,
        .repeats = (double)candidate->schedule.repeats,
        .n_heads = (double)row->n_heads,
        .n_kv_heads = (double)row->n_kv_heads,
        .d_head = (double)row->d_head,
        .d_ff = (double)row->d_ff,
        .vocab = (double)row->vocab_size,
        .gated = ffn_is_gated(candidate->ffn),
        .tied = row->tie_embeddings == 1,
        .shared_ffn = candidate->schedule.share_ffn,
        .weights = quality_weights_of(candidate->dtype),
    };
    return true;
}

static void clear(struct loss *out)
{
    *out = (struct loss){NAN, NAN, NAN, NAN, NULL};
}

void loss_scale_widen(const struct loss_scale *scale, const struct quality_shape *shape,
                      struct loss *out)
{
    const struct loss_reference *reference = loss_scale_find(scale, shape->vocab);
    unsigned outside;
    if (reference == NULL)
        return;
    double half_nats = quality_delta_half(&reference->question, shape, &outside);
    out->loss_delta_low_nats = out->loss_delta_nats - half_nats;
    out->loss_delta_high_nats = out->loss_delta_nats + half_nats;
    out->quality_outside = scale->outside[outside];
}

void loss_scale_describe(const struct loss_scale *scale, const struct quality_shape *shape,
                         struct loss *out)
{
    const struct loss_reference *reference = loss_scale_find(scale, shape->vocab);
    clear(out);
    if (reference == NULL)
        return;
    out->loss_delta_nats = priced_loss(scale, shape) - reference->loss_nats;
    out->accuracy_points = scale->points_per_nat * out->loss_delta_nats + 0.0;
    loss_scale_widen(scale, shape, out);
}

bool loss_shape_of(const struct loss_scale *scale, const struct transformer *net,
                   struct loss_shape *out)
{
    struct quality_shape shape;
    const struct loss_reference *reference =
        scale != NULL ? loss_scale_find(scale, (double)net->vocab_size) : NULL;
    if (reference == NULL || quality_shape_of(net, &shape, NULL) != STATUS_OK)
        return false;
    out->scale = scale;
    out->reference_nats = reference->loss_nats;
    quality_width_of(&scale->pricer, &shape, &out->width);
    return true;
}

void loss_variant_of(const struct loss_shape *shape, const struct quality_repeats *repeats,
                     bool share_ffn, bool tied, struct loss_variant *out)
{
    quality_line_of(&shape->scale->pricer, &shape->width, repeats, tied, share_ffn, &out->line);
    out->reference_nats = shape->reference_nats;
    out->points_per_nat = shape->scale->points_per_nat;
}

void loss_deltas(const struct loss_variant *variant, int64_t low, int64_t n, double *restrict out)
{
    struct loss_variant v = *variant;
    if (v.line.shared_ffn) {
        for (int64_t i = 0; i < n; i++)
            out[i] = loss_delta(&v, low + i);
        return;
    }
    v.line.shared_ffn = false; /* for the compiler */
    for (int64_t i = 0; i < n; i += LOSS_STEP)
        for (int j = 0; j < LOSS_STEP; j++)
            out[i + j] = loss_delta(&v, low + i + j);
}

double loss_least(const struct loss_variant *variant, int64_t low, int64_t high)
{
    const struct quality_line *line = &variant->line;
    const double *blocks_at = line->depths->blocks, *floor_at = line->depths->floor;
    const double *tokens_at = line->depths->tokens;
    const double rounding_nats = 1e-9;
    if (line->shared_ffn)
        return -INFINITY;
    double blocks = line->ratio * line->blocks;
    return line->base + fmin(blocks * blocks_at[low], blocks * blocks_at[high]) +
           fmin(line->ratio * floor_at[low], line->ratio * floor_at[high]) +
           fmin(line->tokens * tokens_at[low], line->tokens * tokens_at[high]) -
           variant->reference_nats - rounding_nats;
}
