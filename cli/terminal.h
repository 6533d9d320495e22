/* Text for whoever reads along: a terminal has a width, a pipe has none. */
#ifndef LATHE_CLI_TERMINAL_H
#define LATHE_CLI_TERMINAL_H

#include <stdio.h>

/* Columns of the terminal that `stream` is; 0: it is none, or does not know. */
int terminal_columns(FILE *stream);

/* The lines of `text`, whole. On a terminal the words of a long line go on in the next, below its
 * first word after `left` columns, where its label ends. */
void print_lines(FILE *stream, const char *text, int left);

#endif
