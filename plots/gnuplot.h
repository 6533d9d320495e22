/* gnuplot as a child process: a script in, a picture out, whole or not there.
 *
 * The program `gnuplot` is looked for in PATH and run without a shell. The script reaches it on
 * standard input, the picture comes back on its standard output, which is the temporary file beside
 * the target: no path is ever written into a script, so a script depends on the figure alone. */
#ifndef LATHE_PLOTS_GNUPLOT_H
#define LATHE_PLOTS_GNUPLOT_H

#include <stdio.h>

#include "base/status.h"
#include "base/text.h"

enum plot_format {
    PLOT_SVG,
    PLOT_PNG,
    PLOT_PDF,
    PLOT_TERMINAL, /* characters, for a terminal or a log */
    N_PLOT_FORMATS,
};

/* By the ending of `path` (.svg .png .pdf, case folded); "-" is the terminal.
 * Errors: STATUS_USAGE, which lists the endings. */
enum status plot_format_of(const char *path, enum plot_format *out, struct err *err);

/* Adds the `set terminal` lines for a canvas of width x height units: 1/96 inch and one pixel of an
 * SVG (two of a PNG), or characters for the terminal. Enhanced text is off: user text needs no
 * escape but gnuplot_quote's. */
void gnuplot_add_terminal(struct text *script, enum plot_format format, int width, int height);

/* Adds `string` as a gnuplot string that reads back as itself, in quotes; control characters become
 * spaces. NULL is the empty string. */
void gnuplot_quote(struct text *script, const char *string);
/* The same for the label of a tic, which gnuplot takes for a number format: % is doubled. */
void gnuplot_quote_tic(struct text *script, const char *string);

/* Runs the script, in UTF-8 and with decimal points whatever the user's locale, into `path`, by way
 * of a temporary beside it; "-" is standard output. On error the old file, or none, is there.
 *   warnings   what gnuplot said although it succeeded is added here; NULL: dropped
 * Errors: STATUS_NOT_FOUND (no gnuplot; names the package), STATUS_UNSUPPORTED (this gnuplot cannot
 * draw to the terminal type), STATUS_IO (it failed: its last line of complaint, or the file cannot
 * be written), STATUS_NOMEM. */
enum status gnuplot_draw(const char *script, const char *path, struct text *warnings,
                         struct err *err);

/* The same, but adds the output to `out` (of the formats made of text). */
enum status gnuplot_capture(const char *script, struct text *out, struct text *warnings,
                            struct err *err);

#endif
