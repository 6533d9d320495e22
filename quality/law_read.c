/* Reading a law. Each function reads one object and refuses keys that it does not know. */
#include "quality/law_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "quality/cholesky.h"

enum { MAX_BYTES = 64 << 20 };

static const double huge = 1e30;

static enum status read_constants(const struct json *at, struct quality_constants *out,
                                  struct err *err)
{
    static const char *const known[] = {"value", "sd", "unit", "what", "kind", "source", NULL};
    const char *keys[N_QUALITY_CONSTANTS + 1] = {NULL};
    for (int i = 0; i < N_QUALITY_CONSTANTS; i++)
        keys[i] = quality_constant_rows[i].key;
    enum status status = json_only_keys(at, keys, err);
    for (int i = 0; i < N_QUALITY_CONSTANTS && status == STATUS_OK; i++) {
        struct json constant;
        status = json_get_object(at, keys[i], &constant, err);
        if (status == STATUS_OK)
            status = json_only_keys(&constant, known, err);
        if (status == STATUS_OK)
            status = json_get_number(&constant, "value", -huge, huge, &out->value[i], err);
        if (status == STATUS_OK)
            status = json_get_number_or(&constant, "sd", 0, huge, 0, &out->sd[i], err);
    }
    return status;
}

static enum status read_coefficients(const struct json *at, const struct quality_coefficient *names,
                                     int n, double *out, struct err *err)
{
    static const char *const known[] = {"value", "sd", NULL};
    const char *keys[QUALITY_SHARED + 1] = {NULL};
    for (int k = 0; k < n; k++)
        keys[k] = names[k].name;
    enum status status = json_only_keys(at, keys, err);
    for (int k = 0; k < n && status == STATUS_OK; k++) {
        struct json coefficient;
        status = json_get_object(at, keys[k], &coefficient, err);
        if (status == STATUS_OK)
            status = json_only_keys(&coefficient, known, err);
        if (status == STATUS_OK)
            status = json_get_number(&coefficient, "value", -100, 100, &out[k], err);
    }
    return status;
}

static enum status read_range(const struct json *object, const char *key, double *low, double *high,
                              struct err *err)
{
    struct json range;
    enum status status = json_get_array(object, key, &range, err);
    if (status == STATUS_OK && json_length(&range) != 2)
        status = json_error(&range, err, "expected the least and the most");
    if (status != STATUS_OK)
        return status;
    struct json first = json_element(&range, 0), second = json_element(&range, 1);
    status = json_number(&first, 1, huge, low, err);
    return status == STATUS_OK ? json_number(&second, *low, huge, high, err) : status;
}

static enum status get_word(const struct json *object, const char *key, const char *yes,
                            const char *no, bool *out, struct err *err)
{
    const char *word;
    enum status status = json_get_string(object, key, &word, err);
    if (status != STATUS_OK)
        return status;
    struct json at = json_member(object, key);
    *out = strcmp(word, yes) == 0;
    return *out || strcmp(word, no) == 0
               ? STATUS_OK
               : json_error(&at, err, "expected '%s' or '%s', found '%s'", yes, no, word);
}

static enum status get_count(const struct json *object, const char *key, int64_t least, int *out,
                             struct err *err)
{
    int64_t value = 0;
    enum status status = json_get_int_or(object, key, least, INT32_MAX, 0, &value, err);
    *out = (int)value;
    return status;
}

