#include "search/layer_scores.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "model/stack_runs.h"

enum { EMPTY = -1, UNKNOWN_LAYER = -2, MAX_PLACES = 1 << 14 };

static const double MOST_SCORE = 1e6; /* sums of some thousand stay exact */

static int n_choices(const struct space_frame *frame)
{
    return frame->n_classes + (frame->may_be_empty ? 1 : 0);
}

struct stack_usual layer_scores_usual(const struct space_frame *frame)
{
    struct stack_usual usual = {0, 0, 0};
    for (int c = 0; c < frame->n_classes; c++) {
        const struct stack one = {.first = frame->classes[c]};
        struct stack_usual more = stack_usual(&one, 1);
        usual.n_heads = usual.n_heads > 0 ? usual.n_heads : more.n_heads;
        usual.d_head = usual.d_head > 0 ? usual.d_head : more.d_head;
        usual.window = usual.window > 0 ? usual.window : more.window;
    }
    if (frame->sequence)
        usual.n_heads = 0;
    return usual;
}

/* The class, EMPTY, or UNKNOWN_LAYER: the space does not have it. */
static enum status find_layer(const struct csv *table, int row, int column,
                              const struct space_frame *frame, int *class, struct err *err)
{
    const char *text = csv_text(table, row, column);
    const struct stack_usual usual = layer_scores_usual(frame);
    struct stack stack;
    struct err inner;
    int64_t n;
    *class = UNKNOWN_LAYER;
    if (strcmp(text, "-") == 0) {
        *class = frame->may_be_empty ? EMPTY : UNKNOWN_LAYER;
        return STATUS_OK;
    }
    enum status status = stack_runs_parse(text, &usual, &stack, &n, &inner);
    if (status == STATUS_INPUT)
        return csv_error(table, row, column, err, "%s", inner.message);
    if (status)
        return err_set(err, status, "%s", inner.message);
    for (int c = 0; c < frame->n_classes && n == 1; c++)
        if (block_equal(&frame->classes[c], &stack.first))
            *class = c;
    stack_release(&stack);
    if (n > 1)
        return csv_error(
            table, row, column, err,
            "'%s' is more than one layer: a score of several together does not add up; "
            "give a --predictor",
            text);
    return STATUS_OK;
}

struct columns {
    int place, layer, value;
    double sign; /* of what is better when it is more */
};

static enum status find_columns(const struct csv *table, struct columns *out, struct err *err)
{
    enum status status = STATUS_OK;
    if ((status = csv_column(table, "place", &out->place, err)) ||
        (status = csv_column(table, "layer", &out->layer, err)))
        return status;
    out->sign = 1;
    out->value = csv_find_column(table, "score");
    if (out->value >= 0)
        return STATUS_OK;
    out->sign = -1;
    out->value = csv_find_column(table, "loss");
    return out->value >= 0 ? STATUS_OK : csv_column(table, "score", &out->value, err);
}

enum known { NOT_KNOWN, BY_ALL, BY_PLACE };

struct scores {
    const struct space_frame *frame;
    int64_t *value; /* [n_places][n_choices] */
    char *known;    /* the same, enum known */
};

static enum status put(const struct csv *table, int row, int column, struct scores *scores,
                       int64_t cell, enum known known, int64_t value, struct err *err)
{
    if (scores->known[cell] == (char)known)
        return csv_error(table, row, column, err, "a second score of the layer '%s' in this place",
                         csv_text(table, row, column));
    if (scores->known[cell] > (char)known) /* "all" after the place's own */
        return STATUS_OK;
    scores->known[cell] = (char)known;
    scores->value[cell] = value;
    return STATUS_OK;
}

