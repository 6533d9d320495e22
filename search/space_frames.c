#include "search/space_frames.h"

#include "base/memory.h"
#include "search/scaled_frames.h"

enum { MAX_CLASSES = 1 << 14 };

/* The walk so far. */
struct walk {
    const struct space *space;
    space_frame_callback *callback;
    void *user;
    struct transformer net;
    struct block common; /* what layers do not list; 0 where they do */
    struct block *classes;
    size_t n_classes, capacity;
};

static enum status add_one_class(struct walk *walk, struct block block, struct err *err)
{
    for (size_t i = 0; i < walk->n_classes; i++)
        if (block_equal(&walk->classes[i], &block))
            return STATUS_OK;
    if (walk->n_classes == MAX_CLASSES)
        return err_set(err, STATUS_RANGE, "more than %d different layers for a place", MAX_CLASSES);
    enum status status = memory_grow((void **)&walk->classes, &walk->capacity, walk->n_classes + 1,
                                     sizeof *walk->classes, err);
    if (!status)
        walk->classes[walk->n_classes++] = block;
    return status;
}

/* The block with each number of repeats. */
static enum status add_class(struct walk *walk, struct block block, struct err *err)
{
    const struct axis *repeats = &walk->space->layers.repeats;
    enum status status = repeats->n == 0 ? add_one_class(walk, block, err) : STATUS_OK;
    for (int i = 0; i < repeats->n && !status; i++) {
        block.reruns = repeats->value[i] - 1;
        status = add_one_class(walk, block, err);
    }
    return status;
}

/* Full and windowed attention with these heads. */
static enum status add_attention(struct walk *walk, struct block block, struct err *err)
{
    const struct space_layers *layers = &walk->space->layers;
    enum status status = layers->full ? add_class(walk, block, err) : STATUS_OK;
    for (int i = 0; i < layers->windows.n && !status; i++) {
        block.window = layers->windows.value[i];
        status = add_class(walk, block, err);
    }
    return status;
}

static enum status add_kv_heads(struct walk *walk, struct block block, struct err *err)
{
    const struct layer_axis *listed = &walk->space->layers.n_kv_heads;
    struct axis kv = {.n = 1, .value = {walk->common.n_kv_heads}};
    enum status status = STATUS_OK;
    if (listed->is_listed)
        layer_axis_divisors(listed, block.n_heads, &kv);
    for (int i = 0; i < kv.n && !status; i++) {
        block.n_kv_heads = kv.value[i];
        status = add_attention(walk, block, err);
    }
    return status;
}

static enum status add_heads(struct walk *walk, int64_t d_ff, struct err *err)
{
    const struct layer_axis *listed = &walk->space->layers.n_heads;
    int64_t d_head = walk->common.d_head;
    struct axis heads = {.n = 1, .value = {walk->common.n_heads}};
    struct block block = {.mixer = MIXER_ATTENTION, .d_head = d_head, .d_ff = d_ff};
    enum status status = STATUS_OK;
    if (listed->is_listed)
        layer_axis_values(listed, walk->net.d_model / d_head, 1, &heads);
    for (int i = 0; i < heads.n && !status; i++) {
        block.n_heads = heads.value[i];
        status = add_kv_heads(walk, block, err);
    }
    if (!status && walk->space->layers.none)
        status = add_class(walk, (struct block){.mixer = MIXER_NONE, .d_ff = d_ff}, err);
    return status;
}

static enum status list_classes(struct walk *walk, struct err *err)
{
    const struct layer_axis *listed = &walk->space->layers.d_ff;
    struct axis d_ff = {.n = 1, .value = {walk->common.d_ff}};
    enum status status = STATUS_OK;
    walk->n_classes = 0;
    if (listed->is_listed)
        layer_axis_values(listed, walk->net.d_model, walk->space->d_ff_multiple, &d_ff);
    for (int i = 0; i < d_ff.n && !status; i++)
        status = add_heads(walk, d_ff.value[i], err);
    return status;
}

static enum status hand_over(struct walk *walk, struct err *err)
{
    const struct space *space = walk->space;
    struct space_frame frame = {
        .net = walk->net,
        .classes = walk->classes,
        .n_classes = (int)walk->n_classes,
        .may_be_empty = space->layers.empty,
    };
    for (int c = 0; c < frame.n_classes; c++) {
        struct transformer one = frame.net;
        one.stack = (struct stack){.first = walk->classes[c]};
        enum status status = transformer_settle(&one, err);
        status = status ? status : transformer_check(&one, err);
        if (status)
            return err_prefix(err, status, "the space has an impossible shape: ");
    }
    return walk->callback(&frame, walk->user, err);
}

