#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/device_listing.h"
#include "cli/listing.h"
#include "device/device.h"

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

static enum status show_device(const struct args *args, const char *name, struct err *err)
{
    struct device device;
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
        status = device_listing(&listing, name, text, err);
    if (status != STATUS_OK)
        goto out;
    status = listing_print(&listing, stdout, err);
out:
    listing_release(&listing);
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
    {"lathe devices", "the profiles that come with lathe"},
    {"lathe devices iphone-13", "every number of one, with where it comes from"},
    {"lathe devices iphone-13 --json > my-phone.json", "a profile to start your own from"},
    {NULL, NULL},
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
