#include "plots/gnuplot.h"

#include <assert.h>
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

extern char **environ;

enum status plot_format_of(const char *path, enum plot_format *out, struct err *err)
{
    static const char *const endings[] = {".svg", ".png", ".pdf"};
    if (strcmp(path, "-") == 0) {
        *out = PLOT_TERMINAL;
        return STATUS_OK;
    }
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && i < PLOT_TERMINAL; i++) {
        if (strcasecmp(dot, endings[i]) == 0) {
            *out = (enum plot_format)i;
            return STATUS_OK;
        }
    }
    return err_set(err, STATUS_USAGE,
                   "cannot tell the format of '%s': expected a name in .svg, .png or .pdf, or - "
                   "for the terminal",
                   path);
}

void gnuplot_add_terminal(struct text *script, enum plot_format format, int width, int height)
{
    assert(width > 0 && height > 0);
    text_add(script, "set encoding utf8\n");
    switch (format) {
    case PLOT_PNG:
        text_addf(script,
                  "set terminal pngcairo size %d,%d fontscale 1.5 linewidth 2 pointscale 2 "
                  "font 'Helvetica,12' background rgb 'white' noenhanced\n",
                  2 * width, 2 * height);
        break;
    case PLOT_PDF:
        text_addf(script,
                  "set terminal pdfcairo size %.4fin,%.4fin fontscale 0.5625 linewidth 1.5 "
                  "pointscale 0.9 font 'Helvetica,12' background rgb 'white' noenhanced\n",
                  width / 96.0, height / 96.0);
        break;
    case PLOT_TERMINAL:
        text_addf(script, "set terminal dumb size %d,%d noenhanced\n", width, height);
        break;
    case PLOT_SVG:
    default:
        text_addf(script,
                  "set terminal svg size %d,%d linewidth 1 "
                  "font 'Helvetica, Arial, sans-serif,12' background 'white' noenhanced\n",
                  width, height);
        break;
    }
}

/* Single quotes: nothing is expanded in them, neither backquotes nor @macros. gnuplot 5.4 does not
 * always read a doubled one right, and loses count when one stands in double quotes, so that an
 * apostrophe is a string of its own without a quote in it: 'it'."\047".'s' */
static void quote(struct text *script, const char *string, bool double_percent)
{
    text_add(script, "'");
    for (const char *c = string ? string : ""; *c; c++) {
        if (*c == '\'')
            text_add(script, "'.\"\\047\".'");
        else if (*c == '%' && double_percent)
            text_add(script, "%%");
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            text_add(script, " ");
        else
            text_add(script, (const char[]){*c, 0});
    }
    text_add(script, "'");
}

void gnuplot_quote(struct text *script, const char *string)
{
    quote(script, string, false);
}

void gnuplot_quote_tic(struct text *script, const char *string)
{
    quote(script, string, true);
}

/* The user's variables, but one locale for everyone: only in a UTF-8 one does gnuplot take UTF-8
 * without a warning, and in this one the decimal point is a point. NULL when out of memory. */
static char **child_environment(void)
{
    static char locale[] = "LC_ALL=C.UTF-8";
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    char **variables = memory_new(n + 2, sizeof *variables);
    if (!variables)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strncmp(environ[i], "LC_ALL=", strlen("LC_ALL=")) != 0)
            variables[kept++] = environ[i];
    }
    variables[kept] = locale;
    return variables;
}

static enum status start(int in, int out, int complaints, pid_t *child, struct err *err)
{
    /* -d: no ~/.gnuplot, so that a figure looks the same for everyone. */
    char name[] = "gnuplot", defaults[] = "-d", from_stdin[] = "-";
    char *const arguments[] = {name, defaults, from_stdin, NULL};
    posix_spawn_file_actions_t actions;
    char **variables = child_environment();
    if (!variables || posix_spawn_file_actions_init(&actions) != 0) {
        memory_free(variables);
        return err_set(err, STATUS_NOMEM, "out of memory");
    }
    int failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    if (!failed)
        failed = posix_spawnp(child, name, &actions, NULL, arguments, variables);
    posix_spawn_file_actions_destroy(&actions);
    memory_free(variables);
    if (failed == ENOENT || failed == EACCES || failed == ENOTDIR)
        return err_set(err, STATUS_NOT_FOUND,
                       "cannot draw: no program 'gnuplot' in PATH (on Debian and Ubuntu: apt "
                       "install gnuplot-nox)");
    errno = failed;
    return failed ? err_errno(err, "cannot start 'gnuplot'") : STATUS_OK;
}