static enum status read_recipe(const struct json *at, struct quality_law *law, int i,
                               struct err *err)
{
    static const char *const known[] = {
        "name",   "ffn",          "level",        "vocab",        "rows",       "shapes",
        "source", "block_params", "train_tokens", "coefficients", "error_frac", NULL};
    struct quality_recipe *recipe = &law->recipes[i];
    const char *name, *source = "";
    struct json coefficients;
    enum status status = json_only_keys(at, known, err);
    *recipe = (struct quality_recipe){.rows = 0};
    if (status == STATUS_OK)
        status = json_get_string(at, "name", &name, err);
    if (status == STATUS_OK && (strlen(name) == 0 || strlen(name) >= sizeof recipe->name))
        status =
            json_error(at, err, "a recipe's name has 1 to %zu characters", sizeof recipe->name - 1);
    if (status == STATUS_OK && quality_find_recipe(law, name) >= 0)
        status = json_error(at, err, "recipe '%s' is there twice", name);
    if (status == STATUS_OK)
        status = get_word(at, "ffn", "gated", "plain", &recipe->gated, err);
    if (status == STATUS_OK)
        status = get_word(at, "level", "accuracies", "loss", &recipe->accuracies, err);
    if (status == STATUS_OK)
        status = get_count(at, "vocab", 1, &recipe->vocab, err);
    if (status == STATUS_OK)
        status = get_count(at, "rows", 1, &recipe->rows, err);
    if (status == STATUS_OK)
        status = get_count(at, "shapes", 1, &recipe->shapes, err);
    if (status == STATUS_OK)
        status = read_range(at, "block_params", &recipe->params_min, &recipe->params_max, err);
    if (status == STATUS_OK)
        status = read_range(at, "train_tokens", &recipe->tokens_min, &recipe->tokens_max, err);
    if (status == STATUS_OK)
        status = json_get_number_or(at, "error_frac", 0, 10, (double)NAN, &recipe->error_frac, err);
    if (status == STATUS_OK)
        status = json_get_string_or(at, "source", "", &source, err);
    if (status == STATUS_OK)
        status = json_get_object(at, "coefficients", &coefficients, err);
    if (status == STATUS_OK)
        status = read_coefficients(&coefficients, law->form->own, law->form->n_own,
                                   law->theta + law->form->n_shared + law->form->n_own * i, err);
    if (status != STATUS_OK)
        return status;
    snprintf(recipe->name, sizeof recipe->name, "%s", name);
    snprintf(recipe->source, sizeof recipe->source, "%s", source);
    return STATUS_OK;
}

static enum status read_recipes(const struct json *root, struct quality_law *law, struct err *err)
{
    struct json recipes;
    enum status status = json_get_array(root, "recipes", &recipes, err);
    if (status == STATUS_OK && json_length(&recipes) > QUALITY_RECIPES)
        status = json_error(&recipes, err, "more than %d recipes", QUALITY_RECIPES);
    law->n_recipes = 0;
    for (struct json at = json_first(&recipes); status == STATUS_OK && at.item != NULL;
         at = json_next(&at)) {
        status = read_recipe(&at, law, law->n_recipes, err);
        law->n_recipes += status == STATUS_OK ? 1 : 0;
    }
    return status;
}

static enum status read_covariance(const struct json *root, struct quality_law *law,
                                   struct err *err)
{
    struct json rows;
    int n = quality_n_theta(law), i = 0;
    enum status status = json_get_array(root, "covariance", &rows, err);
    if (status == STATUS_OK && json_length(&rows) != n)
        status = json_error(&rows, err, "expected %d rows, a coefficient each", n);
    if (status != STATUS_OK)
        return status;
    for (struct json row = json_first(&rows); status == STATUS_OK && row.item != NULL;
         row = json_next(&row), i++) {
        int j = 0;
        if (!json_is_array(&row) || json_length(&row) != i + 1)
            return json_error(&row, err, "expected %d numbers: the lower triangle", i + 1);
        for (struct json at = json_first(&row); status == STATUS_OK && at.item != NULL;
             at = json_next(&at), j++) {
            double value = 0;
            status = json_number(&at, -huge, huge, &value, err);
            law->covariance[i * n + j] = law->covariance[j * n + i] = value;
        }
    }
    double *factor = memory_new((size_t)n * (size_t)n, sizeof *factor);
    if (status == STATUS_OK && factor == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK) {
        memcpy(factor, law->covariance, (size_t)n * (size_t)n * sizeof *factor);
        if (!cholesky_factor(n, factor))
            status = json_error(&rows, err, "is not a covariance: not positive definite");
    }
    memory_free(factor);
    return status;
}

static enum status read_numbers(const struct json *object, const char *const *names, int n,
                                double *out, struct err *err)
{
    const char *keys[LAYER_SCORE_ANY + 1] = {NULL};
    memcpy(keys, names, (size_t)n * sizeof *names);
    enum status status = json_only_keys(object, keys, err);
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = json_get_number(object, names[i], -1e3, 1e3, &out[i], err);
    return status;
}

