/* A fit as a device profile (docs/profiles.md): the base profile with the fitted numbers in place.
 *
 * A fitted number says so in its source, with rows and residuals. The other numbers keep the base's
 * value, kind and source, with two exceptions of kind `estimate`: a level above DRAM that is slower
 * than the fitted DRAM is raised to it, and a compute peak below what the rows show is raised too.
 * Read back and resolved at a thread count of the rows, the profile prices every row as the fit
 * does (to six digits). */
#ifndef LATHE_FIT_FIT_PROFILE_H
#define LATHE_FIT_FIT_PROFILE_H

#include "base/json.h"
#include "fit/fit_device.h"

struct fit_profile_names {
    const char *name;    /* of the profile */
    const char *runtime; /* whose timings they are */
    const char *files;   /* where the rows came from, for the sources */
};

/* base: the profile that fit->base was read from. Free *text with memory_free. Errors:
 * STATUS_NOMEM. */
enum status fit_profile(const struct device_fit *fit, const struct json *base,
                        const struct fit_profile_names *names, char **text, struct err *err);

#endif
