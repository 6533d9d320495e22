/* Device profiles as JSON: the other way of device_parse, by the same rows
 * (device/profile_fields.h).
 *
 * A number is written when somebody says where it comes from, or when it is not what its absence
 * stands for; with a source as {"value", "kind", "source"}, else plainly. */
#ifndef LATHE_DEVICE_PROFILE_WRITE_H
#define LATHE_DEVICE_PROFILE_WRITE_H

#include "base/json.h"
#include "device/machine.h"
#include "device/profile_fields.h"

struct number_source {
    enum number_kind kind;
    char text[700];
};

/* What goes beside the numbers. */
struct profile_notes {
    const char *comment; /* "_comment"; NULL: none */
    /* Fills *out for the number at `number`, which points into the device (of a list by threads:
     * at that value). False: nobody said. NULL: no number has a source. */
    bool (*source)(const void *context, const void *number, struct number_source *out);
    /* Adds what "networks" of the timings lists; NULL: no such list. */
    void (*networks)(const void *context, struct json_node *list);
    const void *context;
};

/* Free *text with memory_free. Errors: STATUS_NOMEM. */
enum status device_write(const struct device *device, const struct profile_notes *notes,
                         char **text, struct err *err);

/* The members of a sourced number, into its object. */
void profile_add_sourced(struct json_node *number, double value, enum number_kind kind,
                         const char *source);

#endif
