#include "plots/candidates.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"
#include "db/query.h"

/* In a callback of query_each: the cell of that name. */
#define CELL(name) cell_named(name, n, names, cells)

static const char *text_of(const struct cell *cell, const char *fallback)
{
    return cell->type == CELL_TEXT ? cell->text : fallback;
}

static enum status read_run(void *context, int n, const char *const *names,
                            const struct cell *cells, struct err *err)
{
    struct selection *selection = context;
    char tokens[64] = "";
    (void)err;
    if (CELL("context")->type == CELL_INT)
        snprintf(tokens, sizeof tokens, ", %" PRId64 " tokens of context",
                 CELL("context")->integer);
    snprintf(selection->subtitle, sizeof selection->subtitle, "%s, budget %s%s",
             text_of(CELL("device"), "unknown device"), text_of(CELL("budget"), "unknown"), tokens);
    snprintf(selection->footnote, sizeof selection->footnote,
             "run %" PRId64 "%s; closed-form predictions", selection->run_id,
             CELL("finished")->integer ? "" : ", which did not finish");
    return STATUS_OK;
}

static enum status read_count(void *context, int n, const char *const *names,
                              const struct cell *cells, struct err *err)
{
    struct selection *selection = context;
    char count[32], *subtitle = selection->subtitle;
    (void)err;
    const struct cell *widest = CELL("widest");
    bool known = widest->type == CELL_REAL && widest->real >= 1;
    selection->interval_frac = known ? widest->real - 1 : NAN;
    selection->n_candidates = CELL("n_candidates")->integer;
    format_count(selection->n_candidates, count, sizeof count);
    size_t used = strlen(subtitle);
    snprintf(subtitle + used, sizeof selection->subtitle - used, ", %.40s: %s architectures",
             text_of(CELL("dtypes"), "unknown type"), count);
    return STATUS_OK;
}

struct embedding_reader {
    struct text *condition;
    char phrase[96];
};

static enum status read_embedding(void *context, int n, const char *const *names,
                                  const struct cell *cells, struct err *err)
{
    struct embedding_reader *reader = context;
    int64_t vocab_size = CELL("vocab_size")->integer, tied = CELL("tie_embeddings")->integer;
    (void)err;
    text_addf(reader->condition,
              " AND vocab_size = %" PRId64 " AND tie_embeddings = %" PRId64 " AND dtype = '%s'",
              vocab_size, tied, text_of(CELL("dtype"), ""));
    snprintf(reader->phrase, sizeof reader->phrase, ", %s embeddings of %" PRId64 " tokens",
             tied ? "tied" : "untied", vocab_size);
    return STATUS_OK;
}

static enum status each(struct store *store, const char *select, const struct text *condition,
                        const char *rest, query_row_fn *row, void *context, struct err *err)
{
    struct text sql = {0};
    text_addf(&sql, "SELECT %s FROM candidate_units WHERE %s%s", select, condition->data, rest);
    enum status status = sql.failed || condition->failed
                             ? err_set(err, STATUS_NOMEM, "out of memory")
                             : query_each(store, sql.data, row, context, err);
    text_release(&sql);
    return status;
}

enum status candidates_select(struct store *store, int64_t run_id, bool one_embedding,
                              struct selection *out, struct err *err)
{
    char sql[128];
    struct text condition = {0};
    struct embedding_reader reader = {.condition = &condition};
    *out = (struct selection){0};
    enum status status = query_run_id(store, run_id, &out->run_id, err);
    if (status != STATUS_OK)
        return status;
    snprintf(sql, sizeof sql,
             "SELECT device, budget, context, finished FROM run WHERE id = %" PRId64, out->run_id);
    status = query_each(store, sql, read_run, out, err);

