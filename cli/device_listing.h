/* A device profile as a listing: every number with its kind and source. */
#ifndef LATHE_CLI_DEVICE_LISTING_H
#define LATHE_CLI_DEVICE_LISTING_H

#include "cli/listing.h"

/* profile: the JSON text, called `name` in errors. Errors: those of json_parse. */
enum status device_listing(struct listing *listing, const char *name, const char *profile,
                           struct err *err);

#endif
