#include "cli/commands.h"
#include "cli/help.h"

static enum status run(const struct args *args, struct err *err)
{
    if (args_flag(args, "man")) {
        help_man(stdout);
        return STATUS_OK;
    }
    if (args_flag(args, "completion")) {
        help_completion(stdout);
        return STATUS_OK;
    }
    if (args_n_operands(args) == 0) {
        help_overview(stdout);
        return STATUS_OK;
    }
    const char *name = args_operand(args, 0), *near = NULL;
    const struct command *command = find_command(name, &near);
    if (command == NULL && near != NULL)
        return err_set(err, STATUS_USAGE, "unknown command '%s': did you mean '%s'?", name, near);
    if (command == NULL)
        return err_set(err, STATUS_USAGE, "unknown command '%s'", name);
    help_command(command, stdout);
    return STATUS_OK;
}

static const struct option options[] = {
    ROW_FLAG("man", "print the man page"),
    ROW_FLAG("completion", "print the bash completion script"),
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe help search", "what 'search' does, with examples"},
    {"lathe help --man > lathe.1", "the manual page"},
    {"source <(lathe help --completion)", "completion in this bash"},
    {NULL, NULL},
};

const struct command cmd_help = {
    .name = "help",
    .summary = "explain a command",
    .operands = "[COMMAND]",
    .max_operands = 1,
    .options = options,
    .examples = examples,
    .about = "",
    .run = run,
};
