/* Text as consoles save it: UTF-8 with or without a byte order mark, UTF-16 (PowerShell's '>'). */
#ifndef LATHE_FIT_BENCH_TEXT_H
#define LATHE_FIT_BENCH_TEXT_H

#include <stdint.h>

#include "base/status.h"

/* The same text as UTF-8 without a byte order mark; zero bytes become spaces. `text`: owned by the
 * caller before and after, replaced where it must be. Errors: STATUS_NOMEM, STATUS_INPUT (UTF-16
 * that this system cannot convert). */
enum status bench_text_to_utf8(char **text, int64_t *length, struct err *err);

#endif
