/* The verbs, in the order of `lathe --help`. A new verb is one file that defines
 * `const struct command cmd_<name>` and one line here. */
#ifndef LATHE_CLI_COMMANDS_H
#define LATHE_CLI_COMMANDS_H

#include <stddef.h>

#include "cli/options.h"

/* clang-format off */
#define COMMANDS(X) \
    X(advise) \
    X(search) \
    X(merge) \
    X(top) \
    X(front) \
    X(show) \
    X(predict) \
    X(simulate) \
    X(measure) \
    X(plot) \
    X(report) \
    X(inspect) \
    X(models) \
    X(export) \
    X(generate) \
    X(devices) \
    X(reproduce) \
    X(calibrate) \
    X(validate) \
    X(probe) \
    X(fit) \
    X(quality) \
    X(help)
/* clang-format on */

#define DECLARE_COMMAND(name) extern const struct command cmd_##name;
COMMANDS(DECLARE_COMMAND)
#undef DECLARE_COMMAND

/* All verbs, ended by NULL. */
extern const struct command *const all_commands[];

/* NULL: there is none; *near (may be NULL) is then the nearest name or NULL. */
const struct command *find_command(const char *name, const char **near);

#endif
