#include "quality/layer_score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/stats.h"
#include "quality/cholesky.h"

const char *const layer_score_any[LAYER_SCORE_ANY] = {"value", "ffn",       "query_key",
                                                      "kv",    "attention", "layer"};
const char *const layer_score_placed[LAYER_SCORE_PLACED] = {"attention", "value", "ffn"};

enum { MAX_LAYERS = 64, N_FOLDS = 10, N = LAYER_SCORE_FEATURES };

static const double ridge = 10, floor_nats = 2.4, scale_d_model = 768;

static void layer_features(double d_model, const struct scored_layer *layer,
                           double any[LAYER_SCORE_ANY], double placed[LAYER_SCORE_PLACED])
{
    double scale = scale_d_model / d_model, heads = layer->n_heads;
    double value = log1p(scale * heads * layer->v_head_dim / 256);
    double ffn = log1p(scale * layer->d_ff / 1024);
    double kv = heads > 0 ? layer->n_kv_heads * (layer->qk_head_dim + layer->v_head_dim) : 0;
    any[0] = value;
    any[1] = ffn;
    any[2] = log1p(scale * heads * layer->qk_head_dim / 256);
    any[3] = log1p(scale * kv / 256);
    any[4] = heads > 0 ? 1 : 0;
    any[5] = 1;
    placed[0] = any[4];
    placed[1] = value;
    placed[2] = ffn;
}

double layer_score_add(const struct layer_score *score, double d_model, int index,
                       const struct scored_layer *layer)
{
    double any[LAYER_SCORE_ANY], placed[LAYER_SCORE_PLACED], sum = 0;
    layer_features(d_model, layer, any, placed);
    for (int i = 0; i < LAYER_SCORE_ANY; i++)
        sum += score->any[i] * any[i];
    for (int i = 0; i < LAYER_SCORE_PLACED && index < LAYER_SCORE_FIRST; i++)
        sum += score->first[index][i] * placed[i];
    return sum;
}

struct scored_stack {
    double feature[N], target, loss, params;
    int fold;
};

static enum status read_list(const struct csv *csv, int row, int column, double *out, int *n,
                             struct err *err)
{
    const char *at = csv_text(csv, row, column);
    for (*n = 0; *at != '\0' && *n < MAX_LAYERS; ++*n) {
        char *end;
        out[*n] = strtod(at, &end);
        if (end == at)
            return csv_error(csv, row, column, err, "expected numbers with blanks between");
        at = end + strspn(end, " ");
    }
    return *at == '\0' && *n > 0
               ? STATUS_OK
               : csv_error(csv, row, column, err, "expected 1 to %d numbers", MAX_LAYERS);
}

static enum status read_stack(const struct csv *csv, int row, const int *column,
                              struct scored_stack *out, struct err *err)
{
    double part[5][MAX_LAYERS];
    int n[5];
    enum status status = STATUS_OK;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 5 && status == STATUS_OK; i++) {
        status = read_list(csv, row, column[i], part[i], &n[i], err);
        if (status == STATUS_OK && n[i] != n[0])
            status =
                csv_error(csv, row, column[i], err, "expected %d layers, found %d", n[0], n[i]);
    }
    if (status == STATUS_OK)
        status = csv_number(csv, row, column[5], floor_nats + 1e-3, 20, &out->loss, err);
    for (int l = 0; status == STATUS_OK && l < n[0]; l++) {
        const struct scored_layer layer = {part[0][l], part[1][l], part[3][l], part[4][l],
                                           part[2][l]};
        double any[LAYER_SCORE_ANY], placed[LAYER_SCORE_PLACED];
        layer_features(scale_d_model, &layer, any, placed);
        for (int i = 0; i < LAYER_SCORE_ANY; i++)
            out->feature[i] += any[i];
        for (int i = 0; i < LAYER_SCORE_PLACED && l < LAYER_SCORE_FIRST; i++)
            out->feature[LAYER_SCORE_ANY + l * LAYER_SCORE_PLACED + i] = placed[i];
        out->params += 2 * layer.d_ff +
                       (layer.n_heads + layer.n_kv_heads) * (layer.qk_head_dim + layer.v_head_dim);
    }
    out->target = log(out->loss - floor_nats);
    return status;
}

