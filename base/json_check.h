/* Is this text JSON? RFC 8259 to the letter, so that json.c's tree is built from clean text only
 * and an error can say line, column and what was expected. It also refuses what the tree could not
 * hold faithfully: numbers beyond a double or longer than 60 characters, "\u0000", nesting deeper
 * than 64. */
#ifndef LATHE_BASE_JSON_CHECK_H
#define LATHE_BASE_JSON_CHECK_H

#include <stddef.h>

#include "base/status.h"

/* `name` is how the message calls the text; a byte order mark at the start is passed over.
 * Errors: STATUS_INPUT, "<name>: line 3, column 7: expected ':'"; columns count characters from 1.
 */
enum status json_check(const char *name, const char *text, size_t length, struct err *err);

#endif
