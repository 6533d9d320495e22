/* Writing a law: each number with its kind and source, to nine digits. */
#include "quality/law_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "quality/cholesky.h"

static double nine_digits(double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.9g", value);
    return strtod(digits, NULL);
}

void quality_law_round(struct quality_law *law)
{
    int n = quality_n_theta(law);
    for (int i = 0; i < n; i++)
        law->theta[i] = nine_digits(law->theta[i]);
    for (int i = 0; i < n * n; i++)
        law->covariance[i] = nine_digits(law->covariance[i]);
    for (int r = 0; r < law->n_recipes; r++) {
        struct quality_recipe *recipe = &law->recipes[r];
        recipe->error_frac = nine_digits(recipe->error_frac);
        recipe->params_min = nine_digits(recipe->params_min);
        recipe->params_max = nine_digits(recipe->params_max);
    }
    law->cost = nine_digits(law->cost);
    law->held_out_error_frac = nine_digits(law->held_out_error_frac);
    law->held_out_cover_frac = nine_digits(law->held_out_cover_frac);
    struct layer_score *score = &law->layer_score;
    score->intercept = nine_digits(score->intercept);
    for (int i = 0; i < LAYER_SCORE_ANY; i++)
        score->any[i] = nine_digits(score->any[i]);
    for (int i = 0; i < LAYER_SCORE_FIRST; i++)
        for (int k = 0; k < LAYER_SCORE_PLACED; k++)
            score->first[i][k] = nine_digits(score->first[i][k]);
    score->spearman = nine_digits(score->spearman);
    score->spearman_of_params = nine_digits(score->spearman_of_params);
    score->pairs_right_frac = nine_digits(score->pairs_right_frac);
}

static void write_value(struct json_node *parent, const char *key, double value, const char *kind,
                        const char *source)
{
    struct json_node *node = json_add_object(parent, key);
    json_add_number(node, "value", value);
    json_add_string(node, "kind", kind);
    json_add_string(node, "source", source);
}

static void write_constants(struct json_node *parent, const struct quality_constants *constants)
{
    for (int i = 0; i < N_QUALITY_CONSTANTS; i++) {
        const struct quality_constant_row *row = &quality_constant_rows[i];
        struct json_node *node = json_add_object(parent, row->key);
        json_add_number(node, "value", constants->value[i]);
        if (constants->sd[i] > 0)
            json_add_number(node, "sd", constants->sd[i]);
        if (row->unit[0] != '\0')
            json_add_string(node, "unit", row->unit);
        json_add_string(node, "what", row->what);
        json_add_string(node, "kind", row->kind);
        json_add_string(node, "source", row->source);
    }
}

static void write_coefficients(struct json_node *parent, const struct quality_law *law,
                               const struct quality_coefficient *names, int n, int first)
{
    int n_theta = quality_n_theta(law);
    for (int k = 0; k < n; k++) {
        int at = first + k;
        struct json_node *node = json_add_object(parent, names[k].name);
        json_add_number(node, "value", law->theta[at]);
        json_add_number(node, "sd", nine_digits(sqrt(law->covariance[at * n_theta + at])));
    }
}

static void write_range(struct json_node *parent, const char *key, double low, double high)
{
    struct json_node *range = json_add_array(parent, key);
    json_add_number(range, NULL, low);
    json_add_number(range, NULL, high);
}

static void write_recipe(struct json_node *node, const struct quality_law *law, int i)
{
    const struct quality_form *form = law->form;
    const struct quality_recipe *recipe = &law->recipes[i];
    json_add_string(node, "name", recipe->name);
    json_add_string(node, "ffn", recipe->gated ? "gated" : "plain");
    json_add_string(node, "level", recipe->accuracies ? "accuracies" : "loss");
    if (recipe->vocab > 0)
        json_add_int(node, "vocab", recipe->vocab);
    json_add_int(node, "rows", recipe->rows);
    json_add_int(node, "shapes", recipe->shapes);
    write_range(node, "block_params", recipe->params_min, recipe->params_max);
    write_range(node, "train_tokens", recipe->tokens_min, recipe->tokens_max);
    json_add_number(node, "error_frac", recipe->error_frac);
    json_add_string(node, "source", recipe->source);
    write_coefficients(json_add_object(node, "coefficients"), law, form->own, form->n_own,
                       form->n_shared + form->n_own * i);
}

