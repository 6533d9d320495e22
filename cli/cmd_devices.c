#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/device_listing.h"
#include "cli/listing.h"
#include "device/device.h"

struct line {
    const char *device, *name, *kind, *unit, *runtime, *basis;
    int64_t threads, dram_bytes;
    double dram_gbps, peak_f16_gflops, layer_ns, error_median_frac;
};
static const struct field line_fields[] = {
    LISTED(line, device, UNIT_NONE, "device"),
    LISTED(line, name, UNIT_NONE, "name"),
    LISTED(line, kind, UNIT_NONE, "kind"),
    LISTED(line, unit, UNIT_NONE, "unit"),
    LISTED(line, runtime, UNIT_NONE, "runtime"),
    LISTED(line, threads, UNIT_NONE, "threads"),
    LISTED(line, dram_bytes, UNIT_BYTES, "DRAM"),
    LISTED(line, dram_gbps, UNIT_GBPS, "bandwidth"),
    LISTED(line, peak_f16_gflops, UNIT_GFLOPS, "f16 peak"),
    LISTED(line, layer_ns, UNIT_NS, "a layer"),
    LISTED(line, basis, UNIT_NONE, "basis"),
    LISTED(line, error_median_frac, UNIT_FRAC, "error"),
};

static enum status add_device(struct listing *listing, const char *name, struct err *err)
{
    struct device device;
    struct machine machine;
    enum status status = device_open(name, &device, err);
    if (status != STATUS_OK)
        return status;
    status = machine_resolve(&device, 0, &machine, err);
    if (status != STATUS_OK)
        return status;
    const struct line line = {
        .device = name,
        .name = device.name,
        .kind = device.kind,
        .unit = device.unit,
        .runtime = device.runtime,
        .threads = machine.threads,
        .dram_bytes = device.levels[machine.dram].capacity_bytes,
        .dram_gbps = machine.levels[machine.dram].read_gbps,
        .peak_f16_gflops = machine.peak_gflops[DTYPE_F16],
        .layer_ns = machine.layer_ns,
        .basis = basis_name(device.basis),
        .error_median_frac = device.error_median_frac,
    };
    listing_add(listing, &line);
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
    LISTING_FIELDS(&listing, line_fields);
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = add_device(&listing, names[i], err);
    if (status == STATUS_OK)
        status = listing_print_as(&listing, args_flag(args, "json"), stdout, err);
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
    if (status != STATUS_OK)
        return status;
    status = device_text(name, &text, err);
    if (status != STATUS_OK)
        return status;
    if (args_flag(args, "json")) {
        fputs(text, stdout);
        goto out;
    }
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
