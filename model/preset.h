/* Models by name: data/models/index.json and one config.json for each.
 *
 * All systems of the paper's Tables 3 and 8, the 60-layer network of its Table 7, and models of
 * today. Every preset carries what was published of its size, so that a count can be held against
 * it. */
#ifndef LATHE_MODEL_PRESET_H
#define LATHE_MODEL_PRESET_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

struct preset {
    char name[48];            /* "mobilellm-125m"; the configuration is data/models/<name>.json */
    char title[48];           /* "MobileLLM-125M", as the tables print it */
    char hub_id[96];          /* "" where there is no checkpoint */
    int64_t params;           /* what the configuration counts to */
    char published[64];       /* as printed: "111 M", "124635456" */
    int64_t published_params; /* the same where it is exact, else 0 */
    char grade[48]; /* gold: equal to the last parameter; silver: to a rounded figure; ... */
    char source[256];
    char table3[48], table8[48]; /* row of the accuracy tables, "" where it has none */
};

struct preset_list {
    struct preset *items; /* in the order of the tables */
    size_t n;
};

/* Errors: STATUS_NOT_FOUND (no data folder), STATUS_INPUT, STATUS_NOMEM. */
enum status preset_list_open(struct preset_list *out, struct err *err);
void preset_list_release(struct preset_list *list);

/* By name, case folded; NULL when there is none. */
const struct preset *preset_find(const struct preset_list *list, const char *name);
/* The preset of a table's row ("OPT-125M"), NULL when there is none. */
const struct preset *preset_by_title(const struct preset_list *list, const char *title);
/* The closest name, NULL when none is close. Belongs to the list. */
const char *preset_nearest(const struct preset_list *list, const char *name);

/* The network of a preset; its name is the preset's. Errors: STATUS_NOT_FOUND, with the nearest
 * name; those of hf_config_read. */
enum status preset_open(const char *name, struct transformer *out, struct err *err);

#endif
