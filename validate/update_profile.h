/* The errors that a validation saw, in the profile that it judged. */
#ifndef LATHE_VALIDATE_UPDATE_PROFILE_H
#define LATHE_VALIDATE_UPDATE_PROFILE_H

#include "validate/validate.h"

/* Writes the profile at `path` again with the decode errors of timings as they were made: who uses
 * it has no sentinels. Errors: STATUS_INPUT (no decode was timed), those of reading and writing the
 * file. */
enum status validation_update_profile(struct validation *v, const char *path, struct err *err);

#endif