/* gnuplot prints the offending line, a caret under it, and then "line 7: what is wrong". */
static const char *last_line(char *complaints)
{
    size_t length = strlen(complaints);
    while (length > 0 && strchr(" \n\r\t", complaints[length - 1]))
        complaints[--length] = 0;
    char *newline = strrchr(complaints, '\n');
    const char *line = newline ? newline + 1 : complaints;
    return line + strspn(line, " \t");
}

static enum status judge(int wait_status, char *complaints, struct text *warnings, struct err *err)
{
    if (WIFSIGNALED(wait_status))
        return err_set(err, STATUS_IO, "cannot draw: gnuplot was ended by signal %d",
                       WTERMSIG(wait_status));
    const char *line = last_line(complaints);
    if (WEXITSTATUS(wait_status) == 127 && !*line)
        return err_set(err, STATUS_NOT_FOUND,
                       "cannot draw: 'gnuplot' cannot be run (on Debian and Ubuntu: apt install "
                       "gnuplot-nox)");
    if (WEXITSTATUS(wait_status) != 0 && strstr(line, "unknown or ambiguous terminal"))
        return err_set(err, STATUS_UNSUPPORTED,
                       "cannot draw: this gnuplot lacks the terminal (on Debian and Ubuntu: apt "
                       "install gnuplot-nox): %s",
                       line);
    if (WEXITSTATUS(wait_status) != 0)
        return err_set(err, STATUS_IO, "cannot draw: gnuplot stopped with status %d: %s",
                       WEXITSTATUS(wait_status), *line ? line : "it did not say why");
    if (warnings && *complaints)
        text_add(warnings, complaints);
    return STATUS_OK;
}

/* Output goes to `out` at its current position. */
static enum status run(const char *script, FILE *out, struct text *warnings, struct err *err)
{
    enum status status = STATUS_OK;
    char complaints[4096];
    FILE *error_stream = NULL, *in = tmpfile();
    if (in)
        error_stream = tmpfile();
    if (!in || !error_stream || fputs(script, in) < 0 || fflush(in) != 0 || fflush(out) != 0) {
        status = err_errno(err, "cannot draw: no temporary file for gnuplot");
        goto out;
    }
    rewind(in);

    pid_t child = 0;
    status = start(fileno(in), fileno(out), fileno(error_stream), &child, err);
    if (status != STATUS_OK)
        goto out;
    int wait_status = 0;
    while (waitpid(child, &wait_status, 0) < 0) {
        if (errno != EINTR) {
            status = err_errno(err, "cannot wait for 'gnuplot'");
            goto out;
        }
    }
    rewind(error_stream);
    complaints[fread(complaints, 1, sizeof complaints - 1, error_stream)] = 0;
    status = judge(wait_status, complaints, warnings, err);
out:
    if (error_stream)
        fclose(error_stream);
    if (in)
        fclose(in);
    return status;
}

enum status gnuplot_capture(const char *script, struct text *out, struct text *warnings,
                            struct err *err)
{
    FILE *stream = tmpfile();
    if (!stream)
        return err_errno(err, "cannot draw: no temporary file");
    enum status status = run(script, stream, warnings, err);
    if (status != STATUS_OK)
        goto out;
    if (fseek(stream, 0, SEEK_END) != 0 || ftell(stream) <= 0) {
        status = err_set(err, STATUS_IO, "cannot draw: gnuplot wrote nothing");
        goto out;
    }
    rewind(stream);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof piece - 1, stream)) > 0;) {
        piece[n] = 0;
        text_add(out, piece);
    }
    if (ferror(stream))
        status = err_errno(err, "cannot draw: cannot read the picture back");
    else if (out->failed)
        status = err_set(err, STATUS_NOMEM, "out of memory");
out:
    fclose(stream);
    return status;
}

enum status gnuplot_draw(const char *script, const char *path, struct text *warnings,
                         struct err *err)
{
    if (strcmp(path, "-") == 0) {
        struct text picture = {0};
        enum status status = gnuplot_capture(script, &picture, warnings, err);
        if (status == STATUS_OK) {
            assert(picture.data != NULL); /* no picture is an error */
            /* The character terminal starts each plot with a form feed. */
            const char *from = picture.data + strspn(picture.data, "\f\n");
            status = file_write(path, from, err);
        }
        text_release(&picture);
        return status;
    }
    struct file_out out;
    enum status status = file_create(&out, path, err);
    if (status != STATUS_OK)
        return status;
    status = run(script, out.stream, warnings, err);
    if (status == STATUS_OK && (fseek(out.stream, 0, SEEK_END) != 0 || ftell(out.stream) <= 0))
        status = err_set(err, STATUS_IO, "cannot draw: gnuplot wrote nothing");
    if (status != STATUS_OK) {
        file_abandon(&out);
        return status;
    }
    return file_commit(&out, err);
}
