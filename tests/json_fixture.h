/* A document with values of every kind. */
#ifndef LATHE_TESTS_JSON_FIXTURE_H
#define LATHE_TESTS_JSON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static inline enum status parse(const char *text, struct json_doc **doc, struct json *root,
                                struct err *err)
{
    return json_parse("t", text, (int64_t)strlen(text), doc, root, err);
}

static const char profile[] =
    "{\"name\": \"phone \\u00b5 \\ud83d\\ude00\", \"_source\": {\"doi\": null},\n"
    " \"levels\": [{\"kb\": 32, \"rate\": 2.5e1}, {\"kb\": -4, \"rate\": \"fast\"}],\n"
    " \"on\": true, \"odd key\": 9007199254740993, \"half\": 0.5, \"none\": null, \"e\": {}, "
    "\"l\": []}";

#endif
