#include <stdarg.h>
#include <stdio.h>

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
