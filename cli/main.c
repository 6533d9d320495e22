#include "cli/commands.h"

int main(int argc, char **argv)
{
    return run_command_line(argc - 1, argv + 1);
}
