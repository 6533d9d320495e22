#include "fit/bench_text.h"

#include <iconv.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* NULL: not UTF-16. Without a mark the first character tells, which is ASCII in any benchmark. */
static const char *utf16_of(const unsigned char *bytes, int64_t length)
{
    if (length < 2)
        return NULL;
    if (bytes[0] == 0xff && bytes[1] == 0xfe)
        return "UTF-16LE";
    if (bytes[0] == 0xfe && bytes[1] == 0xff)
        return "UTF-16BE";
    if (bytes[0] != 0 && bytes[1] == 0)
        return "UTF-16LE";
    return bytes[0] == 0 && bytes[1] != 0 ? "UTF-16BE" : NULL;
}

/* What iconv cannot convert (half a character at the end, a lone surrogate) becomes a space. */
static enum status convert(const char *encoding, char **text, int64_t *length, struct err *err)
{
    size_t left = (size_t)*length, room = 2 * left + 4, free_bytes = room - 1;
    char *in = *text, *out = memory_new(room, 1), *at = out;
    if (out == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == (iconv_t)-1) {
        memory_free(out);
        return err_set(err, STATUS_INPUT, "%s cannot be converted on this system", encoding);
    }
    while (left >= 2 && iconv(converter, &in, &left, &at, &free_bytes) == (size_t)-1 && left >= 2 &&
           free_bytes > 0) {
        *at++ = ' ';
        free_bytes--;
        in += 2;
        left -= 2;
    }
    iconv_close(converter);
    *at = '\0';
    memory_free(*text);
    *text = out;
    *length = at - out;
    return STATUS_OK;
}

enum status bench_text_to_utf8(char **text, int64_t *length, struct err *err)
{
    const char *encoding = utf16_of((const unsigned char *)*text, *length);
    if (encoding != NULL) {
        enum status status = convert(encoding, text, length, err);
        if (status != STATUS_OK)
            return status;
    }
    if (*length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *length -= 3;
        memmove(*text, *text + 3, (size_t)*length + 1);
    }
    for (int64_t i = 0; i < *length; i++)
        if ((*text)[i] == '\0')
            (*text)[i] = ' ';
    return STATUS_OK;
}
