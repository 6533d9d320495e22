/* Models priced on a device, ready to draw. */
#ifndef LATHE_CLI_PRICED_H
#define LATHE_CLI_PRICED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/setting.h"
#include "contract/candidate_fields.h"
#include "quality/law.h"

struct priced {
    char name[160];
    char family[24];
    int64_t params_blocks, n_layers_effective;
    struct candidate_row row; /* as a candidate, as far as it is known; texts are static */
    bool has_shape;           /* the law of loss can judge it: */
    struct quality_shape shape;
    struct price price;
    struct price_detail detail;
    int n_levels, dram; /* of the device, for the detail */
    char level[MAX_LEVELS][16];
};

/* Grows by one model. Start with = {0}; release with priced_release. */
struct priced_list {
    struct priced *items;
    size_t n, capacity;
};

/* Prices MODEL (as open_model reads it) under the setting and appends it.
 *   suffix  put behind the name, "" for none
 * Errors: those of open_model and price_network. */
enum status priced_add(struct priced_list *list, const struct args *args, const char *model,
                       const struct setting *setting, const char *suffix, struct err *err);
void priced_release(struct priced_list *list);

#endif
