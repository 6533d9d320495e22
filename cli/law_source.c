#include "cli/law_source.h"

#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

static enum status law_path(const struct args *args, char *path, size_t size, struct err *err)
{
    if (!args_given(args, "law"))
        return file_data_path("quality/law.json", path, size, err);
    snprintf(path, size, "%s", args_text(args, "law"));
    return STATUS_OK;
}

enum status open_law(const struct args *args, struct quality_law **law, struct quality_runs *own,
                     char **text, struct err *err)
{
    char path[4096];
    enum status status = law_path(args, path, sizeof path, err);
    *law = memory_new(1, sizeof **law);
    if (status == STATUS_OK && *law == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (text != NULL)
        *text = NULL;
    if (status == STATUS_OK)
        status = quality_law_read(path, *law, own, text, err);
    return status;
}

enum status law_recipe_of(const struct quality_law *law, const char *name, int *out,
                          struct err *err)
{
    const char *names[QUALITY_RECIPES];
    struct text all = {0};
    *out = QUALITY_NO_RECIPE;
    if (name == NULL || (*out = quality_find_recipe(law, name)) != QUALITY_NO_RECIPE)
        return STATUS_OK;
    for (int i = 0; i < law->n_recipes; i++) {
        names[i] = law->recipes[i].name;
        text_addf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const char *near = text_nearest(name, names, (size_t)law->n_recipes);
    enum status status =
        near != NULL
            ? err_set(err, STATUS_USAGE, "unknown recipe '%s': did you mean '%s'?", name, near)
            : err_set(err, STATUS_USAGE, "unknown recipe '%s': the law has %s", name,
                      all.data != NULL ? all.data : "none");
    text_release(&all);
    return status;
}
