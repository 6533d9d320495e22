#include "base/json_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { deepest = 64, longest_number = 60 };

struct scanner {
    const char *text, *at, *end;
    const char *problem; /* static text; NULL while all is well */
    const char *problem_at;
};

static bool fail(struct scanner *in, const char *at, const char *problem)
{
    in->problem = problem;
    in->problem_at = at;
    return false;
}

/* The byte here, or 0 at the end; a 0 in the text is nowhere allowed, so the two need no telling
 * apart. */
static unsigned char here(const struct scanner *in)
{
    return in->at < in->end ? (unsigned char)*in->at : 0;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct scanner *in)
{
    while (here(in) == ' ' || here(in) == '\n' || here(in) == '\r' || here(in) == '\t')
        in->at++;
}

static bool scan_word(struct scanner *in, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
        return fail(in, in->at, "expected a value");
    in->at += length;
    return true;
}

static bool scan_number(struct scanner *in)
{
    const char *start = in->at;
    if (here(in) == '-')
        in->at++;
    if (!is_digit(here(in)))
        return fail(in, in->at, "expected a digit");
    if (here(in) == '0' && in->at + 1 < in->end && is_digit((unsigned char)in->at[1]))
        return fail(in, in->at, "a number cannot start with 0");
    while (is_digit(here(in)))
        in->at++;
    if (here(in) == '.') {
        in->at++;
        if (!is_digit(here(in)))
            return fail(in, in->at, "expected a digit");
        while (is_digit(here(in)))
            in->at++;
    }
    if (here(in) == 'e' || here(in) == 'E') {
        in->at++;
        if (here(in) == '+' || here(in) == '-')
            in->at++;
        if (!is_digit(here(in)))
            return fail(in, in->at, "expected a digit");
        while (is_digit(here(in)))
            in->at++;
    }
    char copy[longest_number + 1];
    size_t length = (size_t)(in->at - start);
    if (length > longest_number)
        return fail(in, start, "a number longer than 60 characters");
    memcpy(copy, start, length);
    copy[length] = '\0';
    if (!isfinite(strtod(copy, NULL)))
        return fail(in, start, "a number too large for a double");
    return true;
}

/* -1 when there are no four hexadecimal digits */
static int scan_hex4(struct scanner *in)
{
    int value = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        unsigned char c = here(in);
        int digit = is_digit(c)              ? c - '0'
                    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                             : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool scan_escape(struct scanner *in)
{
    const char *start = in->at++;
    unsigned char c = here(in);
    if (c != 0 && strchr("\"\\/bfnrt", c) != NULL) {
        in->at++;
        return true;
    }
    if (c != 'u')
        return fail(in, start, "unknown escape in a string");
    in->at++;
    int unit = scan_hex4(in);
    if (unit < 0)
        return fail(in, start, "expected four hexadecimal digits after \\u");
    if (unit == 0)
        return fail(in, start, "\\u0000 in a string");
    bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;
    if (is_high) {
        if (in->end - in->at < 2 || in->at[0] != '\\' || in->at[1] != 'u')
            return fail(in, start, "half of a surrogate pair");
        in->at += 2;
        int low = scan_hex4(in);
        is_low = low < 0xdc00 || low >= 0xe000;
    }
    return is_low ? fail(in, start, "half of a surrogate pair") : true;
}

static bool scan_utf8(struct scanner *in)
{
    const char *start = in->at;
    unsigned char lead = here(in);
    int following = lead >= 0xc2 && lead < 0xe0   ? 1
                    : lead >= 0xe0 && lead < 0xf0 ? 2
                    : lead >= 0xf0 && lead < 0xf5 ? 3
                                                  : 0;
    uint32_t code = lead & (0x3fu >> following);
    in->at++;
    for (int i = 0; i < following && (here(in) & 0xc0) == 0x80; i++, in->at++)
        code = code << 6 | (here(in) & 0x3fu);
    bool is_whole = following > 0 && in->at - start == following + 1;
    bool is_overlong = (following == 2 && code < 0x800) || (following == 3 && code < 0x10000);
    if (!is_whole || is_overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return fail(in, start, "a string that is not UTF-8");
    return true;
}

static bool scan_string(struct scanner *in)
{
    const char *start = in->at++;
    for (;;) {
        if (in->at >= in->end)
            return fail(in, start, "a string without its closing '\"'");
        unsigned char c = here(in);
        if (c == '"')
            break;
        if (c < 0x20)
            return fail(in, in->at, "a control character in a string");
        if (c == '\\') {
            if (!scan_escape(in))
                return false;
        } else if (c >= 0x80) {
            if (!scan_utf8(in))
                return false;
        } else {
            in->at++;
        }
    }
    in->at++;
    return true;
}

static bool scan_value(struct scanner *in, int depth);

static bool scan_members(struct scanner *in, int depth)
{
    in->at++;
    skip_blanks(in);
    if (here(in) == '}') {
        in->at++;
        return true;
    }
    for (;;) {
        skip_blanks(in);
        if (here(in) != '"')
            return fail(in, in->at, "expected a key in '\"'");
        if (!scan_string(in))
            return false;
        skip_blanks(in);
        if (here(in) != ':')
            return fail(in, in->at, "expected ':'");
        in->at++;
        if (!scan_value(in, depth))
            return false;
        if (here(in) == '}')
            break;
        if (here(in) != ',')
            return fail(in, in->at, "expected ',' or '}'");
        in->at++;
    }
    in->at++;
    return true;
}

static bool scan_elements(struct scanner *in, int depth)
{
    in->at++;
    skip_blanks(in);
    if (here(in) == ']') {
        in->at++;
        return true;
    }
    for (;;) {
        if (!scan_value(in, depth))
            return false;
        if (here(in) == ']')
            break;
        if (here(in) != ',')
            return fail(in, in->at, "expected ',' or ']'");
        in->at++;
    }
    in->at++;
    return true;
}

/* With the blanks on both sides. */
static bool scan_value(struct scanner *in, int depth)
{
    skip_blanks(in);
    unsigned char c = here(in);
    bool is_good;
    if ((c == '{' || c == '[') && depth >= deepest)
        is_good = fail(in, in->at, "nested deeper than 64");
    else if (c == '{')
        is_good = scan_members(in, depth + 1);
    else if (c == '[')
        is_good = scan_elements(in, depth + 1);
    else if (c == '"')
        is_good = scan_string(in);
    else if (c == '-' || is_digit(c))
        is_good = scan_number(in);
    else
        is_good = scan_word(in, c == 't' ? "true" : c == 'f' ? "false" : "null");
    skip_blanks(in);
    return is_good;
}

enum status json_check(const char *name, const char *text, size_t length, struct err *err)
{
    struct scanner in = {.text = text, .at = text, .end = text + length};
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        in.text = in.at = text + 3;
    if (scan_value(&in, 0) && in.at < in.end)
        fail(&in, in.at, "expected the end of the text");
    if (in.problem == NULL)
        return STATUS_OK;

    int line = 1, column = 1;
    for (const char *p = in.text; p < in.problem_at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xc0) != 0x80) {
            column++;
        }
    }
    bool is_cut = in.problem_at >= in.end;
    return err_set(err, STATUS_INPUT, "%s: line %d, column %d: %s%s", name, line, column,
                   in.problem, is_cut && in.at >= in.end ? ", found the end of the text" : "");
}
