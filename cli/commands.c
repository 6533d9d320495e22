#include "cli/commands.h"

#include <string.h>

#include "base/text.h"

#define COMMAND_ROW(name) &cmd_##name,
const struct command *const all_commands[] = {COMMANDS(COMMAND_ROW) NULL};

const struct command *find_command(const char *name, const char **near)
{
    const char *names[sizeof all_commands / sizeof *all_commands];
    size_t n = 0;
    for (const struct command *const *command = all_commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
        names[n++] = (*command)->name;
    }
    if (near != NULL)
        *near = text_nearest(name, names, n);
    return NULL;
}
