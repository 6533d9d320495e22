#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"
#include "quality/own_runs.h"
#include "quality/published_fit.h"

static enum status fit_folder(const struct args *args, struct quality_law **law, struct text *notes,
                              struct err *err)
{
    char folder[QUALITY_PATH];
    *law = memory_new(1, sizeof **law);
    if (*law == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = quality_data_folder(args, folder, err);
    if (status != STATUS_OK)
        return status;
    return quality_fit_folder(folder, *law, notes, err);
}

static enum status fit_own(const struct args *args, struct quality_law **law,
                           struct quality_runs *own, struct text *notes, struct err *err)
{
    char source[sizeof(*law)->recipes[0].source], folder[QUALITY_PATH];
    struct quality_runs published = {0};
    enum status status = open_law(args, law, own, NULL, err);
    if (status != STATUS_OK)
        return status;
    size_t first = own->n;
    if ((status = quality_read_operands(args, QUALITY_TO_FIT, *law, own, notes, err)) ||
        (status = quality_data_folder(args, folder, err)) ||
        (status = quality_runs_read_folder(folder, &published, NULL, err)))
        goto out;
    snprintf(source, sizeof source, "own runs: %.200s", file_base_name(args_operand(args, 1)));
    status = quality_fit_own(*law, own, first, &published, source, notes, err);
out:
    quality_runs_release(&published);
    return status;
}

static enum status write_and_print(const struct args *args, const struct quality_law *law,
                                   const struct quality_runs *own, struct err *err)
{
    struct section sections[] = {{.key = "recipes"}, {.key = "coefficients"}};
    const char *out = args_given(args, "out") ? args_text(args, "out") : NULL;
    const bool to_stdout = out != NULL && strcmp(out, "-") == 0;
    if (out != NULL) {
        enum status status = quality_law_write(out, law, own, err);
        if (status != STATUS_OK)
            return status;
    }
    list_quality_recipes(&sections[0].listing, law);
    list_quality_coefficients(&sections[1].listing, law);
    enum status status = quality_print(args, law, sections, 2, to_stdout ? stderr : stdout, err);
    sections_release(sections, 2);
    return status;
}

enum status quality_fit_part(const struct args *args, struct text *notes, struct err *err)
{
    const bool own_runs = args_n_operands(args) > 1;
    struct quality_law *law = NULL;
    struct quality_runs own = {0};
    if (own_runs == args_given(args, "data"))
        return err_set(err, STATUS_USAGE,
                       "quality fit takes either RUNS.csv, over a law, or --data FOLDER");
    if (!own_runs && args_given(args, "law"))
        return err_set(err, STATUS_USAGE,
                       "quality fit --data fits a law from nothing: leave out --law");
    enum status status =
        own_runs ? fit_own(args, &law, &own, notes, err) : fit_folder(args, &law, notes, err);
    if (status == STATUS_OK) {
        quality_law_round(law);
        status = write_and_print(args, law, &own, err);
    }
    quality_runs_release(&own);
    memory_free(law);
    return status;
}
