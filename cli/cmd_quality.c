#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "cli/commands.h"
#include "cli/quality_listing.h"
#include "quality/law_file.h"
#include "quality/law_fit.h"
#include "quality/rivals.h"

enum { DATA_PATH = 4096 };

/* The folder of --data, else the one that came along. */
static enum status data_folder(const struct args *args, char path[DATA_PATH], struct err *err)
{
    if (!args_given(args, "data"))
        return file_data_path("quality", path, DATA_PATH, err);
    snprintf(path, DATA_PATH, "%s", args_text(args, "data"));
    return STATUS_OK;
}

/* The law of --law, else the one that came along. */
static enum status open_law(const struct args *args, struct quality_law **law,
                            struct quality_runs *own, struct err *err)
{
    char path[DATA_PATH];
    *law = memory_new(1, sizeof **law);
    if (*law == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    if (args_given(args, "law"))
        return quality_law_read(args_text(args, "law"), *law, own, err);
    enum status status = file_data_path("quality/law.json", path, sizeof path, err);
    return status == STATUS_OK ? quality_law_read(path, *law, own, err) : status;
}

struct section {
    const char *key; /* NULL: for people only */
    struct listing listing;
    bool json_only;
};

/* The sections one below the other, or as one object; releases them. */
static enum status print_sections(struct section *sections, int n, struct json_node *root,
                                  FILE *out, struct err *err)
{
    enum status status = STATUS_OK;
    bool first = true;
    for (int i = 0; i < n; i++) {
        struct listing *listing = &sections[i].listing;
        if (root != NULL && sections[i].key != NULL) {
            struct json_node *array = json_add_array(root, sections[i].key);
            for (size_t row = 0; row < listing_rows(listing); row++)
                listing_row_json(listing, row, json_add_object(array, NULL));
        } else if (root == NULL && !sections[i].json_only && status == STATUS_OK) {
            if (!first)
                fprintf(out, "\n");
            status = listing_print(listing, out, err);
            first = false;
        }
    }
    for (int i = 0; i < n; i++)
        listing_release(&sections[i].listing);
    return root != NULL ? print_json(root, out, err) : status;
}

static struct json_node *json_root(const struct args *args, const struct quality_law *law)
{
    if (!args_flag(args, "json"))
        return NULL;
    struct json_node *root = json_new_object();
    if (law != NULL) {
        json_add_string(root, "name", law->name);
        json_add_string(root, "kind", law->form->name);
        json_add_string(root, "formula", law->form->formula);
    }
    return root;
}

/* Where each recipe's losses are from, of a folder's sources.csv if it has one. */
static enum status read_sources(const char *folder, struct quality_law *law, struct err *err)
{
    char path[DATA_PATH + 16];
    struct csv *csv = NULL;
    int recipe, source;
    snprintf(path, sizeof path, "%s/sources.csv", folder);
    if (!file_exists(path))
        return STATUS_OK;
    enum status status = csv_open(path, &csv, err);
    if (status == STATUS_OK)
        status = csv_column(csv, "recipe", &recipe, err);
    if (status == STATUS_OK)
        status = csv_column(csv, "source", &source, err);
    for (int row = 0; status == STATUS_OK && row < csv_n_rows(csv); row++) {
        int i = quality_find_recipe(law, csv_text(csv, row, recipe));
        if (i >= 0)
            snprintf(law->recipes[i].source, sizeof law->recipes[i].source, "%.230s",
                     csv_text(csv, row, source));
    }
    csv_close(csv);
    return status;
}

/* The error of rows kept back, where a folder has the recipes that the split knows. */
static enum status judge_folder(const struct quality_runs *runs, struct quality_law *law,
                                struct err *err)
{
    struct quality_marks marks = {.error_frac = (double)NAN, .cover_frac = (double)NAN};
    bool *kept = memory_new(runs->n, sizeof *kept);
    size_t n = 0;
    if (kept == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    quality_kept_back(runs, kept);
    for (size_t i = 0; i < runs->n; i++)
        n += kept[i] ? 1 : 0;
    enum status status =
        n > 0 && n < runs->n ? quality_judge(runs, law->form, kept, kept, &marks, err) : STATUS_OK;
    law->held_out_error_frac = marks.error_frac;
    law->held_out_cover_frac = marks.cover_frac;
    memory_free(kept);
    return status;
}

static enum status fit_folder(const struct args *args, struct quality_law *law, struct text *notes,
                              struct err *err)
{
    struct quality_runs runs = {0};
    char folder[DATA_PATH], stacks[DATA_PATH + 16];
    *law = (struct quality_law){.form = &quality_floors, .name = "lathe's law of loss"};
    quality_constants_default(&law->constants);
    enum status status = data_folder(args, folder, err);
    if (status == STATUS_OK)
        status = quality_runs_read_folder(folder, &runs, notes, err);
    if (status == STATUS_OK)
        status = quality_fit(runs.items, NULL, runs.n, NULL, law, err);
    if (status == STATUS_OK)
        status = read_sources(folder, law, err);
    if (status == STATUS_OK)
        status = judge_folder(&runs, law, err);
    snprintf(stacks, sizeof stacks, "%s/llmforge.csv", folder);
    if (status == STATUS_OK && file_exists(stacks)) {
        status = layer_score_fit(stacks, &law->layer_score, err);
        law->has_layer_score = status == STATUS_OK;
    }
    quality_runs_release(&runs);
    return status;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Rows that the fitted law is more than ten times its row error away from. */
static void note_outliers(const struct quality_law *law, const struct quality_runs *runs,
                          size_t first, struct text *notes)
{
    for (size_t i = first; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        struct quality_point point;
        int recipe = quality_find_recipe(law, run->recipe);
        if (recipe < 0 || !(run->loss > 0))
            continue;
        quality_point_of(law, recipe, &run->shape, run->tokens, &point);
        double miss = run->loss / quality_loss(law, recipe, &point, NULL) - 1;
        if (fabs(miss) > 10 * law->constants.value[QUALITY_SIGMA])
            text_addf(notes,
                      "line %d: a loss of %g is %.1f %% %s what the law and the other rows "
                      "say: it counts little\n",
                      run->line, run->loss, 100 * fabs(miss), miss > 0 ? "above" : "below");
    }
}

/* Takes runs from `first` on that stand before it, too: a law counts a loss once. */
static void drop_known(struct quality_runs *runs, size_t first, struct text *notes)
{
    size_t kept = first;
    for (size_t i = first; i < runs->n; i++) {
        const struct quality_run *run = &runs->items[i];
        bool known = false;
        for (size_t k = 0; k < first && !known; k++)
            known = runs->items[k].group == run->group && runs->items[k].tokens == run->tokens &&
                    (runs->items[k].loss == run->loss || isnan(run->loss));
        if (known)
            text_addf(notes, "line %d: this run is behind the law already\n", run->line);
        else
            runs->items[kept++] = *run;
    }
    runs->n = kept;
}

/* Own runs over a law: its mean and covariance are the prior. */
static enum status fit_own(const struct args *args, struct quality_law *law,
                           struct quality_runs *own, struct text *notes, struct err *err)
{
    size_t first = own->n;
    enum status status = STATUS_OK;
    for (int i = 1; i < args_n_operands(args) && status == STATUS_OK; i++)
        status = quality_runs_read(args_operand(args, i), QUALITY_TO_FIT, law, own, notes, err);
    int known = law->n_recipes;
    if (status == STATUS_OK)
        drop_known(own, first, notes);
    if (status == STATUS_OK)
        status = quality_fit(own->items + first, NULL, own->n - first, law, law, err);
    for (int i = known; i < law->n_recipes && status == STATUS_OK; i++)
        snprintf(law->recipes[i].source, sizeof law->recipes[i].source, "own runs: %.200s",
                 base_name(args_operand(args, 1)));
    if (status == STATUS_OK)
        note_outliers(law, own, first, notes);
    return status;
}

static enum status run_fit(const struct args *args, struct text *notes, struct err *err)
{
    bool own_runs = args_n_operands(args) > 1;
    bool to_stdout = args_given(args, "out") && strcmp(args_text(args, "out"), "-") == 0;
    struct quality_law *law = NULL;
    struct quality_runs own = {0};
    enum status status = STATUS_OK;
    if (own_runs == args_given(args, "data"))
        return err_set(err, STATUS_USAGE,
                       "quality fit takes either RUNS.csv, over a law, or --data FOLDER");
    if (own_runs) {
        status = open_law(args, &law, &own, err);
    } else {
        law = memory_new(1, sizeof *law);
        if (law == NULL)
            status = err_set(err, STATUS_NOMEM, "out of memory");
    }
    if (status == STATUS_OK)
        status =
            own_runs ? fit_own(args, law, &own, notes, err) : fit_folder(args, law, notes, err);
    if (status == STATUS_OK) {
        quality_law_round(law);
        if (args_given(args, "out"))
            status = quality_law_write(args_text(args, "out"), law, &own, err);
    }
    if (status == STATUS_OK) {
        struct section sections[] = {{.key = "recipes"}, {.key = "coefficients"}};
        list_quality_recipes(&sections[0].listing, law);
        list_quality_coefficients(&sections[1].listing, law);
        status =
            print_sections(sections, 2, json_root(args, law), to_stdout ? stderr : stdout, err);
    }
    quality_runs_release(&own);
    memory_free(law);
    return status;
}

/* A published form on the rows behind the law: those of the folder whose recipe it has, and its own
 * runs; marked on `runs`. */
static enum status mark_rival(const struct quality_runs *behind, const bool *used,
                              const struct quality_form *form, const struct quality_runs *runs,
                              const struct quality_pairs *pairs, struct quality_marks *marks,
                              struct err *err)
{
    struct quality_law *law = memory_new(1, sizeof *law);
    struct quality_prediction *predictions = memory_new(runs->n, sizeof *predictions);
    enum status status = STATUS_OK;
    if (law == NULL || predictions == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK) {
        law->form = form;
        quality_constants_default(&law->constants);
        status = quality_fit(behind->items, used, behind->n, NULL, law, err);
    }
    for (size_t i = 0; i < runs->n && status == STATUS_OK; i++)
        if (runs->items[i].tokens > 0)
            quality_predict(law, quality_find_recipe(law, runs->items[i].recipe),
                            &runs->items[i].shape, runs->items[i].tokens, &predictions[i]);
    if (status == STATUS_OK)
        quality_mark(law, predictions, runs->items, NULL, runs->n, pairs, marks);
    memory_free(predictions);
    memory_free(law);
    return status;
}

/* The law, the published forms and the stand-in, on the same rows. */
static enum status summarise(const struct args *args, const struct quality_law *law,
                             const struct quality_runs *own, const struct quality_runs *runs,
                             const struct quality_prediction *predictions,
                             const struct quality_pairs *pairs, struct listing *out,
                             struct err *err)
{
    struct quality_runs behind = {0};
    struct quality_marks marks;
    char folder[DATA_PATH];
    enum status status = data_folder(args, folder, err);
    if (status == STATUS_OK)
        status = quality_runs_read_folder(folder, &behind, NULL, err);
    for (size_t i = 0; i < own->n && status == STATUS_OK; i++)
        status = quality_runs_add(&behind, &own->items[i], err);
    bool *used = memory_new(behind.n, sizeof *used);
    if (status == STATUS_OK && used == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < behind.n && status == STATUS_OK; i++)
        used[i] = quality_find_recipe(law, behind.items[i].recipe) >= 0;
    quality_runs_group(&behind);
    quality_mark_columns(out, false);
    quality_mark(law, predictions, runs->items, NULL, runs->n, pairs, &marks);
    list_quality_marks(out, law->form, NULL, &marks);
    for (int i = 0; i < N_QUALITY_RIVALS && status == STATUS_OK; i++) {
        status = mark_rival(&behind, used, quality_rivals[i], runs, pairs, &marks, err);
        if (status == STATUS_OK)
            list_quality_marks(out, quality_rivals[i], NULL, &marks);
    }
    quality_mark(NULL, NULL, runs->items, NULL, runs->n, pairs, &marks);
    list_quality_marks(out, NULL, NULL, &marks);
    memory_free(used);
    quality_runs_release(&behind);
    return status;
}

static enum status validate_runs(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_law *law = NULL;
    struct quality_runs own = {0}, runs = {0};
    struct quality_pairs pairs = {0};
    struct quality_prediction *predictions = NULL;
    struct section sections[] = {
        {.key = "rows"}, {.key = "pairs", .json_only = true}, {.key = "summary"}};
    enum status status = open_law(args, &law, &own, err);
    for (int i = 1; i < args_n_operands(args) && status == STATUS_OK; i++)
        status =
            quality_runs_read(args_operand(args, i), QUALITY_TO_PREDICT, law, &runs, notes, err);
    if (status == STATUS_OK)
        status = quality_pairs_of(runs.items, NULL, runs.n, &pairs, err);
    predictions = memory_new(runs.n, sizeof *predictions);
    if (status == STATUS_OK && predictions == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < runs.n && status == STATUS_OK; i++)
        if (runs.items[i].tokens > 0)
            quality_predict(law, quality_find_recipe(law, runs.items[i].recipe),
                            &runs.items[i].shape, runs.items[i].tokens, &predictions[i]);
    if (status == STATUS_OK)
        status = summarise(args, law, &own, &runs, predictions, &pairs, &sections[2].listing, err);
    if (status == STATUS_OK) {
        list_quality_rows(&sections[0].listing, &runs, predictions);
        list_quality_pairs(&sections[1].listing, law, &runs, predictions, &pairs);
        status = print_sections(sections, 3, json_root(args, law), stdout, err);
    }
    memory_free(predictions);
    quality_pairs_release(&pairs);
    quality_runs_release(&runs);
    quality_runs_release(&own);
    memory_free(law);
    return status;
}

/* What people see of a rival: the splits that all can be compared on. */
static bool is_headline(const char *split)
{
    static const char *const names[] = {"kept back", "larger only", "longer only",
                                        "one shape left out", "mean of new recipes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(split, names[i]) == 0)
            return true;
    return false;
}

/* Every form and the stand-in on every split; `people` gets of rivals the headlines. */
static enum status list_splits(const struct args *args, struct text *notes, struct listing *all,
                               struct listing *people, struct err *err)
{
    const struct quality_form *forms[N_QUALITY_RIVALS + 2] = {&quality_floors};
    struct quality_split splits[MAX_QUALITY_SPLITS];
    struct quality_runs runs = {0};
    char folder[DATA_PATH];
    memcpy(forms + 1, quality_rivals, sizeof quality_rivals); /* and NULL: the stand-in */
    enum status status = data_folder(args, folder, err);
    if (status == STATUS_OK)
        status = quality_runs_read_folder(folder, &runs, notes, err);
    quality_mark_columns(all, true);
    quality_mark_columns(people, true);
    for (size_t i = 0; i < sizeof forms / sizeof *forms && status == STATUS_OK; i++) {
        int n = 0;
        status =
            quality_splits(&runs, forms[i], (uint64_t)args_int(args, "seed", 1), splits, &n, err);
        for (int k = 0; k < n && status == STATUS_OK; k++) {
            list_quality_marks(all, forms[i], splits[k].name, &splits[k].marks);
            if (i == 0 || is_headline(splits[k].name))
                list_quality_marks(people, forms[i], splits[k].name, &splits[k].marks);
        }
    }
    quality_runs_release(&runs);
    return status;
}

/* The splits, and the law on the paper's tables, which it never saw. */
static enum status validate_splits(const struct args *args, struct text *notes, struct err *err)
{
    struct section sections[] = {{.key = "splits", .json_only = true},
                                 {.key = NULL},
                                 {.key = "sweep"},
                                 {.key = "comparisons"}};
    struct quality_comparison comparisons[MAX_QUALITY_COMPARISONS];
    struct quality_sweep sweep;
    struct quality_law *law = NULL;
    int n = 0;
    enum status status = list_splits(args, notes, &sections[0].listing, &sections[1].listing, err);
    if (status == STATUS_OK)
        status = open_law(args, &law, NULL, err);
    if (status == STATUS_OK)
        status = quality_paper_sweep(law, &sweep, err);
    if (status == STATUS_OK)
        status = quality_paper_comparisons(law, comparisons, &n, err);
    if (status == STATUS_OK) {
        list_quality_sweep(&sections[2].listing, &sweep);
        list_quality_comparisons(&sections[3].listing, comparisons, n);
        status = print_sections(sections, 4, json_root(args, law), stdout, err);
    } else {
        listing_release(&sections[0].listing);
        listing_release(&sections[1].listing);
    }
    memory_free(law);
    return status;
}

static enum status run_validate(const struct args *args, struct text *notes, struct err *err)
{
    return args_n_operands(args) > 1 ? validate_runs(args, notes, err)
                                     : validate_splits(args, notes, err);
}

static enum status run_show(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_law *law = NULL;
    struct section sections[] = {{.key = "recipes"}, {.key = "coefficients"}, {.key = "terms"}};
    (void)notes;
    enum status status = open_law(args, &law, NULL, err);
    if (status == STATUS_OK) {
        struct json_node *root = json_root(args, law);
        if (root != NULL) {
            json_add_int(root, "rows", law->rows);
            json_add_number(root, "held_out_error_frac", law->held_out_error_frac);
            json_add_number(root, "held_out_cover_frac", law->held_out_cover_frac);
            struct json_node *untold = json_add_array(root, "untold");
            for (const char *const *line = quality_untold; *line != NULL; line++)
                json_add_string(untold, NULL, *line);
        } else {
            printf(
                "%s, of %d losses; rows kept back: error %.2f %%, %.0f %% in the 90 %% interval\n"
                "%s\n\n",
                law->name, law->rows, 100 * law->held_out_error_frac,
                100 * law->held_out_cover_frac, law->form->formula);
        }
        list_quality_recipes(&sections[0].listing, law);
        list_quality_coefficients(&sections[1].listing, law);
        list_quality_terms(&sections[2].listing, law);
        bool people = root == NULL;
        status = print_sections(sections, 3, root, stdout, err);
        if (people && status == STATUS_OK)
            printf("\nno data tell:\n");
        for (const char *const *line = quality_untold; people && *line != NULL; line++)
            printf("  %s\n", *line);
    }
    memory_free(law);
    return status;
}

static void print_plan(const struct args *args, const struct quality_plan *plan,
                       const struct training_gpu *gpu)
{
    printf("%d networks of 4 to 62 layers at %s parameters and %s tokens: their differences to the "
           "best are known to +-%.3f nats (90 %%).\nTraining them all would take %.0f GPU-hours of "
           "%s.\n\n",
           plan->n_contenders, args_text(args, "budget"), args_text(args, "tokens"),
           plan->half_nats, plan->contenders_gpu_hours, gpu->title);
}

static enum status run_probe(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_next_run picked[MAX_QUALITY_NEXT_RUNS];
    const struct training_gpu *gpu = NULL;
    struct quality_law *law = NULL;
    struct budget budget;
    int n = 0;
    (void)notes;
    enum status status = parse_budget(args_text(args, "budget"), &budget, err);
    if (status == STATUS_OK)
        status = training_gpu_find(args_text(args, "gpu"), &gpu, err);
    if (status == STATUS_OK)
        status = open_law(args, &law, NULL, err);
    struct quality_plan plan = {
        .total_params = status == STATUS_OK ? (double)budget.target : 0,
        .tokens = (double)args_int(args, "tokens", 0),
        .vocab = (double)args_int(args, "vocab", 0),
        .tied = args_flag(args, "tied"),
    };
    if (status == STATUS_OK)
        status = quality_next_runs(law, args_text(args, "recipe"), gpu,
                                   (double)args_int(args, "max-gpu-hours", 0), &plan,
                                   (int)args_int(args, "runs", 0), picked, &n, err);
    if (status == STATUS_OK) {
        struct section section = {.key = "runs"};
        struct json_node *root = json_root(args, law);
        list_quality_next_runs(&section.listing, picked, n);
        if (root != NULL) {
            json_add_int(root, "tokens", args_int(args, "tokens", 0));
            json_add_number(root, "half_nats_before", plan.half_nats);
            json_add_string(root, "gpu", gpu->title);
            json_add_number(root, "contenders_gpu_hours", plan.contenders_gpu_hours);
        } else {
            print_plan(args, &plan, gpu);
        }
        status = print_sections(&section, 1, root, stdout, err);
    }
    memory_free(law);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    static const struct {
        const char *name;
        enum status (*run)(const struct args *args, struct text *notes, struct err *err);
        int max_operands;
    } parts[] = {{"fit", run_fit, 256},
                 {"validate", run_validate, 256},
                 {"show", run_show, 1},
                 {"probe", run_probe, 1}};
    const char *name = args_operand(args, 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct text notes = {0};
        if (strcmp(name, parts[i].name) != 0)
            continue;
        if (args_n_operands(args) > parts[i].max_operands)
            return err_set(err, STATUS_USAGE, "quality %s takes no file", name);
        enum status status = parts[i].run(args, &notes, err);
        if (notes.data != NULL)
            warn_lines(args, notes.data);
        text_release(&notes);
        return status;
    }
    return err_set(err, STATUS_USAGE, "unknown part '%s': expected fit, validate, show or probe",
                   name);
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "data", "FOLDER", NULL, "@file",
        "tables of published runs; fit: fits them; validate: what published laws are fitted to"),
    ROW(OPTION_TEXT, "law", "FILE", NULL, "@file",
        "a law that fit wrote; default: the one that came along"),
    ROW(OPTION_TEXT, "out", "FILE", NULL, "@file",
        "fit: law to write; '-' is standard output (the tables then go to standard error)"),
    ROW_RANGE(OPTION_INT, "runs", "N", "3", 1, MAX_QUALITY_NEXT_RUNS,
              "probe: how many runs to propose"),
    ROW(OPTION_TEXT, "recipe", "NAME", NULL, NULL,
        "probe: whose runs they are; default: a recipe without losses"),
    ROW(OPTION_TEXT, "budget", "N", "125M", NULL,
        "probe: parameters of the networks to choose from"),
    ROW_RANGE(OPTION_COUNT, "tokens", "N", "1T", 1, INT64_C(1) << 60,
              "probe: tokens they will be trained on"),
    ROW_RANGE(OPTION_COUNT, "vocab", "N", "32000", 1, 10000000, "probe: their vocabulary"),
    ROW_FLAG("tied", "probe: one table for both ends"),
    ROW(OPTION_TEXT, "gpu", "NAME", "a100", "a100 h100 l40s v100 rtx4090",
        "probe: what trains them"),
    ROW_RANGE(OPTION_COUNT, "max-gpu-hours", "N", "50", 1, 1000000,
              "probe: the most that one run may take"),
    ROW_RANGE(OPTION_INT, "seed", "N", "1", 0, INT64_MAX,
              "validate: where the draws of given runs start"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe quality show", "coefficients and terms, each with interval and source"},
    {"lathe quality validate", "errors on rows kept back, beside published laws"},
    {"lathe quality fit --data data/quality --out law.json", "the law that came along, again"},
    {"lathe quality fit runs.csv --out mine.json", "your own runs over it"},
    {"lathe quality validate more.csv --law mine.json --json", "what it says of others"},
    {"lathe quality probe --runs 3 --budget 350M", "which small runs to train first"},
    {NULL, NULL},
};

const struct command cmd_quality = {
    .name = "quality",
    .summary = "what a network is worth: a law of loss, with error bars",
    .operands = "fit|validate|show|probe [RUNS.csv]...",
    .operand_values = "fit validate show probe",
    .min_operands = 1,
    .max_operands = 257,
    .options = options,
    .examples = examples,
    .about =
        "A law of the loss (nats a token) by shape and training tokens, fitted to published runs. "
        "Losses are compared inside one recipe (tokeniser, data, schedule) only. RUNS.csv has the "
        "columns recipe d_model n_layers n_heads n_kv_heads head_dim d_ff vocab train_tokens "
        "val_loss, or config (a config.json) in place of the shape; also tied (yes, no), ffn "
        "(gated, "
        "plain), repeats, and accuracy (percent) for fit where there is no loss. The recipe is one "
        "of the law's or a new name: two runs of a new recipe are needed, three bring the error to "
        "about 0.7 %. validate prints each row's prediction with its 90 % interval in the order "
        "given; --json has the pairs at equal budget too (a, b: rows counted from 0; difference a "
        "minus b; the probability that a has the lower loss). Rows that cannot be used are named "
        "on "
        "standard error.",
    .run = run,
};