/* Tying, schedules and depths. */
static enum status each_variant(struct walk *walk, struct err *err)
{
    const struct space *space = walk->space;
    enum status status = list_classes(walk, err);
    if (status || walk->n_classes == 0)
        return status;
    int64_t least = space->layers.empty ? space->max_layers : space->min_layers;
    for (int t = 0; t < space->tie_embeddings.n; t++) {
        for (int s = 0; s < space->n_schedules; s++) {
            walk->net.tie_embeddings = space->tie_embeddings.value[t] != 0;
            walk->net.schedule = space->schedule[s];
            if (space->layers.repeats.n > 0)
                walk->net.schedule.sharing = SHARING_BY_BLOCK;
            for (int64_t n = least; n <= space->max_layers && !status; n++) {
                walk->net.schedule.n_layers = n;
                status = hand_over(walk, err);
            }
        }
    }
    return status;
}

static enum status each_d_ff(struct walk *walk, struct err *err)
{
    struct axis d_ff = {.n = 1, .value = {0}};
    enum status status = STATUS_OK;
    if (!walk->space->layers.d_ff.is_listed)
        space_d_ff(walk->space, walk->net.d_model, &d_ff);
    for (int i = 0; i < d_ff.n && !status; i++) {
        walk->common.d_ff = d_ff.value[i];
        status = each_variant(walk, err);
    }
    return status;
}

static enum status each_kv_heads(struct walk *walk, struct err *err)
{
    struct axis kv;
    enum status status = STATUS_OK;
    if (walk->space->layers.n_kv_heads.is_listed)
        return each_d_ff(walk, err);
    space_n_kv_heads(walk->space, walk->common.n_heads, &kv);
    for (int i = 0; i < kv.n && !status; i++) {
        walk->common.n_kv_heads = kv.value[i];
        status = each_d_ff(walk, err);
    }
    return status;
}

static enum status each_heads(struct walk *walk, struct err *err)
{
    const struct axis *axis = &walk->space->n_heads;
    int64_t d_model = walk->net.d_model, d_head = walk->common.d_head;
    enum status status = STATUS_OK;
    if (walk->space->layers.n_heads.is_listed)
        return each_kv_heads(walk, err);
    if (axis->n == 0) {
        walk->common.n_heads = d_model / d_head;
        return d_model % d_head == 0 ? each_kv_heads(walk, err) : STATUS_OK;
    }
    for (int i = 0; i < axis->n && !status; i++) {
        walk->common.n_heads = axis->value[i];
        status = each_kv_heads(walk, err);
    }
    return status;
}

static enum status each_width(struct walk *walk, enum dtype dtype, enum dtype kv_dtype,
                              int64_t vocab_size, struct err *err)
{
    const struct space *space = walk->space;
    enum status status = STATUS_OK;
    for (int d = 0; d < space->d_model.n && !status; d++) {
        for (int h = 0; h < space->d_head.n && !status; h++) {
            walk->common = (struct block){.d_head = space->d_head.value[h]};
            transformer_init(&walk->net, space->d_model.value[d], 1, 1, 1, 2, 1, vocab_size);
            transformer_set_dtype(&walk->net, dtype);
            walk->net.ffn = space->ffn;
            walk->net.kv_dtype = kv_dtype;
            walk->net.max_context = space->max_context;
            status = space->scaling.is_given ? scaled_frames(space, &walk->net, walk->common.d_head,
                                                             walk->callback, walk->user, err)
                                             : each_heads(walk, err);
        }
    }
    return status;
}

enum status space_each_frame(const struct space *space, space_frame_callback *callback, void *user,
                             struct err *err)
{
    struct walk walk = {.space = space, .callback = callback, .user = user};
    enum status status = STATUS_OK;
    if (space_has_files(space))
        return err_set(
            err, STATUS_UNSUPPORTED,
            "where layers differ all weights have one type: q4_k for example, no type of "
            "a file");
    for (int t = 0; t < space->n_dtypes && !status; t++)
        for (int k = 0; k < space->n_kv_dtypes && !status; k++)
            for (int v = 0; v < space->vocab_size.n && !status; v++)
                status = each_width(&walk, space->dtype[t], space->kv_dtype[k],
                                    space->vocab_size.value[v], err);
    memory_free(walk.classes);
    return status;
}
