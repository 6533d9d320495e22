#include "quality/runs_doubts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "quality/law_fit.h"

void runs_note(struct text *notes, const struct quality_run *run, const char *message)
{
    if (notes != NULL)
        text_addf(notes, "%s%sline %d: %s\n", run->file, run->file[0] != '\0' ? ": " : "",
                  run->line, message);
}

bool quality_same_run(const struct quality_run *a, const struct quality_run *b)
{
    const struct quality_shape *s = &a->shape, *t = &b->shape;
    return strcmp(a->recipe, b->recipe) == 0 && s->d_model == t->d_model &&
           s->n_layers == t->n_layers && s->n_heads == t->n_heads &&
           s->n_kv_heads == t->n_kv_heads && s->d_head == t->d_head && s->d_ff == t->d_ff &&
           s->gated == t->gated && s->tied == t->tied && s->repeats == t->repeats &&
           s->shared_ffn == t->shared_ffn;
}

/* Takes a row's value away; rows to be fitted go with it. */
static void take_away(const struct runs_source *source, struct quality_run *run)
{
    run->loss = run->accuracy = NAN;
    if (source->purpose == QUALITY_TO_FIT)
        run->tokens = NAN;
}

static void refuse(const struct runs_source *source, struct quality_run *run, const char *why)
{
    runs_note(source->notes, run, why);
    take_away(source, run);
}

/* The vocabulary that most rows of this recipe have. */
static double usual_vocab(const struct quality_run *runs, size_t n, const char *recipe)
{
    double usual = 0;
    size_t most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        bool again = i > 0 && runs[i].shape.vocab == runs[i - 1].shape.vocab;
        if (strcmp(runs[i].recipe, recipe) != 0 || !(runs[i].shape.vocab > 0) ||
            (again && strcmp(runs[i - 1].recipe, recipe) == 0))
            continue;
        for (size_t j = 0; j < n; j++)
            same +=
                strcmp(runs[j].recipe, recipe) == 0 && runs[j].shape.vocab == runs[i].shape.vocab;
        if (same > most) {
            most = same;
            usual = runs[i].shape.vocab;
        }
    }
    return usual;
}

static void refuse_other_vocabulary(const struct runs_source *source, struct quality_run *run,
                                    double usual)
{
    char why[256];
    if (isnan(run->tokens) || !(run->shape.vocab > 0) || run->shape.vocab == usual)
        return;
    snprintf(why, sizeof why,
             "vocabulary %.0f under recipe '%s', which has %.0f: losses of two tokenisers are not "
             "compared",
             run->shape.vocab, run->recipe, usual);
    refuse(source, run, why);
}

/* Two tokenisers under one name: the usual one's rows stay. */
static void refuse_vocabularies(const struct runs_source *source, struct quality_run *runs,
                                size_t n)
{
    char recipe[sizeof runs->recipe] = "";
    double usual = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(runs[i].recipe, recipe) != 0) { /* rows of a recipe stand together */
            snprintf(recipe, sizeof recipe, "%s", runs[i].recipe);
            int known =
                source->law == NULL ? QUALITY_NO_RECIPE : quality_find_recipe(source->law, recipe);
            usual = known >= 0 && source->law->recipes[known].vocab > 0
                        ? source->law->recipes[known].vocab
                        : usual_vocab(runs, n, recipe);
        }
        refuse_other_vocabulary(source, &runs[i], usual);
    }
}

/* One recipe, shape and token count with losses 3 % apart. */
static void refuse_contradictions(const struct runs_source *source, struct quality_run *runs,
                                  size_t n)
{
    bool *bad = memory_new(n, sizeof *bad);
    for (size_t i = 0; i < n && bad != NULL; i++)
        for (size_t j = 0; j < n; j++) {
            bool same =
                i != j && quality_same_run(&runs[i], &runs[j]) && runs[i].tokens == runs[j].tokens;
            char why[256];
            if (!same || !(fabs(log(runs[i].loss / runs[j].loss)) > 0.03) || bad[i])
                continue;
            bool one_file = strcmp(runs[i].file, runs[j].file) == 0;
            snprintf(why, sizeof why, "a loss of %g contradicts %g of the same run in %s%sline %d",
                     runs[i].loss, runs[j].loss, one_file ? "" : runs[j].file, one_file ? "" : ", ",
                     runs[j].line);
            runs_note(source->notes, &runs[i], why);
            bad[i] = true;
        }
    for (size_t i = 0; i < n && bad != NULL; i++)
        if (bad[i])
            take_away(source, &runs[i]);
    memory_free(bad);
}

/* What else the losses of a recipe may be, from how many times what the law says they are in the
 * median: 1.44 times, bits; far less, bits a byte. Of recipes that it does not know the six were
 * 0.70 to 1.02 times, which leaves wide gaps. NULL: nothing else. */
