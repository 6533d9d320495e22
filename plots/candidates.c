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

enum status candidates_each(struct store *store, const char *select, const struct text *condition,
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
        status = candidates_each(
            store, "vocab_size, tie_embeddings, dtype", &condition,
            " GROUP BY 1, 2, 3 ORDER BY tie_embeddings DESC, count(*) DESC, 1, 3 LIMIT 1",
            read_embedding, &reader, err);
    if (status == STATUS_OK)
        status =
            candidates_each(store,
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
    enum status status = candidates_each(
        store, "count(DISTINCT sharing || '/' || repeats || '/' || share_ffn) AS n_modes",
        &selection->condition, "", read_n_modes, &n_modes, err);
    if (status != STATUS_OK)
        return status;
    reader.by_repeats = n_modes <= most_modes;
    /* min() makes SQLite take the bare d_model from the row that has the minimum. */
    status = candidates_each(
        store,
        reader.by_repeats ? "sharing, repeats AS times, share_ffn, n_layers_effective, d_model, "
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
