#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/gguf.h"

enum status gguf_error(const struct gguf *file, enum status status, struct err *err,
                       const char *format, ...)
{
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, status, "cannot read '%s': %s", file->name, text);
}

const char *gguf_shown(struct gguf_string string, char buffer[64])
{
    int64_t length = string.length < 60 ? string.length : 60;
    for (int64_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)string.data[i];
        buffer[i] = (char)(c < 0x20 || c >= 0x7f ? '?' : c);
    }
    strcpy(buffer + length, string.length > length ? "..." : "");
    return buffer;
}
