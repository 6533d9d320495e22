/* A space from text. */
#ifndef LATHE_TESTS_SPACE_FIXTURE_H
#define LATHE_TESTS_SPACE_FIXTURE_H

#include <string.h>

#include "search/space.h"

static inline enum status parse(const char *text, struct space *out, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse("space.json", text, (int64_t)strlen(text), &doc, &root, err);
    if (!status)
        status = space_parse(&root, out, err);
    json_close(doc);
    return status;
}

#endif
