/* The --law of every verb that speaks of loss. */
#ifndef LATHE_CLI_LAW_SOURCE_H
#define LATHE_CLI_LAW_SOURCE_H

#include "cli/options.h"
#include "quality/law_file.h"

#define ROW_LAW \
    ROW(OPTION_TEXT, "law", "FILE", NULL, "@file", \
        "a law of loss that 'quality fit' wrote; default: the one that came along")

/* The law of --law, else the one that came along; memory_free, after errors too.
 *   own    runs behind it that data/quality does not hold are appended; NULL: not wanted
 *   text   the file as it is, memory_free, after errors too; NULL: not wanted
 * Errors: those of quality_law_read. */
enum status open_law(const struct args *args, struct quality_law **law, struct quality_runs *own,
                     char **text, struct err *err);

/* The recipe called `name`; NULL: QUALITY_NO_RECIPE. Errors: STATUS_USAGE. */
enum status law_recipe_of(const struct quality_law *law, const char *name, int *out,
                          struct err *err);

#endif