    text_addf(&condition,
              "run_id = %" PRId64
              " AND decode_ns > 0 AND params_blocks > 0 AND n_layers_effective > 0",
              out->run_id);
    if (status == STATUS_OK && one_embedding)
        status = each(store, "vocab_size, tie_embeddings, dtype", &condition,
                      " GROUP BY 1, 2, 3 ORDER BY tie_embeddings DESC, count(*) DESC, 1, 3 LIMIT 1",
                      read_embedding, &reader, err);
    if (status == STATUS_OK)
        status = each(store,
                      "count(*) AS n_candidates, group_concat(DISTINCT dtype) AS dtypes, "
                      "max(decode_ns_high / decode_ns) AS widest",
                      &condition, "", read_count, out, err);
    if (status == STATUS_OK && out->n_candidates == 0)
        status = err_set(err, STATUS_NOT_FOUND, "run %" PRId64 " has no candidates to draw",
                         out->run_id);
    size_t used = strlen(out->subtitle);
    snprintf(out->subtitle + used, sizeof out->subtitle - used, "%s", reader.phrase);
    if (status == STATUS_OK && condition.failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    out->condition = condition;
    return status;
}

void selection_release(struct selection *selection)
{
    text_release(&selection->condition);
}

double selection_indistinct_ns(const struct selection *selection, double decode_ns)
{
    double over = 1 + selection->interval_frac;
    return decode_ns * over * over;
}

struct depth_reader {
    struct depth_point *points;
    size_t n, capacity;
    bool by_repeats;
};

static enum status read_depth(void *context, int n, const char *const *names,
                              const struct cell *cells, struct err *err)
{
    struct depth_reader *reader = context;
    void *array = reader->points;
    enum status status =
        memory_grow(&array, &reader->capacity, reader->n + 1, sizeof *reader->points, err);
    if (status != STATUS_OK)
        return status;
    reader->points = array;
    struct depth_point *point = &reader->points[reader->n++];
    char repeats[32] = "";
    if (reader->by_repeats && CELL("times")->integer > 1)
        snprintf(repeats, sizeof repeats, " x%" PRId64, CELL("times")->integer);
    const char *sharing = text_of(CELL("sharing"), "unknown");
    snprintf(point->mode, sizeof point->mode, "%.20s%s%s",
             strcmp(sharing, "none") == 0 ? "no sharing" : sharing, repeats,
             CELL("share_ffn")->integer ? ", one FFN" : "");
    for (char *c = point->mode; *c; c++)
        *c = *c == '_' ? '-' : *c;
    point->n_layers_effective = CELL("n_layers_effective")->integer;
    point->decode_ns = CELL("fastest_ns")->real;
    point->d_model = CELL("d_model")->integer;
    return STATUS_OK;
}

static enum status read_n_modes(void *context, int n, const char *const *names,
                                const struct cell *cells, struct err *err)
{
    (void)err;
    *(int64_t *)context = CELL("n_modes")->integer;
    return STATUS_OK;
}

/* Shapes come in steps, so that a depth often has no wide choice: neighbours within a tenth share a
 * point, the fastest of them. */
static size_t keep_fastest_nearby(struct depth_point *points, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct depth_point *last = kept > 0 ? &points[kept - 1] : NULL;
        double bin = floor(log((double)points[i].n_layers_effective) / log(1.1));
        if (!last || strcmp(last->mode, points[i].mode) != 0 ||
            floor(log((double)last->n_layers_effective) / log(1.1)) != bin)
            points[kept++] = points[i];
        else if (points[i].decode_ns < last->decode_ns)
            *last = points[i];
    }
    return kept;
}

enum status candidates_depth(struct store *store, const struct selection *selection, int most_modes,
                             struct depth_point **points, size_t *n, struct err *err)
{
    int64_t n_modes = 0;
    struct depth_reader reader = {0};
    enum status status =
        each(store, "count(DISTINCT sharing || '/' || repeats || '/' || share_ffn) AS n_modes",
             &selection->condition, "", read_n_modes, &n_modes, err);
    if (status != STATUS_OK)
        return status;
    reader.by_repeats = n_modes <= most_modes;
    /* min() makes SQLite take the bare d_model from the row that has the minimum. */
    status = each(store,
                  reader.by_repeats
                      ? "sharing, repeats AS times, share_ffn, n_layers_effective, d_model, "
                        "min(decode_ns) AS fastest_ns"
                      : "sharing, 0 AS times, share_ffn, n_layers_effective, d_model, "
                        "min(decode_ns) AS fastest_ns",
                  &selection->condition,
                  " GROUP BY sharing, times, share_ffn, n_layers_effective "
                  "ORDER BY sharing <> 'none', share_ffn, sharing, times, n_layers_effective",
                  read_depth, &reader, err);
    if (status != STATUS_OK) {
        memory_free(reader.points);
        return status;
    }
    *points = reader.points;
    *n = keep_fastest_nearby(reader.points, reader.n);
    return STATUS_OK;
}

