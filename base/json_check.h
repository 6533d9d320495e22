/* Is this text JSON? Strictly by RFC 8259, so that json.c builds its tree from valid text only and
 * an error can say line, column and what was expected. Also refused is what the tree could not hold
 * exactly: numbers beyond a double or longer than 60 characters, "\u0000", nesting deeper than 64.
 */
#ifndef LATHE_BASE_JSON_CHECK_H
#define LATHE_BASE_JSON_CHECK_H

#include <stddef.h>

#include "base/status.h"

/* `name` is how the message calls the text; a byte order mark at the start is passed over.
 * Errors: STATUS_INPUT, "<name>: line 3, column 7: expected ':'"; columns count characters from 1.
 */
enum status json_check(const char *name, const char *text, size_t length, struct err *err);

#endif
