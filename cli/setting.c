#include "cli/setting.h"

#include <stdio.h>
#include <string.h>

#include "device/device.h"

enum status setting_of_options(const struct args *args, const char *name, struct setting *out,
                               struct err *err)
{
    struct device device;
    enum status status = device_open(name, &device, err);
    if (status != STATUS_OK)
        return status;
    *out = (struct setting){.workload = {.prompt = args_int(args, "prompt", DEFAULT_PROMPT),
                                         .context = args_int(args, "context", DEFAULT_CONTEXT)}};
    return machine_resolve(&device, (int)args_int(args, "threads", 0), &out->machine, err);
}

enum status read_run(struct store *store, int64_t run_id, struct rows *rows, struct err *err)
{
    char where[64];
    enum status status = query_run_id(store, run_id, &run_id, err);
    if (status != STATUS_OK)
        return status;
    snprintf(where, sizeof where, "id = %lld", (long long)run_id);
    status = query_rows(store, TABLE_RUN, where, NULL, rows, err);
    if (status == STATUS_OK && rows->n != 1)
        status = err_set(err, STATUS_NOT_FOUND, "no run %lld", (long long)run_id);
    return status;
}

enum status run_space(const struct run_row *run, struct space *out, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    if (run->space == NULL)
        return err_set(err, STATUS_INPUT, "run %lld has no space", (long long)run->id);
    enum status status =
        json_parse("space", run->space, (int64_t)strlen(run->space), &doc, &root, err);
    if (status == STATUS_OK)
        status = space_parse(&root, out, err);
    json_close(doc);
    return status;
}

enum status run_device(struct store *store, const struct run_row *run, struct device *out,
                       struct err *err)
{
    char where[64];
    struct rows rows = {0};
    struct json_doc *doc = NULL;
    struct json root;
    snprintf(where, sizeof where, "id = %lld", (long long)run->device_id);
    enum status status = query_rows(store, TABLE_DEVICE, where, NULL, &rows, err);
    const struct device_row *row = rows.data;
    if (status == STATUS_OK && (rows.n != 1 || row->profile == NULL || row->name == NULL))
        status = err_set(err, STATUS_INPUT, "the run's device profile is not in the database");
    if (status == STATUS_OK)
        status =
            json_parse(row->name, row->profile, (int64_t)strlen(row->profile), &doc, &root, err);
    if (status == STATUS_OK)
        status = device_parse(&root, out, err);
    if (status == STATUS_OK)
        snprintf(out->id, sizeof out->id, "%s", row->name);
    json_close(doc);
    rows_release(&rows);
    return status;
}

enum status setting_of_run(struct store *store, int64_t run_id, struct setting *out,
                           int64_t *found_run_id, struct budget *budget, struct err *err)
{
    struct rows rows = {0};
    struct device device;
    struct space space;
    enum status status = read_run(store, run_id, &rows, err);
    const struct run_row *run = rows.data;
    if (status != STATUS_OK || (status = run_device(store, run, &device, err)) ||
        (status = run_space(run, &space, err)) ||
        (status = machine_resolve(&device, (int)run->threads, &out->machine, err)))
        goto out;
    *found_run_id = run->id;
    *budget = (struct budget){.min = run->budget_min, .max = run->budget_max};
    out->workload = (struct workload){.prompt = run->prompt, .context = run->context};
    out->has_dtype = space.n_dtypes == 1;
    out->dtype = space.dtype[0];
    out->has_kv_dtype = space.n_kv_dtypes == 1;
    out->kv_dtype = space.kv_dtype[0];
out:
    rows_release(&rows);
    return status;
}
