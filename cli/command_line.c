#include "cli/command_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "cli/commands.h"
#include "cli/help.h"

int exit_status(enum status status)
{
    return status == STATUS_OK ? 0 : status == STATUS_USAGE ? 2 : 1;
}

enum status flush_output(struct err *err)
{
    errno = 0;
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_errno(err, "cannot write standard output");
    return STATUS_OK;
}

static int unknown_command(const char *name)
{
    const char *near = NULL;
    find_command(name, &near);
    fprintf(stderr, "lathe: unknown command '%s'", name);
    if (near != NULL)
        fprintf(stderr, ": did you mean '%s'?", near);
    fprintf(stderr, "\nTry 'lathe --help'.\n");
    return 2;
}

int run_command_line(int argc, char *const *argv)
{
    struct err err = {""};
    if (argc < 1) {
        help_overview(stderr);
        return 2;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        help_overview(stdout);
        return exit_status(flush_output(&err));
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("lathe %s (%s)\n", version_number(), version_commit());
        return exit_status(flush_output(&err));
    }
    const struct command *command = find_command(argv[0], NULL);
    if (command == NULL)
        return unknown_command(argv[0]);
    struct args *args = NULL;
    enum status status = args_parse(command, argc - 1, argv + 1, &args, &err);
    if (status == STATUS_OK && args_help(args))
        help_command(command, stdout);
    else if (status == STATUS_OK)
        status = command->run(args, &err);
    args_free(args);
    struct err output_err = {""};
    enum status output = flush_output(&output_err);
    if (status == STATUS_OK && output != STATUS_OK) {
        status = output;
        err = output_err;
    }
    if (status != STATUS_OK)
        fprintf(stderr, "lathe %s: %s\n", command->name, err.message);
    if (status == STATUS_USAGE)
        fprintf(stderr, "Try 'lathe %s --help'.\n", command->name);
    return exit_status(status);
}
