#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"
#include "quality/scores.h"

/* The law's own runs and the published ones: what published forms are fitted to beside it. */
static enum status read_behind(const struct args *args, const struct quality_runs *own,
                               struct quality_runs *behind, struct err *err)
{
    char folder[QUALITY_PATH];
    enum status status = quality_data_folder(args, folder, err);
    if (status != STATUS_OK)
        return status;
    status = quality_runs_read_folder(folder, behind, NULL, err);
    for (size_t i = 0; i < own->n && status == STATUS_OK; i++)
        status = quality_runs_add(behind, &own->items[i], err);
    quality_runs_group(behind);
    return status;
}

static enum status summarise(const struct args *args, const struct quality_law *law,
                             const struct quality_runs *own, const struct quality_runs *runs,
                             const struct quality_prediction *predictions,
                             const struct quality_pairs *pairs, struct listing *out,
                             struct err *err)
{
    struct quality_runs behind = {0};
    struct quality_score scores[N_QUALITY_SCORES];
    enum status status = read_behind(args, own, &behind, err);
    if (status == STATUS_OK)
        status = quality_score_forms(law, &behind, runs, predictions, pairs, scores, err);
    quality_runs_release(&behind);
    if (status != STATUS_OK)
        return status;
    quality_mark_columns(out, false);
    for (int i = 0; i < N_QUALITY_SCORES; i++)
        list_quality_marks(out, scores[i].form, NULL, &scores[i].marks);
    return STATUS_OK;
}

static enum status print_runs(const struct args *args, const struct quality_law *law,
                              const struct quality_runs *own, const struct quality_runs *runs,
                              struct err *err)
{
    struct section sections[] = {
        {.key = "rows"}, {.key = "pairs", .json_only = true}, {.key = "summary"}};
    struct quality_pairs pairs = {0};
    struct quality_prediction *predictions = memory_new(runs->n, sizeof *predictions);
    enum status status = predictions != NULL
                             ? quality_pairs_of(runs->items, NULL, runs->n, &pairs, err)
                             : err_set(err, STATUS_NOMEM, "out of memory");
    if (status != STATUS_OK)
        goto out;
    quality_predict_runs(law, runs, predictions);
    status = summarise(args, law, own, runs, predictions, &pairs, &sections[2].listing, err);
    if (status != STATUS_OK)
        goto out;
    list_quality_rows(&sections[0].listing, runs, predictions);
    list_quality_pairs(&sections[1].listing, law, runs, predictions, &pairs);
    status = quality_print(args, law, sections, 3, stdout, err);
out:
    sections_release(sections, 3);
    memory_free(predictions);
    quality_pairs_release(&pairs);
    return status;
}

static enum status validate_runs(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_law *law = NULL;
    struct quality_runs own = {0}, runs = {0};
    enum status status = open_law(args, &law, &own, NULL, err);
    if (status == STATUS_OK)
        status = quality_read_operands(args, QUALITY_TO_PREDICT, law, &runs, notes, err);
    if (status == STATUS_OK)
        status = print_runs(args, law, &own, &runs, err);
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

/* One form on every split; `people` gets of rivals the headlines. */
static enum status list_form(const struct quality_runs *runs, const struct quality_form *form,
                             uint64_t seed, struct listing *all, struct listing *people,
                             struct err *err)
{
    struct quality_split splits[MAX_QUALITY_SPLITS];
    int n = 0;
    enum status status = quality_splits(runs, form, seed, splits, &n, err);
    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < n; i++) {
        list_quality_marks(all, form, splits[i].name, &splits[i].marks);
        if (form == &quality_floors || is_headline(splits[i].name))
            list_quality_marks(people, form, splits[i].name, &splits[i].marks);
    }
    return STATUS_OK;
}

/* Every form and the stand-in on every split. */
static enum status list_splits(const struct args *args, struct text *notes, struct listing *all,
                               struct listing *people, struct err *err)
{
    const struct quality_form *forms[N_QUALITY_SCORES] = {&quality_floors};
    struct quality_runs runs = {0};
    char folder[QUALITY_PATH];
    memcpy(forms + 1, quality_rivals, sizeof quality_rivals); /* and NULL: the stand-in */
    enum status status = quality_data_folder(args, folder, err);
    if (status != STATUS_OK)
        return status;
    status = quality_runs_read_folder(folder, &runs, notes, err);
    quality_mark_columns(all, true);
    quality_mark_columns(people, true);
    for (size_t i = 0; i < sizeof forms / sizeof *forms && status == STATUS_OK; i++)
        status = list_form(&runs, forms[i], (uint64_t)args_int(args, "seed", 1), all, people, err);
    quality_runs_release(&runs);
    return status;
}

/* The law on the paper's tables, which it never saw. */
static enum status list_paper(const struct quality_law *law, struct listing *of_sweep,
                              struct listing *of_comparisons, struct err *err)
{
    struct quality_comparison comparisons[MAX_QUALITY_COMPARISONS];
    struct quality_sweep sweep;
    int n = 0;
    enum status status = quality_paper_sweep(law, &sweep, err);
    if (status != STATUS_OK)
        return status;
    status = quality_paper_comparisons(law, comparisons, &n, err);
    if (status != STATUS_OK)
        return status;
    list_quality_sweep(of_sweep, &sweep);
    list_quality_comparisons(of_comparisons, comparisons, n);
    return STATUS_OK;
}

static enum status validate_splits(const struct args *args, struct text *notes, struct err *err)
{
    enum { ALL, PEOPLE, SWEEP, COMPARISONS, N_SECTIONS };
    struct section sections[N_SECTIONS] = {
        [ALL] = {.key = "splits", .json_only = true},
        [PEOPLE] = {.key = NULL},
        [SWEEP] = {.key = "sweep"},
        [COMPARISONS] = {.key = "comparisons"},
    };
    struct quality_law *law = NULL;
    enum status status =
        list_splits(args, notes, &sections[ALL].listing, &sections[PEOPLE].listing, err);
    if (status != STATUS_OK)
        goto out;
    status = open_law(args, &law, NULL, NULL, err);
    if (status != STATUS_OK)
        goto out;
    status = list_paper(law, &sections[SWEEP].listing, &sections[COMPARISONS].listing, err);
    if (status == STATUS_OK)
        status = quality_print(args, law, sections, N_SECTIONS, stdout, err);
out:
    sections_release(sections, N_SECTIONS);
    memory_free(law);
    return status;
}

enum status quality_validate_part(const struct args *args, struct text *notes, struct err *err)
{
    if (args_n_operands(args) == 1)
        return validate_splits(args, notes, err);
    if (args_given(args, "seed"))
        return err_set(err, STATUS_USAGE,
                       "no runs are drawn to validate RUNS.csv: leave out --seed");
    return validate_runs(args, notes, err);
}
