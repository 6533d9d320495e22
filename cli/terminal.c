#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

int terminal_columns(FILE *stream)
{
    struct winsize size;
    int file = fileno(stream);
    return isatty(file) == 1 && ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* A line that has no label stays as it is. */
static void add_line(struct text *out, const char *line, size_t length, int left, int right)
{
    struct text words = {0};
    if (text_width(line, length) <= right || length <= (size_t)left) {
        text_addf(out, "%.*s\n", (int)length, line);
        return;
    }
    text_addf(&words, "%.*s", (int)length - left, line + left);
    text_addf(out, "%.*s", left, line);
    text_wrap(out, words.data != NULL ? words.data : "", left, left, right);
    text_add(out, "\n");
    out->failed = out->failed || words.failed;
    text_release(&words);
}

void print_lines(FILE *stream, const char *text, int left)
{
    const int right = terminal_columns(stream);
    struct text out = {0};
    if (right <= 2 * left) {
        fputs(text, stream);
        return;
    }
    for (const char *line = text; *line != 0;) {
        size_t length = strcspn(line, "\n");
        add_line(&out, line, length, left, right);
        line += length + (line[length] == '\n');
    }
    fputs(out.failed ? text : out.data, stream);
    text_release(&out);
}
