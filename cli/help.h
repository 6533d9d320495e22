/* What the option tables say to people: --help, the man page and bash completion. */
#ifndef LATHE_CLI_HELP_H
#define LATHE_CLI_HELP_H

#include <stdio.h>

#include "cli/options.h"

void help_overview(FILE *stream); /* lathe --help */
void help_command(const struct command *command, FILE *stream);
void help_man(FILE *stream);        /* lathe.1, in man(7) */
void help_completion(FILE *stream); /* for bash */

#endif
