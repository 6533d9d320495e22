#include "cli/model_source.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/candidate_rows.h"
#include "cli/setting.h"
#include "model/file_type.h"
#include "model/model_arg.h"

/* The space a run searched tells what its rows leave out. */
static enum status max_context_of(struct store *store, int64_t run_id, int64_t *max_context,
                                  struct err *err)
{
    struct rows rows = {0};
    struct space space;
    enum status status = read_run(store, run_id, &rows, err);
    if (status == STATUS_OK)
        status = run_space(rows.data, &space, err);
    if (status == STATUS_OK)
        *max_context = space.max_context;
    rows_release(&rows);
    return status;
}

static enum status open_candidate(const char *db, int64_t run_id, int64_t id,
                                  struct transformer *out, struct err *err)
{
    struct store *store = NULL;
    struct rows rows = {0};
    int64_t max_context = 0;
    enum status status = store_open(db, STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = query_candidate(store, run_id, id, &rows, err);
    const struct candidate_row *row = rows.data;
    if (status == STATUS_OK)
        status = max_context_of(store, row->run_id, &max_context, err);
    if (status == STATUS_OK)
        status = row_to_transformer(row, max_context, out, err);
    rows_release(&rows);
    store_close(store);
    return status;
}

static enum status open_file_or_preset(const struct args *args, const char *model,
                                       struct transformer *out, struct err *err)
{
    struct text warnings = {0};
    enum status status = model_open(model, out, &warnings, err);
    if (status == STATUS_OK)
        warn_lines(args, warnings.data);
    text_release(&warnings);
    return status;
}

static void warn_of_fallbacks(const struct args *args, const struct transformer *net)
{
    struct fallbacks fallbacks;
    transformer_fallbacks(net, &fallbacks);
    if (fallbacks.n > 0)
        warn(args,
             "%s as %s: rows of %lld are no whole blocks: %lld of %lld matrices have the type that "
             "llama.cpp takes instead",
             net->name, transformer_dtype_name(net), (long long)fallbacks.row,
             (long long)fallbacks.n, (long long)fallbacks.of);
}

enum status apply_weight_types(const struct args *args, struct transformer *net, struct err *err)
{
    enum dtype dtype;
    enum status status = STATUS_OK;
    if (args_dtype(args, "dtype", &dtype))
        status = transformer_set_weights(net, dtype, err);
    if (args_dtype(args, "head-dtype", &dtype))
        net->embedding_dtype = net->head_dtype = dtype;
    if (status == STATUS_OK)
        warn_of_fallbacks(args, net);
    return status;
}

enum status apply_types(const struct args *args, struct transformer *net, struct err *err)
{
    args_dtype(args, "kv-dtype", &net->kv_dtype);
    return apply_weight_types(args, net, err);
}

enum status open_stored_model(const struct args *args, const char *model, struct transformer *out,
                              struct err *err)
{
    int64_t run_id, id;
    bool stored = query_parse_reference(model, &run_id, &id, NULL) == STATUS_OK;
    return stored && !file_exists(model)
               ? open_candidate(args_text(args, "db"), run_id, id, out, err)
               : open_file_or_preset(args, model, out, err);
}

enum status open_model(const struct args *args, const char *model, struct transformer *out,
                       struct err *err)
{
    enum status status = open_stored_model(args, model, out, err);
    if (status != STATUS_OK)
        return status;
    status = apply_types(args, out, err);
    if (status != STATUS_OK)
        transformer_release(out);
    return status;
}

const struct block *typical_block(const struct transformer *net)
{
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        if (transformer_block(net, i)->n_experts > 0)
            return transformer_block(net, i);
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        if (transformer_block(net, i)->mixer == MIXER_ATTENTION)
            return transformer_block(net, i);
    return transformer_block(net, 0);
}
