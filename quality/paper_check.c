#include "quality/paper_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/stats.h"

static const double tokens_exploration = 0.2517e12, tokens_final = 1e12;

struct list {
    const struct quality_law *law;
    struct quality_comparison *items;
    int n;
};

static struct quality_shape paper_shape(double width, double layers, double heads, double kv_heads,
                                        double d_ff)
{
    return (struct quality_shape){
        .d_model = width,
        .n_layers = layers,
        .repeats = 1,
        .n_heads = heads,
        .n_kv_heads = kv_heads,
        .d_head = floor(width / heads),
        .d_ff = d_ff > 0 ? d_ff : 256 * ceil(8 * width / 3 / 256 - 1e-9),
        .vocab = 32000,
        .gated = true,
    };
}

static void compare(struct list *list, const char *kind, const char *name, bool of_roadmap,
                    const struct quality_shape *a, double a_tokens, const struct quality_shape *b,
                    double b_tokens, double printed)
{
    const struct quality_constants *c = &list->law->constants;
    struct quality_prediction of_a, of_b;
    if (list->n == MAX_QUALITY_COMPARISONS)
        return;
    struct quality_comparison *out = &list->items[list->n++];
    quality_predict(list->law, QUALITY_NO_RECIPE, a, a_tokens, &of_a);
    quality_predict(list->law, QUALITY_NO_RECIPE, b, b_tokens, &of_b);
    quality_compare(list->law, &of_a, &of_b, &out->difference);
    double points = out->difference.points;
    double of_difference = (out->difference.points_high - points) / QUALITY_Z90;
    double evaluation = c->value[QUALITY_EVALUATION];
    double half = QUALITY_Z90 * sqrt(of_difference * of_difference + 2 * evaluation * evaluation);
    snprintf(out->kind, sizeof out->kind, "%s", kind);
    snprintf(out->name, sizeof out->name, "%s", name);
    out->of_roadmap = of_roadmap;
    out->waterfall = 0;
    out->points_low = points - half;
    out->points_high = points + half;
    out->printed_points = printed;
    out->inside = out->points_low < printed && printed < out->points_high;
}

/* A published table with the columns asked for; close it. */
static enum status open_table(const char *name, const char *const *columns, int *at,
                              struct csv **out, struct err *err)
{
    char path[4096];
    enum status status = file_data_path(name, path, sizeof path, err);
    if (status == STATUS_OK)
        status = csv_open(path, out, err);
    for (int i = 0; columns[i] != NULL && status == STATUS_OK; i++)
        status = csv_column(*out, columns[i], &at[i], err);
    return status;
}

static enum status numbers(const struct csv *csv, int row, const int *columns, int n, double *out,
                           struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = csv_number(csv, row, columns[i], 0, 1e12, &out[i], err);
    return status;
}

/* Fewer KV heads against all. */
static enum status kv_heads(struct list *list, struct err *err)
{
    static const char *const columns[] = {
        "dim", "layers", "heads", "kv_heads", "avg_recomputed", "size_class", NULL};
    struct csv *csv = NULL;
    int at[6];
    enum status status = open_table("published/ablation_heads_kv.csv", columns, at, &csv, err);
    for (int i = 0; status == STATUS_OK && i < csv_n_rows(csv); i++) {
        double x[5];
        status = numbers(csv, i, at, 5, x, err);
        for (int j = 0; status == STATUS_OK && j < csv_n_rows(csv); j++) {
            double full[5];
            char name[48];
            status = numbers(csv, j, at, 5, full, err);
            if (status != STATUS_OK || x[3] >= x[2] || full[3] != full[2] || full[2] != x[2] ||
                strcmp(csv_text(csv, i, at[5]), csv_text(csv, j, at[5])) != 0)
                continue;
            struct quality_shape a = paper_shape(x[0], x[1], x[2], x[3], 0);
            struct quality_shape b = paper_shape(x[0], x[1], x[2], x[2], 0);
            snprintf(name, sizeof name, "%s, %.0f heads, %.0f KV", csv_text(csv, i, at[5]), x[2],
                     x[3]);
            compare(list, "KV heads", name, false, &a, tokens_exploration, &b, tokens_exploration,
                    x[4] - full[4]);
        }
    }
    csv_close(csv);
    return status;
}

