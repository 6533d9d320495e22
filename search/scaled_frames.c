#include "search/scaled_frames.h"

#include "base/memory.h"

/* The walk so far, with room for the blocks of a stack. */
struct scaled_walk {
    const struct space *space;
    space_frame_callback *callback;
    void *user;
    struct transformer net;
    int64_t d_head, n_groups;
    struct block *classes; /* [max_layers] */
    int *sequence;         /* [max_layers] */
};

/* Multipliers rise or fall along the layers: a block is as the one before it, or a new one. */
static int list_classes(struct scaled_walk *walk, const int64_t *heads, const int64_t *d_ff)
{
    int n = 0;
    for (int64_t i = 0; i < walk->net.schedule.n_layers; i++) {
        const struct block block = {.mixer = MIXER_ATTENTION,
                                    .n_heads = heads[i],
                                    .n_kv_heads = heads[i] / walk->n_groups,
                                    .d_head = walk->d_head,
                                    .d_ff = d_ff[i]};
        int c = 0;
        while (c < n && !block_equal(&walk->classes[c], &block))
            c++;
        if (c == n)
            walk->classes[n++] = block;
        walk->sequence[i] = c;
    }
    return n;
}

static enum status each_variant(struct scaled_walk *walk, int n_classes, struct err *err)
{
    const struct space *space = walk->space;
    enum status status = STATUS_OK;
    int64_t n_layers = walk->net.schedule.n_layers;
    walk->net.stack = (struct stack){.first = walk->classes[0],
                                     .n_others = n_classes - 1,
                                     .others = n_classes > 1 ? walk->classes + 1 : NULL,
                                     .class_of_block = n_classes > 1 ? walk->sequence : NULL};
    if ((status = transformer_check(&walk->net, err)))
        return err_prefix(err, status, "the space has an impossible shape: ");
    for (int v = 0; v < space->tie_embeddings.n * space->n_schedules && !status; v++) {
        walk->net.tie_embeddings = space->tie_embeddings.value[v / space->n_schedules] != 0;
        walk->net.schedule = space->schedule[v % space->n_schedules];
        walk->net.schedule.n_layers = n_layers;
        const struct space_frame frame = {.net = walk->net,
                                          .classes = walk->classes,
                                          .n_classes = n_classes,
                                          .sequence = walk->sequence};
        status = walk->callback(&frame, walk->user, err);
    }
    walk->net.schedule = (struct schedule){.n_layers = n_layers, .repeats = 1};
    return status;
}

static enum status each_line(struct scaled_walk *walk, struct err *err)
{
    const struct space *space = walk->space;
    const int64_t d_model = walk->net.d_model, n = walk->net.schedule.n_layers;
    struct layer_lines heads, d_ff = {0};
    enum status status = layer_lines_of_heads(&space->scaling, d_model, walk->d_head,
                                              walk->n_groups, n, &heads, err);
    if (!status)
        status = layer_lines_of_d_ff(&space->scaling, d_model, space->d_ff_multiple, n, &d_ff, err);
    for (int64_t i = 0; i < (int64_t)heads.n * d_ff.n && !status; i++) {
        int n_classes =
            list_classes(walk, heads.value + i / d_ff.n * n, d_ff.value + i % d_ff.n * n);
        status = each_variant(walk, n_classes, err);
    }
    layer_lines_release(&heads);
    layer_lines_release(&d_ff);
    return status;
}

enum status scaled_frames(const struct space *space, const struct transformer *net, int64_t d_head,
                          space_frame_callback *callback, void *user, struct err *err)
{
    struct scaled_walk walk = {
        .space = space,
        .callback = callback,
        .user = user,
        .net = *net,
        .d_head = d_head,
        .classes = memory_new((size_t)space->max_layers, sizeof *walk.classes),
        .sequence = memory_new((size_t)space->max_layers, sizeof *walk.sequence),
    };
    const struct axis *groups = &space->scaling.groups;
    enum status status = walk.classes && walk.sequence
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for a stack");
    for (int g = 0; g < groups->n && !status; g++) {
        walk.n_groups = groups->value[g];
        for (int64_t n = space->min_layers; n <= space->max_layers && !status; n++) {
            walk.net.schedule = (struct schedule){.n_layers = n, .repeats = 1};
            status = each_line(&walk, err);
        }
    }
    memory_free(walk.classes);
    memory_free(walk.sequence);
    return status;
}
