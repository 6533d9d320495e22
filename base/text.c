#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool has_room_for(struct text *text, size_t more)
{
    if (text->failed || more >= SIZE_MAX - text->length) {
        text->failed = true;
        return false;
    }
    void *data = text->data;
    if (memory_grow(&data, &text->capacity, text->length + more + 1, 1, NULL) != STATUS_OK)
        text->failed = true;
    text->data = data;
    return !text->failed;
}

void text_add(struct text *text, const char *string)
{
    size_t more = strlen(string);
    if (!has_room_for(text, more))
        return;
    memcpy(text->data + text->length, string, more + 1);
    text->length += more;
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (more < 0) {
        text->failed = true;
    } else if (has_room_for(text, (size_t)more)) {
        vsnprintf(text->data + text->length, (size_t)more + 1, format, again);
        text->length += (size_t)more;
    }
    va_end(again);
}

int text_width(const char *string, size_t n_bytes)
{
    int width = 0;
    for (size_t i = 0; i < n_bytes; i++)
        width += ((unsigned char)string[i] & 0xC0) != 0x80;
    return width;
}

void text_wrap(struct text *text, const char *words, int column, int left, int right)
{
    for (const char *word = words; *word != 0;) {
        size_t length = strcspn(word, " \n");
        int width = text_width(word, length);
        bool fits = column == left || column + 1 + width <= right;
        if (column > left && fits) {
            text_add(text, " ");
            column++;
        } else if (!fits) {
            text_addf(text, "\n%*s", left, "");
            column = left;
        }
        text_addf(text, "%.*s", (int)length, word);
        column += width;
        word += length;
        for (; *word == ' ' || *word == '\n'; word++)
            if (*word == '\n' && word[1] != 0) {
                text_addf(text, "\n%*s", left, "");
                column = left;
            }
    }
}

void text_release(struct text *text)
{
    memory_free(text->data);
    *text = (struct text){0};
}

enum { longest_word = 63 };

static int folded(char c)
{
    return tolower((unsigned char)c);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap of neighbours, each 1. */
static int distance(const char *a, const char *b)
{
    int rows[3][longest_word + 1] = {{0}};
    int n = (int)strlen(a), m = (int)strlen(b);
    int *before = rows[0], *last = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++)
        last[j] = j;
    for (int i = 1; i <= n; i++) {
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int replace = last[j - 1] + (folded(a[i - 1]) != folded(b[j - 1]));
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), replace);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        int *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[m];
}

const char *text_nearest(const char *word, const char *const *names, size_t n_names)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    if (length > longest_word)
        return NULL;
    int best = least((int)length / 3, longest_word);
    if (best < 1)
        best = 1;
    for (size_t i = 0; i < n_names; i++) {
        if (strlen(names[i]) > longest_word)
            continue;
        int d = distance(word, names[i]);
        if (d <= best) {
            nearest = names[i];
            best = d - 1;
        }
    }
    return nearest;
}