/* Rows with more executions than distinct layers against the row of the size that has none. */
static enum status repeats(struct list *list, const char *table, const char *kind,
                           const char *label, double least_repeats, struct err *err)
{
    const char *const columns[] = {"dim",
                                   "layers_distinct",
                                   "layers_effective",
                                   "heads",
                                   "avg_recomputed",
                                   "size_class",
                                   label,
                                   NULL};
    struct csv *csv = NULL;
    int at[7];
    double plain[5] = {0};
    enum status status = open_table(table, columns, at, &csv, err);
    for (int i = 0; status == STATUS_OK && i < csv_n_rows(csv); i++) {
        double x[5];
        char name[48];
        status = numbers(csv, i, at, 5, x, err);
        if (status != STATUS_OK)
            break;
        if (x[1] == x[2])
            memcpy(plain, x, sizeof plain); /* the first of its size */
        if (x[2] < least_repeats * x[1] || x[1] == x[2])
            continue;
        struct quality_shape a = paper_shape(x[0], x[1], x[3], x[3], 0), b = a;
        a.repeats = x[2] / x[1];
        snprintf(name, sizeof name, "%.8s, %.36s", csv_text(csv, i, at[5]),
                 csv_text(csv, i, at[6]));
        compare(list, kind, name, false, &a, tokens_exploration, &b, tokens_exploration,
                x[4] - plain[4]);
    }
    csv_close(csv);
    return status;
}

struct step {
    struct quality_shape shape;
    double tokens, accuracy;
};

static enum status read_step(const struct csv *csv, const int *at, int row, struct step *out,
                             struct err *err)
{
    double x[7];
    enum status status = numbers(csv, row, at, 7, x, err);
    out->shape = paper_shape(x[0], x[1], x[3], x[4], x[5]);
    out->shape.repeats = x[2] / x[1];
    out->shape.tied = strcmp(csv_text(csv, row, at[9]), "yes") == 0;
    out->shape.gated = strncmp(csv_text(csv, row, at[8]), "swiglu", 6) == 0;
    out->tokens = strcmp(csv_text(csv, row, at[10]), "1T") == 0 ? tokens_final : tokens_exploration;
    out->accuracy = x[6];
    return status;
}

/* Table 10: of eight steps of a size, by place: tying and sharing count among the forty. */
static enum status roadmap(struct list *list, struct err *err)
{
    enum { STEPS = 8 };
    static const char *const columns[] = {
        "dim",      "layers_distinct", "layers_effective", "heads",
        "kv_heads", "ffn_hidden",      "avg_recomputed",   "size_class",
        "ffn_kind", "tied_embeddings", "training_tokens",  NULL};
    static const struct {
        int to, from, waterfall;
        const char *kind, *name;
        bool of_roadmap;
    } steps[] = {
        {1, 0, 1, "roadmap", "SwiGLU", true},
        {2, 1, 2, "roadmap", "deep and thin", true},
        {3, 2, 3, "tying", "one table", false},
        {4, 3, 4, "roadmap", "KV heads and width", true},
        {5, 4, 5, "roadmap", "1 T tokens", true},
        {6, 4, 0, "shared layers", "at 0.25 T", false},
        {7, 5, 6, "shared layers", "at 1 T", false},
    };
    struct csv *csv = NULL;
    int at[11];
    enum status status =
        open_table("published/ablation_design_roadmap.csv", columns, at, &csv, err);
    for (int first = 0; status == STATUS_OK && first + STEPS <= csv_n_rows(csv); first += STEPS) {
        struct step step[STEPS];
        for (int i = 0; i < STEPS && status == STATUS_OK; i++)
            status = read_step(csv, at, first + i, &step[i], err);
        for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof *steps; i++) {
            const struct step *to = &step[steps[i].to], *from = &step[steps[i].from];
            char name[48];
            snprintf(name, sizeof name, "%s, %s", csv_text(csv, first, at[7]), steps[i].name);
            compare(list, steps[i].kind, name, steps[i].of_roadmap, &to->shape, to->tokens,
                    &from->shape, from->tokens, to->accuracy - from->accuracy);
            if (list->n < MAX_QUALITY_COMPARISONS)
                list->items[list->n - 1].waterfall = steps[i].waterfall;
        }
    }
    csv_close(csv);
    return status;
}

enum status quality_paper_comparisons(const struct quality_law *law, struct quality_comparison *out,
                                      int *n, struct err *err)
{
    struct list list = {.law = law, .items = out};
    enum status status = kv_heads(&list, err);
    if (status == STATUS_OK)
        status = repeats(&list, "published/ablation_layer_sharing_method.csv", "sharing mode",
                         "method", 1, err);
    if (status == STATUS_OK)
        status =
            repeats(&list, "published/ablation_layer_repeat.csv", "repeats", "repeats", 3, err);
    if (status == STATUS_OK)
        status = roadmap(&list, err);
    *n = list.n;
    return status;
}

