#include "calibrate/calibration_profile.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/version.h"
#include "device/profile_write.h"

struct profile {
    const struct calibration *calibration;
    struct sourced_device settled;
};

static void describe(const struct calibration *c, const struct evidence *e,
                     struct number_source *out)
{
    size_t size = sizeof out->text;
    int used;
    out->kind = e->kind;
    if (e->note != NULL) {
        snprintf(out->text, size, "%.*s", (int)size - 1, e->note);
        return;
    }
    used = snprintf(out->text, size, "lathe calibrate, %.10s: ", c->measured_at);
    char *text = out->text + used;
    size -= (size_t)used;
    if (e->kind == NUMBER_FITTED)
        used = snprintf(text, size, "fitted to %d timings of networks", e->n);
    else if (e->mad <= 0)
        used = snprintf(text, size, "from kernels alone");
    else if (e->n_disturbed > 0)
        used = snprintf(text, size, "median of %d, MAD %.2g, %d disturbed left out", e->n, e->mad,
                        e->n_disturbed);
    else
        used = snprintf(text, size, "median of %d, MAD %.2g", e->n, e->mad);
    if (e->cut_from > 0)
        snprintf(text + used, size - (size_t)used, ", cut from %.4g", e->cut_from);
}

static bool is_capacity(const struct device *device, const void *number)
{
    for (int i = 0; i < device->n_levels - 1; i++)
        if (number == &device->levels[i].capacity_bytes)
            return true;
    return false;
}

static bool find_source(const void *context, const void *number, struct number_source *out)
{
    const struct profile *profile = context;
    const struct device *device = &profile->settled.device;
    if (is_capacity(device, number)) {
        *out = (struct number_source){NUMBER_MEASURED, "as the operating system tells it"};
        return true;
    }
    size_t offset = (size_t)((const char *)number - (const char *)device);
    const struct evidence *evidence = &profile->settled.evidence[offset / sizeof(double)];
    if (!evidence->is_given)
        return false;
    describe(profile->calibration, evidence, out);
    return true;
}

/* A line a timing: for people, who can grep it. */
static void list_networks(const void *context, struct json_node *list)
{
    const struct calibration *c = ((const struct profile *)context)->calibration;
    for (int i = 0; i < c->n_trials; i++) {
        const struct trial *t = &c->trials[i];
        char line[320], prefill[96] = "";
        if (t->prompt > 0)
            snprintf(prefill, sizeof prefill, "; %.4g ms for a prompt of %d",
                     trial_prefill_ns(t) * 1e-6, (int)t->prompt);
        snprintf(line, sizeof line, "%s %s, %d threads: %.4g ms a token after %d%s; %d rounds",
                 t->net->name, dtype_name(t->net->block_dtype), t->threads,
                 trial_decode_ns(t) * 1e-6, (int)t->context, prefill, t->n_rounds);
        json_add_string(list, NULL, line);
    }
}

enum status calibration_profile(const struct calibration *c, char **text, struct err *err)
{
    char comment[512];
    struct profile *profile = memory_new(1, sizeof *profile);
    if (profile == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    profile->calibration = c;
    calibration_settle(c, &profile->settled);
    snprintf(comment, sizeof comment,
             "Written by lathe calibrate %s (%s) at %s with %s; kernels: %s. Times are medians; "
             "a level was read at half its usable size.",
             version_number(), version_commit(), c->measured_at, version_compiler(), c->isa_names);
    const struct profile_notes notes = {
        .comment = comment, .source = find_source, .networks = list_networks, .context = profile};
    enum status status = device_write(&profile->settled.device, &notes, text, err);
    memory_free(profile);
    return status;
}
