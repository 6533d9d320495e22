/* Several listings that a verb prints at once: one below the other for people, or as the arrays of
 * one JSON object for programs. */
#ifndef LATHE_CLI_SECTIONS_H
#define LATHE_CLI_SECTIONS_H

#include "cli/listing.h"

struct section {
    const char *key;        /* of the array; NULL: for people only */
    bool json_only;         /* not for people */
    struct listing listing; /* start with = {0} */
};

void sections_release(struct section *sections, int n);
/* For people, an empty line between two. Errors: STATUS_NOMEM. */
enum status sections_print(const struct section *sections, int n, FILE *stream, struct err *err);
/* Adds an array a section to `root`; prints and frees it. Errors: STATUS_NOMEM. */
enum status sections_print_json(const struct section *sections, int n, struct json_node *root,
                                FILE *stream, struct err *err);

#endif