/* y by a line in x, each row left out in turn: root of the mean square. */
static double left_out_error(const double *x, const double *y, size_t n, double *slope)
{
    double mean_x = stats_mean(x, n), mean_y = stats_mean(y, n), sxx = 0, sxy = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        sxx += (x[i] - mean_x) * (x[i] - mean_x);
        sxy += (x[i] - mean_x) * (y[i] - mean_y);
    }
    *slope = sxy / sxx;
    for (size_t i = 0; i < n; i++) {
        double leverage = 1.0 / (double)n + (x[i] - mean_x) * (x[i] - mean_x) / sxx;
        double residual = y[i] - mean_y - *slope * (x[i] - mean_x);
        sum += residual * residual / ((1 - leverage) * (1 - leverage));
    }
    return sqrt(sum / (double)n);
}

enum status quality_paper_sweep_points(struct quality_sweep_point *out, int *n, struct err *err)
{
    static const char *const columns[] = {
        "dim",        "layers", "heads", "kv_heads", "avg_recomputed", "params_computed_exact",
        "size_class", NULL};
    struct csv *csv = NULL;
    int at[7];
    enum status status = open_table("published/depth_width_ablation.csv", columns, at, &csv, err);
    *n = 0;
    for (int row = 0; status == STATUS_OK && row < csv_n_rows(csv) && *n < MAX_QUALITY_SWEEP;
         row++) {
        struct quality_sweep_point *point = &out[*n];
        double x[6];
        status = numbers(csv, row, at, 6, x, err);
        if (status != STATUS_OK)
            break;
        point->shape = paper_shape(x[0], x[1], x[2], x[3], 0);
        point->accuracy = x[4];
        point->params = x[5];
        snprintf(point->size_class, sizeof point->size_class, "%.7s", csv_text(csv, row, at[6]));
        ++*n;
    }
    csv_close(csv);
    return status;
}

enum status quality_paper_measured(const struct quality_question *question, double params,
                                   struct quality_measured *out, int *n, struct err *err)
{
    struct quality_sweep_point points[MAX_QUALITY_SWEEP];
    const struct quality_constants *c = &question->law->constants;
    double slope = c->value[QUALITY_POINTS], off = 0;
    double half = QUALITY_Z90 * fabs(c->value[QUALITY_EVALUATION] / slope);
    int n_points, kept = 0;
    enum status status = quality_paper_sweep_points(points, &n_points, err);
    for (int i = 0; status == STATUS_OK && i < n_points; i++) {
        struct quality_answer answer;
        if (points[i].params < 0.9 * params || points[i].params > 1.35 * params)
            continue;
        quality_delta(question, &points[i].shape, &answer);
        out[kept] = (struct quality_measured){.n_layers = points[i].shape.n_layers,
                                              .params = points[i].params,
                                              .nats = points[i].accuracy / slope};
        off += answer.difference.nats - out[kept++].nats;
    }
    for (int i = 0; i < kept; i++) {
        out[i].nats += off / kept;
        out[i].low_nats = out[i].nats - half;
        out[i].high_nats = out[i].nats + half;
    }
    *n = kept;
    return status;
}

enum status quality_paper_sweep(const struct quality_law *law, struct quality_sweep *out,
                                struct err *err)
{
    struct quality_sweep_point points[MAX_QUALITY_SWEEP];
    double loss[MAX_QUALITY_SWEEP], blocks[MAX_QUALITY_SWEEP], accuracy[MAX_QUALITY_SWEEP];
    double rank[MAX_QUALITY_SWEEP], ignored;
    int n, n_small = 0;
    enum status status = quality_paper_sweep_points(points, &n, err);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < n; i++) {
        struct quality_point point;
        quality_point_of(law, QUALITY_NO_RECIPE, &points[i].shape, tokens_exploration, &point);
        loss[i] = quality_loss(law, QUALITY_NO_RECIPE, &point, NULL);
        blocks[i] = point.ln_n;
        rank[i] = -loss[i];
        n_small += strcmp(points[i].size_class, "125M") == 0 ? 1 : 0;
        accuracy[i] = points[i].accuracy;
    }
    out->spearman_125m = stats_spearman(rank, accuracy, (size_t)n_small);
    out->spearman_350m = stats_spearman(rank + n_small, accuracy + n_small, (size_t)(n - n_small));
    out->left_out_points = left_out_error(loss, accuracy, (size_t)n, &out->slope);
    out->left_out_blocks_points = left_out_error(blocks, accuracy, (size_t)n, &ignored);
    return STATUS_OK;
}