static enum status read_row(const struct csv *table, int row, const struct columns *columns,
                            struct scores *scores, struct err *err)
{
    const struct space_frame *frame = scores->frame;
    int64_t n_places = frame->net.schedule.n_layers, from = 0, to = n_places - 1;
    bool all = strcmp(csv_text(table, row, columns->place), "all") == 0;
    double value;
    int class;
    enum status status = STATUS_OK;
    int64_t last = frame->sequence ? MAX_PLACES - 1 : n_places - 1;
    if (!all && (status = csv_int(table, row, columns->place, 0, last, &from, err)))
        return status;
    to = all || from > to ? to : from;
    if ((status = find_layer(table, row, columns->layer, frame, &class, err)) ||
        (status = csv_number(table, row, columns->value, -MOST_SCORE, MOST_SCORE, &value, err)))
        return status;
    if (class == UNKNOWN_LAYER && frame->sequence)
        return STATUS_OK; /* of another stack of the space */
    if (class == UNKNOWN_LAYER)
        return csv_error(table, row, columns->layer, err,
                         "the space has no layer '%s': is the table of another space?",
                         csv_text(table, row, columns->layer));
    int64_t units = llround(columns->sign * value / LAYER_SCORE_UNIT);
    for (int64_t place = from; place <= to && !status; place++) {
        int64_t cell = place * n_choices(frame) + (class == EMPTY ? frame->n_classes : class);
        status = put(table, row, columns->layer, scores, cell, all ? BY_ALL : BY_PLACE, units, err);
    }
    return status;
}

static enum status check_complete(const struct csv *table, const struct scores *scores,
                                  struct err *err)
{
    const struct space_frame *frame = scores->frame;
    const struct stack_usual usual = layer_scores_usual(frame);
    int choices = n_choices(frame);
    for (int64_t cell = 0; cell < frame->net.schedule.n_layers * choices; cell++) {
        int choice = (int)(cell % choices);
        if (scores->known[cell] != NOT_KNOWN ||
            (frame->sequence && frame->sequence[cell / choices] != choice))
            continue;
        if (choice == frame->n_classes)
            return csv_error(table, 0, -1, err, "no score of '-' (no block) in place %" PRId64,
                             cell / choices);
        const struct stack one = {.first = frame->classes[choice]};
        char *name = stack_runs_print(&one, 1, &usual);
        if (!name)
            return err_set(err, STATUS_NOMEM, "out of memory for a name");
        csv_error(table, 0, -1, err, "no score of the layer '%s' in place %" PRId64, name,
                  cell / choices);
        memory_free(name);
        return STATUS_INPUT;
    }
    return STATUS_OK;
}

static enum status new_scores(const struct space_frame *frame, int64_t **out, struct err *err)
{
    size_t n = (size_t)frame->net.schedule.n_layers * (size_t)n_choices(frame);
    *out = memory_new(n, sizeof **out);
    return *out ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for %zu scores", n);
}

enum status layer_scores_read(const struct csv *table, const struct space_frame *frame,
                              int64_t **out, struct err *err)
{
    struct columns columns;
    struct scores scores = {.frame = frame};
    size_t n = (size_t)frame->net.schedule.n_layers * (size_t)n_choices(frame);
    *out = NULL;
    enum status status = find_columns(table, &columns, err);
    if (status || (status = new_scores(frame, &scores.value, err)))
        return status;
    scores.known = memory_new(n, 1);
    if (!scores.known)
        status = err_set(err, STATUS_NOMEM, "out of memory for %zu scores", n);
    for (int row = 0; row < csv_n_rows(table) && !status; row++)
        status = read_row(table, row, &columns, &scores, err);
    if (!status)
        status = check_complete(table, &scores, err);
    memory_free(scores.known);
    if (status)
        memory_free(scores.value);
    else
        *out = scores.value;
    return status;
}

enum status layer_scores_of_law(const struct layer_score *law, const struct space_frame *frame,
                                int64_t **out, struct err *err)
{
    *out = NULL;
    if (frame->may_be_empty)
        return err_set(err, STATUS_UNSUPPORTED,
                       "the ordering of stacks counts layers, not places: it does not add up where "
                       "places may be empty");
    if (frame->net.schedule.sharing == SHARING_BY_BLOCK)
        return err_set(err, STATUS_UNSUPPORTED,
                       "the ordering of stacks knows no layers that repeat: give scores of layers");
    enum status status = new_scores(frame, out, err);
    for (int64_t place = 0; !status && place < frame->net.schedule.n_layers; place++) {
        for (int c = 0; c < frame->n_classes; c++) {
            const struct block *block = &frame->classes[c];
            const struct scored_layer layer = {
                .n_heads = (double)block->n_heads,
                .n_kv_heads = (double)block->n_kv_heads,
                .qk_head_dim = (double)block->d_head,
                .v_head_dim = (double)block->d_head,
                .d_ff = (double)block->d_ff,
            };
            double value = layer_score_add(law, (double)frame->net.d_model, (int)place, &layer);
            (*out)[place * frame->n_classes + c] = -llround(value / LAYER_SCORE_UNIT);
        }
    }
    return status;
}
