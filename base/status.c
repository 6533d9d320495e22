#include "base/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum status(err_set)(struct err *err, enum status status, const char *format, ...)
{
    if (err != NULL) {
        struct err fresh; /* an argument may point into err */
        va_list args;
        va_start(args, format);
        vsnprintf(fresh.message, sizeof fresh.message, format, args);
        va_end(args);
        *err = fresh;
    }
    return status;
}

enum status err_unless_between(struct err *err, const char *name, int64_t value, int64_t min,
                               int64_t max)
{
    if (value >= min && value <= max)
        return STATUS_OK;
    return err_set(err, STATUS_RANGE, "%s is %" PRId64 ", must be %" PRId64 " to %" PRId64, name,
                   value, min, max);
}

enum status(err_prefix)(struct err *err, enum status status, const char *format, ...)
{
    if (err != NULL) {
        struct err fresh;
        va_list args;
        va_start(args, format);
        vsnprintf(fresh.message, sizeof fresh.message, format, args);
        va_end(args);
        size_t used = strlen(fresh.message);
        snprintf(fresh.message + used, sizeof fresh.message - used, "%s", err->message);
        *err = fresh;
    }
    return status;
}

enum status(err_errno)(struct err *err, const char *format, ...)
{
    int number = errno;
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        size_t used = strlen(err->message);
        char reason[128];
        if (strerror_r(number, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "error %d", number);
        snprintf(err->message + used, sizeof err->message - used, ": %s", reason);
    }
    return number == ENOMEM ? STATUS_NOMEM : STATUS_IO;
}