static enum status read_layer_score(const struct json *at, struct layer_score *out, struct err *err)
{
    static const char *const known[] = {"rows",     "intercept",          "any_layer",
                                        "spearman", "spearman_of_params", "pairs_right_frac",
                                        "source",   "first_layers",       NULL};
    struct json any, first;
    enum status status = json_only_keys(at, known, err);
    if (status == STATUS_OK)
        status = get_count(at, "rows", 1, &out->rows, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "intercept", -1e3, 1e3, &out->intercept, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "spearman", -1, 1, &out->spearman, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "spearman_of_params", -1, 1, &out->spearman_of_params, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "pairs_right_frac", 0, 1, &out->pairs_right_frac, err);
    if (status == STATUS_OK)
        status = json_get_object(at, "any_layer", &any, err);
    if (status == STATUS_OK)
        status = read_numbers(&any, layer_score_any, LAYER_SCORE_ANY, out->any, err);
    if (status == STATUS_OK)
        status = json_get_array(at, "first_layers", &first, err);
    if (status == STATUS_OK && json_length(&first) != LAYER_SCORE_FIRST)
        status = json_error(&first, err, "expected %d layers", LAYER_SCORE_FIRST);
    for (int i = 0; i < LAYER_SCORE_FIRST && status == STATUS_OK; i++) {
        struct json layer = json_element(&first, i);
        status = read_numbers(&layer, layer_score_placed, LAYER_SCORE_PLACED, out->first[i], err);
    }
    return status;
}

static enum status read_run(const struct json *at, struct quality_run *run, struct err *err)
{
    static const char *const known[] = {"recipe",       "d_model",    "n_layers", "repeats",
                                        "n_heads",      "n_kv_heads", "head_dim", "d_ff",
                                        "vocab",        "gated",      "tied",     "shared_ffn",
                                        "train_tokens", "val_loss",   "accuracy", NULL};
    const char *recipe;
    struct quality_shape *s = &run->shape;
    const struct {
        const char *key;
        double *out;
    } numbers[] = {
        {"d_model", &s->d_model}, {"n_layers", &s->n_layers},     {"repeats", &s->repeats},
        {"n_heads", &s->n_heads}, {"n_kv_heads", &s->n_kv_heads}, {"head_dim", &s->d_head},
        {"d_ff", &s->d_ff},       {"train_tokens", &run->tokens}};
    *run = (struct quality_run){.line = 0};
    enum status status = json_only_keys(at, known, err);
    if (status == STATUS_OK)
        status = json_get_string(at, "recipe", &recipe, err);
    if (status == STATUS_OK)
        snprintf(run->recipe, sizeof run->recipe, "%s", recipe);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == STATUS_OK; i++)
        status = json_get_number(at, numbers[i].key, 1e-3, huge, numbers[i].out, err);
    if (status == STATUS_OK)
        status = json_get_number(at, "vocab", 0, huge, &s->vocab, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(at, "gated", true, &s->gated, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(at, "tied", false, &s->tied, err);
    if (status == STATUS_OK)
        status = json_get_bool_or(at, "shared_ffn", false, &s->shared_ffn, err);
    if (status == STATUS_OK)
        status = json_get_number_or(at, "val_loss", 0, huge, (double)NAN, &run->loss, err);
    if (status == STATUS_OK)
        status = json_get_number_or(at, "accuracy", 0, 100, (double)NAN, &run->accuracy, err);
    return status;
}

static enum status read_runs(const struct json *root, struct quality_runs *own, struct err *err)
{
    struct json runs;
    struct json at = json_member(root, "runs");
    if (at.item == NULL || own == NULL)
        return STATUS_OK;
    enum status status = json_get_array(root, "runs", &runs, err);
    for (at = json_first(&runs); status == STATUS_OK && at.item != NULL; at = json_next(&at)) {
        struct quality_run run;
        status = read_run(&at, &run, err);
        if (status == STATUS_OK)
            status = quality_runs_add(own, &run, err);
    }
    return status;
}

static enum status read_error(const struct json *root, struct quality_law *law, struct err *err)
{
    static const char *const known[] = {"held_out_error_frac", "held_out_cover_frac", NULL};
    double *const out[] = {&law->held_out_error_frac, &law->held_out_cover_frac};
    struct json error;
    enum status status = json_get_object(root, "error", &error, err);
    if (status == STATUS_OK)
        status = json_only_keys(&error, known, err);
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        struct json at = json_member(&error, known[i]);
        *out[i] = (double)NAN;
        if (at.item != NULL)
            status = json_get_number(&at, "value", 0, 1, out[i], err);
    }
    return status;
}