static void write_layer_score(struct json_node *node, const struct layer_score *score)
{
    json_add_int(node, "rows", score->rows);
    json_add_number(node, "intercept", score->intercept);
    struct json_node *any = json_add_object(node, "any_layer");
    for (int i = 0; i < LAYER_SCORE_ANY; i++)
        json_add_number(any, layer_score_any[i], score->any[i]);
    struct json_node *first = json_add_array(node, "first_layers");
    for (int i = 0; i < LAYER_SCORE_FIRST; i++) {
        struct json_node *layer = json_add_object(first, NULL);
        for (int k = 0; k < LAYER_SCORE_PLACED; k++)
            json_add_number(layer, layer_score_placed[k], score->first[i][k]);
    }
    json_add_number(node, "spearman", score->spearman);
    json_add_number(node, "spearman_of_params", score->spearman_of_params);
    json_add_number(node, "pairs_right_frac", score->pairs_right_frac);
    json_add_string(node, "source",
                    "github:Evansika959/llmforge_code dataset_200M.csv (MIT; arXiv 2605.17653); "
                    "ten folds by distinct stack");
}

static void write_run(struct json_node *node, const struct quality_run *run)
{
    const struct quality_shape *s = &run->shape;
    json_add_string(node, "recipe", run->recipe);
    json_add_number(node, "d_model", s->d_model);
    json_add_number(node, "n_layers", s->n_layers);
    json_add_number(node, "repeats", s->repeats);
    json_add_number(node, "n_heads", s->n_heads);
    json_add_number(node, "n_kv_heads", s->n_kv_heads);
    json_add_number(node, "head_dim", s->d_head);
    json_add_number(node, "d_ff", s->d_ff);
    json_add_number(node, "vocab", s->vocab);
    json_add_bool(node, "gated", s->gated);
    json_add_bool(node, "tied", s->tied);
    json_add_bool(node, "shared_ffn", s->shared_ffn);
    json_add_number(node, "train_tokens", run->tokens);
    json_add_number(node, "val_loss", run->loss);
    json_add_number(node, "accuracy", run->accuracy);
}

static struct json_node *law_json(const struct quality_law *law, const struct quality_runs *own)
{
    int n = quality_n_theta(law);
    struct json_node *root = json_new_object();
    json_add_string(root, "format", QUALITY_LAW_FORMAT);
    json_add_int(root, "version", QUALITY_LAW_VERSION);
    json_add_string(root, "name", law->name);
    json_add_string(root, "kind", law->form->name);
    json_add_string(root, "formula", law->form->formula);
    json_add_int(root, "rows", law->rows);
    json_add_number(root, "cost", law->cost);
    struct json_node *error = json_add_object(root, "error");
    const char *held_out = "rows kept back while fitting: larger, longer, other recipes "
                           "(docs/quality.md)";
    if (!isnan(law->held_out_error_frac)) {
        write_value(error, "held_out_error_frac", law->held_out_error_frac, "fitted", held_out);
        write_value(error, "held_out_cover_frac", law->held_out_cover_frac, "fitted", held_out);
    }
    write_constants(json_add_object(root, "constants"), &law->constants);
    write_coefficients(json_add_object(root, "shared"), law, law->form->shared, law->form->n_shared,
                       0);
    struct json_node *recipes = json_add_array(root, "recipes");
    for (int i = 0; i < law->n_recipes; i++)
        write_recipe(json_add_object(recipes, NULL), law, i);
    struct json_node *covariance = json_add_array(root, "covariance");
    for (int i = 0; i < n; i++) {
        struct json_node *row = json_add_array(covariance, NULL);
        for (int j = 0; j <= i; j++)
            json_add_number(row, NULL, law->covariance[i * n + j]);
    }
    if (law->has_layer_score)
        write_layer_score(json_add_object(root, "layer_score"), &law->layer_score);
    struct json_node *runs = own == NULL || own->n == 0 ? NULL : json_add_array(root, "runs");
    for (size_t i = 0; own != NULL && i < own->n; i++)
        write_run(json_add_object(runs, NULL), &own->items[i]);
    return root;
}

enum status quality_law_write(const char *path, const struct quality_law *law,
                              const struct quality_runs *own, struct err *err)
{
    struct json_node *root = law_json(law, own);
    char *text = json_print(root);
    enum status status =
        text == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : file_write(path, text, err);
    memory_free(text);
    json_free(root);
    return status;
}
