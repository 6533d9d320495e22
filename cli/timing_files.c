#include "cli/timing_files.h"

#include <string.h>

#include "base/memory.h"
#include "fit/fit_input.h"

/* --model NAME=MODEL, split. */
struct aliases {
    struct fit_alias *items;
    char **names; /* owned */
    size_t n;
};

static void aliases_release(struct aliases *aliases)
{
    for (size_t i = 0; aliases->names != NULL && i < aliases->n; i++)
        memory_free(aliases->names[i]);
    memory_free(aliases->names);
    memory_free(aliases->items);
}

static enum status aliases_of(const struct args *args, struct aliases *out, struct err *err)
{
    size_t n = (size_t)args_count(args, "model");
    *out = (struct aliases){.items = memory_new(n, sizeof *out->items),
                            .names = memory_new(n, sizeof *out->names)};
    if (out->items == NULL || out->names == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const char *text = args_nth(args, "model", (int)i), *equals = strrchr(text, '=');
        if (equals == NULL || equals == text || equals[1] == '\0')
            return err_set(err, STATUS_USAGE, "--model '%s': expected NAME=MODEL", text);
        char *name = memory_strdup(text);
        if (name == NULL)
            return err_set(err, STATUS_NOMEM, "out of memory");
        name[equals - text] = '\0';
        out->names[out->n] = name;
        out->items[out->n++] = (struct fit_alias){name, equals + 1};
    }
    return STATUS_OK;
}

enum status timing_file_read(const struct args *args, const char *path, struct fit_rows *rows,
                             struct text *notes, struct err *err)
{
    struct aliases aliases = {0};
    enum status status = aliases_of(args, &aliases, err);
    const struct fit_aliases list = {aliases.items, aliases.n};
    if (status == STATUS_OK)
        status = fit_read(path, &list, rows, notes, err);
    aliases_release(&aliases);
    return status;
}
