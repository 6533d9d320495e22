#define _DEFAULT_SOURCE /* SIGXFSZ */
#include <signal.h>

#include "cli/command_line.h"

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is then an error like a full disk */
    return run_command_line(argc - 1, argv + 1);
}
