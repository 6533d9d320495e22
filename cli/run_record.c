#include "cli/run_record.h"

#include "base/version.h"

void run_record_start(const struct args *args, struct run_row *out)
{
    row_clear(TABLE_RUN, out);
    out->verb = args_verb(args);
    out->command = args_line(args);
    out->version = version_number();
}

struct device_row device_record(const struct device *device, const char *profile)
{
    struct device_row row;
    row_clear(TABLE_DEVICE, &row);
    row.name = device->id;
    row.title = device->name;
    row.kind = device->kind;
    row.unit = device->unit;
    row.runtime = device->runtime;
    row.basis = basis_name(device->basis);
    row.profile = profile;
    return row;
}

enum status run_record_begin(struct store *store, const struct device_row *device,
                             struct run_row *run, struct err *err)
{
    if (device != NULL) {
        enum status status = store_put_device(store, device, &run->device_id, err);
        if (status != STATUS_OK)
            return status;
        run->device = device->name;
    }
    return store_begin_run(store, run, err);
}

enum status run_record_end(struct store *store, int64_t run_id, bool is_whole, struct err *err)
{
    return is_whole ? store_finish_run(store, run_id, err)
                    : store_interrupt_run(store, run_id, err);
}