/* Ridge on features of mean 0 and spread 1, over stacks outside `fold` (-1: all). */
static bool solve_ridge(const struct scored_stack *stacks, size_t n, int fold, double beta[N],
                        double *intercept)
{
    double mean[N] = {0}, sd[N] = {0}, target = 0, count = 0, gram[N * N] = {0};
    for (size_t i = 0; i < n; i++) {
        if (stacks[i].fold == fold)
            continue;
        count++;
        target += stacks[i].target;
        for (int k = 0; k < N; k++)
            mean[k] += stacks[i].feature[k];
    }
    for (int k = 0; k < N; k++)
        mean[k] /= count;
    target /= count;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < N && stacks[i].fold != fold; k++)
            sd[k] += (stacks[i].feature[k] - mean[k]) * (stacks[i].feature[k] - mean[k]);
    for (int k = 0; k < N; k++) {
        sd[k] = sqrt(sd[k] / count) + 1e-9;
        beta[k] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        double z[N];
        if (stacks[i].fold == fold)
            continue;
        for (int k = 0; k < N; k++) {
            z[k] = (stacks[i].feature[k] - mean[k]) / sd[k];
            beta[k] += z[k] * (stacks[i].target - target);
            for (int l = 0; l <= k; l++)
                gram[k * N + l] += z[k] * z[l];
        }
    }
    for (int k = 0; k < N; k++)
        gram[k * N + k] += ridge;
    if (!cholesky_factor(N, gram))
        return false;
    cholesky_solve(N, gram, beta);
    *intercept = target;
    for (int k = 0; k < N; k++) {
        beta[k] /= sd[k];
        *intercept -= beta[k] * mean[k];
    }
    return true;
}

static double score_of(const struct scored_stack *stack, const double beta[N], double intercept)
{
    double sum = intercept;
    for (int k = 0; k < N; k++)
        sum += beta[k] * stack->feature[k];
    return sum;
}

static bool same_stack_features(const struct scored_stack *a, const struct scored_stack *b)
{
    for (int k = 0; k < N; k++)
        if (a->feature[k] != b->feature[k])
            return false;
    return true;
}

/* Equal stacks stay in one fold. */
static void deal_folds(struct scored_stack *stacks, size_t n)
{
    struct rng rng;
    rng_init(&rng, 1);
    for (size_t i = 0; i < n; i++) {
        stacks[i].fold = (int)rng_between(&rng, 0, N_FOLDS - 1);
        for (size_t j = 0; j < i; j++)
            if (same_stack_features(&stacks[j], &stacks[i]))
                stacks[i].fold = stacks[j].fold;
    }
}

static enum status judge(struct scored_stack *stacks, size_t n, struct layer_score *out,
                         struct err *err)
{
    double *room = memory_new(3 * n, sizeof *room), *score = room, *loss = room + n;
    double right = 0, pairs = 0;
    if (room == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    deal_folds(stacks, n);
    for (int fold = 0; fold < N_FOLDS; fold++) {
        double beta[N], intercept = 0;
        if (!solve_ridge(stacks, n, fold, beta, &intercept))
            continue;
        for (size_t i = 0; i < n; i++)
            if (stacks[i].fold == fold)
                score[i] = score_of(&stacks[i], beta, intercept);
    }
    for (size_t i = 0; i < n; i++) {
        loss[i] = stacks[i].loss;
        room[2 * n + i] = -stacks[i].params;
        for (size_t j = 0; j < i; j++) {
            if (fabs(loss[i] - loss[j]) <= 0.05)
                continue;
            pairs++;
            right += (score[i] - score[j]) * (loss[i] - loss[j]) > 0 ? 1 : 0;
        }
    }
    out->spearman = stats_spearman(score, loss, n);
    out->spearman_of_params = stats_spearman(room + 2 * n, loss, n);
    out->pairs_right_frac = right / pairs;
    memory_free(room);
    return STATUS_OK;
}

static enum status fit_stacks(struct scored_stack *stacks, size_t n, struct layer_score *out,
                              struct err *err)
{
    double beta[N];
    for (size_t i = 0; i < n; i++)
        stacks[i].fold = 0;
    if (n < 2 * N || !solve_ridge(stacks, n, -1, beta, &out->intercept))
        return err_set(err, STATUS_INPUT, "too few stacks for a score per layer");
    memcpy(out->any, beta, sizeof out->any);
    memcpy(out->first, beta + LAYER_SCORE_ANY, sizeof out->first);
    out->rows = (int)n;
    return judge(stacks, n, out, err);
}

enum status layer_score_fit(const char *path, struct layer_score *out, struct err *err)
{
    static const char *const names[] = {"n_heads",     "n_kv_heads", "d_ff",
                                        "qk_head_dim", "v_head_dim", "val_loss"};
    struct csv *csv = NULL;
    struct scored_stack *stacks = NULL;
    int column[6];
    enum status status = csv_open(path, &csv, err);
    for (int i = 0; i < 6 && status == STATUS_OK; i++)
        status = csv_column(csv, names[i], &column[i], err);
    if (status == STATUS_OK) {
        stacks = memory_new((size_t)csv_n_rows(csv), sizeof *stacks);
        if (stacks == NULL)
            status = err_set(err, STATUS_NOMEM, "out of memory");
    }
    for (int row = 0; status == STATUS_OK && row < csv_n_rows(csv); row++)
        status = read_stack(csv, row, column, &stacks[row], err);
    if (status == STATUS_OK)
        status = fit_stacks(stacks, (size_t)csv_n_rows(csv), out, err);
    memory_free(stacks);
    csv_close(csv);
    return status;
}
