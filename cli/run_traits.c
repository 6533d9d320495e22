#include "cli/run_traits.h"

#include <assert.h>
#include <stdio.h>

#include "cli/setting.h"

void stored_run_release(struct stored_run *stored)
{
    rows_release(&stored->runs);
    rows_release(&stored->devices);
    rows_release(&stored->laws);
}

/* The row with that id; *row NULL: there is none to have. */
static enum status read_row(struct store *store, enum table_id table, int64_t id, struct rows *rows,
                            const void **row, struct err *err)
{
    char where[64];
    *row = NULL;
    if (id == ROW_UNKNOWN)
        return STATUS_OK;
    snprintf(where, sizeof where, "id = %lld", (long long)id);
    enum status status = query_rows(store, table, where, NULL, rows, err);
    if (status == STATUS_OK && rows->n != 1)
        status = err_set(err, STATUS_INPUT, "'%s' lacks row %lld of table %s", store_path(store),
                         (long long)id, tables[table].fields->name);
    *row = status == STATUS_OK ? rows->data : NULL;
    return status;
}

enum status stored_run_read(struct store *store, int64_t run_id, struct stored_run *out,
                            struct err *err)
{
    const void *device, *law;
    enum status status = read_run(store, run_id, &out->runs, err);
    if (status != STATUS_OK)
        return status;
    out->run = out->runs.data;
    if ((status =
             read_row(store, TABLE_DEVICE, out->run->device_id, &out->devices, &device, err)) ||
        (status = read_row(store, TABLE_LAW, out->run->law_id, &out->laws, &law, err)))
        return status;
    out->device = device;
    out->law = law;
    return STATUS_OK;
}

static const struct {
    const char *name;
    const char *column; /* of run */
} traits[N_RUN_TRAITS] = {
    {"version of lathe", "version"},
    {"space", "space"},
    {"least parameters", "budget_min"},
    {"most parameters", "budget_max"},
    {"device profile", NULL},
    {"threads", "threads"},
    {"prompt", "prompt"},
    {"context", "context"},
    {"objectives", "objectives"},
    {"constraints", "constraints"},
    {"keep", "keep"},
    {"law of loss", NULL},
    {"recipe", "recipe"},
    {"training tokens", "train_tokens"},
    {"reference", "reference_shapes"},
};
enum { TRAIT_DEVICE = 4, TRAIT_LAW = 11 };

const char *run_trait_name(int i)
{
    return traits[i].name;
}

void run_trait(const struct stored_run *stored, int i, struct text *out)
{
    const char *text = NULL;
    if (i == TRAIT_DEVICE) {
        text = stored->device != NULL ? stored->device->profile : NULL;
    } else if (i == TRAIT_LAW) {
        text = stored->law != NULL ? stored->law->law : NULL;
    } else {
        const struct field *column = field_find(tables[TABLE_RUN].fields, traits[i].column);
        assert(column != NULL);
        if (column->type == FIELD_TEXT)
            text = field_text(column, stored->run);
        else if (field_int(column, stored->run) != ROW_UNKNOWN)
            text_addf(out, "%lld", (long long)field_int(column, stored->run));
    }
    text_add(out, text != NULL ? text : "");
}

/* FNV-1a, with a 0 between two traits. */
uint64_t run_traits_hash(const struct stored_run *stored)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < N_RUN_TRAITS; i++) {
        struct text text = {0};
        run_trait(stored, i, &text);
        for (size_t c = 0; c <= text.length; c++)
            hash = (hash ^ (c < text.length ? (unsigned char)text.data[c] : 0)) *
                   UINT64_C(1099511628211);
        text_release(&text);
    }
    return hash;
}

enum status joined_run_begin(const struct stored_run *part, const char *command, const char *keep,
                             struct store *store, int64_t *run_id, struct err *err)
{
    struct run_row run = *part->run;
    enum status status = STATUS_OK;
    run.command = command;
    run.keep = keep;
    run.shard = run.n_shards = ROW_UNKNOWN;
    run.parts = run.started_at = NULL;
    run.position = 0;
    if (part->device != NULL)
        status = store_put_device(store, part->device, &run.device_id, err);
    if (status == STATUS_OK && part->law != NULL)
        status = store_put_law(store, part->law, &run.law_id, err);
    if (status == STATUS_OK)
        status = store_begin_run(store, &run, err);
    *run_id = run.id;
    return status;
}