struct front_reader {
    struct candidates_front *out;
    double x_low, x_high, y_low, y_high;
    bool taken[CLOUD_CELLS];
};

static enum status read_bounds(void *context, int n, const char *const *names,
                               const struct cell *cells, struct err *err)
{
    struct front_reader *reader = context;
    (void)err;
    reader->x_low = CELL("least_params")->real;
    reader->x_high = CELL("most_params")->real;
    reader->y_low = CELL("fastest_ns")->real;
    reader->y_high = CELL("slowest_ns")->real;
    return STATUS_OK;
}

static enum status append(struct front_point **points, size_t *n, size_t *capacity,
                          const struct front_point *point, struct err *err)
{
    void *array = *points;
    enum status status = memory_grow(&array, capacity, *n + 1, sizeof *point, err);
    if (status != STATUS_OK)
        return status;
    *points = array;
    (*points)[(*n)++] = *point;
    return STATUS_OK;
}

/* The front is kept by rising parameters, hence by rising time. */
static enum status offer_to_front(struct candidates_front *out, const struct front_point *point,
                                  struct err *err)
{
    size_t low = 0, high = out->n_front; /* first with at least as many parameters */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (out->front[middle].params_blocks < point->params_blocks)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < out->n_front && out->front[low].decode_ns <= point->decode_ns)
        return STATUS_OK;
    size_t end =
        low + (low < out->n_front && out->front[low].params_blocks == point->params_blocks);
    size_t first = low;
    while (first > 0 && out->front[first - 1].decode_ns >= point->decode_ns)
        first--;
    enum status status = append(&out->front, &out->n_front, &out->front_capacity, point, err);
    if (status != STATUS_OK)
        return status;
    size_t tail = out->n_front - 1 - end;
    memmove(&out->front[first + 1], &out->front[end], tail * sizeof *point);
    out->front[first] = *point;
    out->n_front = first + 1 + tail;
    return STATUS_OK;
}

static int cell_index(double value, double low, double high, int n)
{
    if (!(high > low))
        return 0;
    int index = (int)((value - low) / (high - low) * n);
    return index < 0 ? 0 : index >= n ? n - 1 : index;
}

static enum status read_front(void *context, int n, const char *const *names,
                              const struct cell *cells, struct err *err)
{
    struct front_reader *reader = context;
    struct candidates_front *out = reader->out;
    struct front_point point = {
        .params_blocks = CELL("params_blocks")->real,
        .decode_ns = CELL("decode_ns")->real,
        .n_layers_effective = CELL("n_layers_effective")->integer,
        .d_model = CELL("d_model")->integer,
    };
    snprintf(point.sharing, sizeof point.sharing, "%s", text_of(CELL("sharing"), ""));
    int x = cell_index(point.params_blocks, reader->x_low, reader->x_high, CLOUD_ACROSS);
    int y = cell_index(log(point.decode_ns), log(reader->y_low), log(reader->y_high), CLOUD_UP);
    bool *taken = &reader->taken[y * CLOUD_ACROSS + x];
    enum status status = STATUS_OK;
    if (!*taken)
        status = append(&out->cloud, &out->n_cloud, &out->cloud_capacity, &point, err);
    *taken = true;
    return status == STATUS_OK ? offer_to_front(out, &point, err) : status;
}

enum status candidates_front(struct store *store, const struct selection *selection,
                             struct candidates_front *out, struct err *err)
{
    *out = (struct candidates_front){0};
    struct front_reader *reader = memory_new(1, sizeof *reader);
    if (!reader)
        return err_set(err, STATUS_NOMEM, "out of memory");
    reader->out = out;
    enum status status =
        each(store,
             "min(params_blocks) AS least_params, max(params_blocks) AS most_params, "
             "min(decode_ns) AS fastest_ns, max(decode_ns) AS slowest_ns",
             &selection->condition, "", read_bounds, reader, err);
    if (status == STATUS_OK)
        status = each(store, "params_blocks, decode_ns, n_layers_effective, d_model, sharing",
                      &selection->condition, "", read_front, reader, err);
    memory_free(reader);
    if (status != STATUS_OK)
        candidates_release(out);
    return status;
}

void candidates_release(struct candidates_front *front)
{
    memory_free(front->cloud);
    memory_free(front->front);
    *front = (struct candidates_front){0};
}
