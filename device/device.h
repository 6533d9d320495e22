/* Device profiles as files: shipped ones by name, others by path.
 *
 * A profile is a JSON file; device/profile_fields.c has every key, docs/profiles.md explains them.
 * Any number may be written plainly or as {"value": 34.1, "kind": "datasheet", "source": "..."}.
 * Shipped profiles give every number a source (a test checks). Numbers that depend on the thread
 * count are lists of such objects with a "threads" member, interpolated linearly between and held
 * constant beyond. */
#ifndef LATHE_DEVICE_DEVICE_H
#define LATHE_DEVICE_DEVICE_H

#include "base/json.h"
#include "base/status.h"
#include "device/machine.h"

/* Reading is strict: an unknown key, a number out of range, levels that do not go from fastest to
 * slowest and end in "dram", "flash", are errors. `*out` is undefined on error; there is nothing to
 * release. */
/* Reads a profile: `name` is a shipped profile ("iphone-13") or a path (has a '/' or ends in
 * .json). Errors: STATUS_NOT_FOUND with the nearest name, STATUS_INPUT with the path of the bad
 * value. */
enum status device_open(const char *name, struct device *out, struct err *err);
enum status device_parse(const struct json *root, struct device *out, struct err *err);
/* The profile's own text, for the store's snapshot; free with memory_free. */
enum status device_text(const char *name, char **text, struct err *err);

/* Names of the shipped profiles, sorted; free with device_names_free. */
enum status device_names(char ***names, int *n, struct err *err);
void device_names_free(char **names, int n);

#endif