static const char *other_unit(const struct quality_law *law, const struct quality_run *runs,
                              size_t n, const char *name)
{
    double *ratio = memory_new(n, sizeof *ratio);
    int recipe = quality_find_recipe(law, name);
    size_t k = 0;
    for (size_t i = 0; i < n && ratio != NULL; i++) {
        struct quality_point point;
        if (strcmp(runs[i].recipe, name) != 0 || isnan(runs[i].tokens) || !(runs[i].loss > 0) ||
            runs[i].tokens < QUALITY_MIN_TOKENS || runs[i].in_nats)
            continue;
        quality_point_of(law, recipe, &runs[i].shape, runs[i].tokens, &point);
        ratio[k++] = runs[i].loss / quality_loss(law, recipe, &point, NULL);
    }
    double median = k > 0 ? stats_median(ratio, k) : 1;
    memory_free(ratio);
    if (recipe >= 0 ? median > 1.3 && median < 1.6 : median > 1.2 && median < 1.75)
        return "far above what is likely: in bits? give nats (bits x 0.693)";
    if (median < (recipe >= 0 ? 0.7 : 0.5))
        return "far below what is likely: bits a byte? give nats a token";
    return NULL;
}

static void refuse_units(const struct runs_source *source, struct quality_run *runs, size_t n)
{
    for (size_t i = 0; i < n && source->law != NULL; i++) {
        char why[256];
        bool first = isfinite(runs[i].loss) && !isnan(runs[i].tokens) && !runs[i].in_nats;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(runs[j].recipe, runs[i].recipe) != 0 || isnan(runs[j].loss) ||
                    runs[j].in_nats;
        const char *unit = first ? other_unit(source->law, runs, n, runs[i].recipe) : NULL;
        if (unit == NULL)
            continue;
        snprintf(why, sizeof why,
                 "the losses of recipe '%s' are %s, or call the column val_loss_nats if they are",
                 runs[i].recipe, unit);
        runs_note(source->notes, &runs[i], why);
        for (size_t j = n; j-- > i;)
            if (strcmp(runs[j].recipe, runs[i].recipe) == 0 && !runs[j].in_nats)
                take_away(source, &runs[j]);
    }
}

static bool has_loss(const struct runs_source *source, const struct quality_run *runs, size_t n,
                     const char *name)
{
    int recipe = source->law == NULL ? QUALITY_NO_RECIPE : quality_find_recipe(source->law, name);
    if (recipe >= 0 && !source->law->recipes[recipe].accuracies)
        return true;
    for (size_t i = 0; i < n; i++)
        if (runs[i].loss > 0 && strcmp(runs[i].recipe, name) == 0)
            return true;
    return false;
}

/* Accuracies say how the networks of a recipe differ where nothing is known of its losses. */
static void refuse_accuracies(const struct runs_source *source, struct quality_run *runs, size_t n)
{
    for (size_t i = 0; i < n && source->purpose == QUALITY_TO_FIT; i++) {
        char why[160];
        bool only = runs[i].accuracy > 0 && !(runs[i].loss > 0) && !isnan(runs[i].tokens);
        if (!only || !has_loss(source, runs, n, runs[i].recipe))
            continue;
        snprintf(why, sizeof why, "an accuracy where a loss is asked: recipe '%s' has losses",
                 runs[i].recipe);
        refuse(source, &runs[i], why);
    }
}

/* One line for each file: there are many. */
static void refuse_few_tokens(const struct runs_source *source, struct quality_run *runs, size_t n)
{
    for (size_t i = 0, end; i < n && source->purpose == QUALITY_TO_FIT; i = end) {
        int few = 0;
        for (end = i; end < n && strcmp(runs[end].file, runs[i].file) == 0; end++)
            if (runs[end].tokens < QUALITY_MIN_TOKENS) {
                runs[end].tokens = NAN;
                few++;
            }
        if (few > 0 && source->notes != NULL)
            text_addf(source->notes,
                      "%s: %d run%s below 1e9 tokens left out: the law does not hold there\n",
                      runs[i].file, few, few > 1 ? "s" : "");
    }
}

/* A recipe that the law does not know needs two runs. */
static void refuse_single_runs(const struct runs_source *source, struct quality_run *runs, size_t n)
{
    for (size_t i = 0; i < n && source->law != NULL && source->purpose == QUALITY_TO_FIT; i++) {
        char why[160];
        bool other = false;
        if (isnan(runs[i].tokens) || quality_find_recipe(source->law, runs[i].recipe) >= 0)
            continue;
        for (size_t j = 0; j < n; j++)
            other = other ||
                    (strcmp(runs[j].recipe, runs[i].recipe) == 0 && !isnan(runs[j].tokens) &&
                     (runs[j].tokens != runs[i].tokens || !quality_same_run(&runs[j], &runs[i])));
        if (other)
            continue;
        snprintf(why, sizeof why,
                 "one run of recipe '%s' where two are needed: of two shapes or token counts",
                 runs[i].recipe);
        refuse(source, &runs[i], why);
    }
}

void runs_refuse_doubtful(const struct runs_source *source, struct quality_run *runs, size_t n)
{
    refuse_vocabularies(source, runs, n);
    refuse_units(source, runs, n);
    refuse_accuracies(source, runs, n);
    refuse_contradictions(source, runs, n);
    refuse_few_tokens(source, runs, n);
    refuse_single_runs(source, runs, n);
}