static enum status read_head(const struct json *root, struct quality_law *law, struct err *err)
{
    static const char *const known[] = {
        "format",    "version", "name",    "kind",       "formula",     "rows", "cost", "error",
        "constants", "shared",  "recipes", "covariance", "layer_score", "runs", NULL};
    const char *word, *name = "";
    int64_t version;
    enum status status = STATUS_OK;
    if (!json_is_object(root))
        return json_error(root, err, "expected a law of loss: an object");
    status = json_get_string(root, "format", &word, err);
    if (status == STATUS_OK && strcmp(word, QUALITY_LAW_FORMAT) != 0)
        status = json_error(root, err, "is no law of loss: its format is '%s'", word);
    if (status == STATUS_OK)
        status =
            json_get_int(root, "version", QUALITY_LAW_VERSION, QUALITY_LAW_VERSION, &version, err);
    if (status == STATUS_OK)
        status = json_only_keys(root, known, err);
    if (status == STATUS_OK)
        status = json_get_string(root, "kind", &word, err);
    if (status == STATUS_OK && strcmp(word, quality_floors.name) != 0)
        status = json_error(root, err, "unknown kind of law '%s': expected '%s'", word,
                            quality_floors.name);
    if (status == STATUS_OK)
        status = json_get_string_or(root, "name", "", &name, err);
    if (status != STATUS_OK)
        return status;
    law->form = &quality_floors;
    snprintf(law->name, sizeof law->name, "%s", name);
    return STATUS_OK;
}

static enum status read_law(const struct json *root, struct quality_law *law,
                            struct quality_runs *own, struct err *err)
{
    struct json constants, shared;
    *law = (struct quality_law){.form = NULL};
    enum status status = read_head(root, law, err);
    if (status == STATUS_OK)
        status = get_count(root, "rows", 1, &law->rows, err);
    if (status == STATUS_OK)
        status = json_get_number_or(root, "cost", 0, huge, (double)NAN, &law->cost, err);
    if (status == STATUS_OK)
        status = read_error(root, law, err);
    if (status == STATUS_OK)
        status = json_get_object(root, "constants", &constants, err);
    if (status == STATUS_OK)
        status = read_constants(&constants, &law->constants, err);
    if (status == STATUS_OK)
        status = json_get_object(root, "shared", &shared, err);
    if (status == STATUS_OK)
        status =
            read_coefficients(&shared, law->form->shared, law->form->n_shared, law->theta, err);
    if (status == STATUS_OK)
        status = read_recipes(root, law, err);
    if (status == STATUS_OK)
        status = read_covariance(root, law, err);
    struct json score = json_member(root, "layer_score");
    law->has_layer_score = score.item != NULL;
    if (status == STATUS_OK && law->has_layer_score)
        status = read_layer_score(&score, &law->layer_score, err);
    return status == STATUS_OK ? read_runs(root, own, err) : status;
}

enum status quality_law_parse(const char *name, const char *text, struct quality_law *law,
                              struct quality_runs *own, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse(name, text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK)
        status = read_law(&root, law, own, err);
    json_close(doc);
    return status;
}

enum status quality_law_read(const char *path, struct quality_law *law, struct quality_runs *own,
                             char **text, struct err *err)
{
    char *bytes = NULL;
    int64_t length;
    enum status status = file_read(path, MAX_BYTES, &bytes, &length, err);
    if (status == STATUS_OK)
        status = quality_law_parse(path, bytes, law, own, err);
    if (text != NULL)
        *text = bytes;
    else
        memory_free(bytes);
    return status;
}
