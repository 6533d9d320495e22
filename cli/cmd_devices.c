#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "costmodel/device.h"

static enum status add_device(struct listing *listing, const char *name, struct err *err)
{
    struct device device;
    struct machine machine;
    enum status status = device_open(name, &device, err);
    if (status == STATUS_OK)
        status = machine_resolve(&device, 0, &machine, err);
    if (status != STATUS_OK)
        return status;
    listing_text(listing, name);
    listing_text(listing, device.name);
    listing_text(listing, device.kind);
    listing_text(listing, device.unit);
    listing_text(listing, device.runtime);
    listing_int(listing, machine.threads);
    listing_int(listing, device.levels[machine.dram].capacity_bytes);
    listing_number(listing, machine.levels[machine.dram].read_gbps);
    listing_number(listing, machine.peak_gflops[DTYPE_F16]);
    listing_number(listing, machine.layer_ns);
    listing_text(listing, basis_name(device.basis));
    listing_number(listing, device.error_median_frac);
    return STATUS_OK;
}

static enum status list_devices(const struct args *args, struct err *err)
{
    char **names = NULL;
    int n = 0;
    struct listing listing = {0};
    enum status status = device_names(&names, &n, err);
    if (status != STATUS_OK)
        return status;
    if (args_flag(args, "names")) {
        for (int i = 0; i < n; i++)
            puts(names[i]);
        goto out;
    }
    listing_column(&listing, "device", "device", LISTING_TEXT, NULL);
    listing_column(&listing, "name", "name", LISTING_TEXT, NULL);
    listing_column(&listing, "kind", "kind", LISTING_TEXT, NULL);
    listing_column(&listing, "unit", "unit", LISTING_TEXT, NULL);
    listing_column(&listing, "runtime", "runtime", LISTING_TEXT, NULL);
    listing_column(&listing, "threads", "threads", LISTING_INTEGER, NULL);
    listing_column(&listing, "DRAM", "dram_bytes", LISTING_BYTES, NULL);
    listing_column(&listing, "bandwidth", "dram_gbps", LISTING_NUMBER, "GB/s");
    listing_column(&listing, "f16 peak", "peak_f16_gflops", LISTING_NUMBER, "GFLOP/s");
    listing_column(&listing, "a layer", "layer_ns", LISTING_TIME, NULL);
    listing_column(&listing, "basis", "basis", LISTING_TEXT, NULL);
    listing_column(&listing, "error", "error_median_frac", LISTING_FRAC, NULL);
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = add_device(&listing, names[i], err);
    if (status == STATUS_OK)
        status = args_flag(args, "json") ? listing_print_json(&listing, stdout, err)
                                         : listing_print(&listing, stdout, err);
out:
    listing_release(&listing);
    device_names_free(names, n);
    return status;
}

/* A profile's value as written: a number, a text, or one of a list with its thread count. */
static void value_text(const struct json *at, char *buffer, size_t size)
{
    double number;
    const char *text;
    bool yes;
    if (json_is_number(at) && json_number(at, -INFINITY, INFINITY, &number, NULL) == STATUS_OK)
        snprintf(buffer, size, "%.10g", number);
    else if (json_is_string(at) && json_string(at, &text, NULL) == STATUS_OK)
        snprintf(buffer, size, "%s", text);
    else if (json_bool(at, &yes, NULL) == STATUS_OK)
        snprintf(buffer, size, "%s", yes ? "yes" : "no");
    else
        snprintf(buffer, size, "-");
}

static const char *text_member(const struct json *object, const char *key)
{
    const char *text = "";
    struct json member = json_member(object, key);
    if (json_is_string(&member) && json_string(&member, &text, NULL) != STATUS_OK)
        return "";
    return text;
}

static void add_value(struct listing *listing, const char *path, const struct json *value,
                      const char *kind, const char *source)
{
    char text[256];
    value_text(value, text, sizeof text);
    listing_text(listing, path);
    listing_text(listing, text);
    listing_text(listing, kind);
    listing_text(listing, source);
}

/* Every leaf of the profile, with the provenance that stands beside it. */
static void walk(struct listing *listing, const struct json *at, const char *path)
{
    struct json value = json_member(at, "value");
    if (json_is_object(at) && !json_is_null(&value)) {
        add_value(listing, path, &value, text_member(at, "kind"), text_member(at, "source"));
        return;
    }
    if (!json_is_object(at) && !json_is_array(at)) {
        add_value(listing, path, at, "", "");
        return;
    }
    struct json child = json_first(at);
    for (int i = 0; child.item != NULL; child = json_next(&child), i++) {
        char longer[512];
        struct json threads = json_member(&child, "threads");
        struct json name = json_member(&child, "name");
        char label[64];
        if (child.key != NULL)
            snprintf(longer, sizeof longer, "%s%s%s", path, *path != 0 ? "." : "", child.key);
        else if (json_is_number(&threads)) {
            value_text(&threads, label, sizeof label);
            snprintf(longer, sizeof longer, "%s, %s threads", path, label);
        } else if (json_is_string(&name)) {
            value_text(&name, label, sizeof label);
            snprintf(longer, sizeof longer, "%s[%s]", path, label);
        } else
            snprintf(longer, sizeof longer, "%s[%d]", path, i);
        walk(listing, &child, longer);
    }
}

static enum status show_device(const struct args *args, const char *name, struct err *err)
{
    struct device device;
    struct json_doc *doc = NULL;
    struct json root;
    struct listing listing = {0};
    char *text = NULL;
    enum status status = device_open(name, &device, err);
    if (status == STATUS_OK)
        status = device_text(name, &text, err);
    if (status == STATUS_OK && args_flag(args, "json")) {
        fputs(text, stdout);
        goto out;
    }
    if (status == STATUS_OK)
        status = json_parse(name, text, (int64_t)strlen(text), &doc, &root, err);
    if (status != STATUS_OK)
        goto out;
    listing_column(&listing, "number", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "value", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "kind", NULL, LISTING_TEXT, NULL);
    listing_column(&listing, "source", NULL, LISTING_TEXT, NULL);
    walk(&listing, &root, "");
    status = listing_print(&listing, stdout, err);
out:
    listing_release(&listing);
    json_close(doc);
    memory_free(text);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    if (args_n_operands(args) == 0)
        return list_devices(args, err);
    return show_device(args, args_operand(args, 0), err);
}

static const struct option options[] = {
    ROW_FLAG("names", "print the names only, one a line"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe devices",                                  "the profiles that come with lathe"            },
    {"lathe devices iphone-13",                        "every number of one, with where it comes from"},
    {"lathe devices iphone-13 --json > my-phone.json", "a profile to start your own from"             },
    {NULL,                                             NULL                                           },
};

const struct command cmd_devices = {
    .name = "devices",
    .summary = "list device profiles, or show one with the source of every number",
    .operands = "[DEVICE]",
    .operand_values = "@device",
    .max_operands = 1,
    .options = options,
    .examples = examples,
    .about = "",
    .run = run,
};
