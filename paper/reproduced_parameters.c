#include "paper/reproduced_parameters.h"

#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "model/count.h"
#include "model/transformer.h"

enum { VOCABULARY = 32000, FFN_MULTIPLE = 256 };

/* A CSV file of shapes. Columns that a table lacks follow from the others. */
struct shape_table {
    const char *file, *title;
    const char *label;   /* column that names a row, NULL: its shape does */
    const char *layers;  /* column */
    const char *printed; /* column of the printed count in millions, NULL: none */
};

static const struct shape_table shape_tables[] = {
    {"ablation_embedding_sharing.csv", "Table 1", "variant", "layers", "params_m_paper"},
    {"ablation_layer_sharing_method.csv", "Table 2", "method", "layers_distinct", NULL},
    {"ablation_design_roadmap.csv", "Table 10", "step", "layers_distinct", "params_m_paper"},
    {"depth_width_ablation.csv", "Tables 11 and 12", NULL, "layers", "params_m_paper"},
    {"ablation_heads_kv.csv", "Table 13", NULL, "layers", "params_m_paper"},
};

/* LLaMA's rule: 8/3 d_model, up to a multiple of 256. Every shape of the paper keeps it. */
static int64_t ffn_by_rule(int64_t d_model)
{
    return (8 * d_model + 3 * FFN_MULTIPLE - 1) / (3 * FFN_MULTIPLE) * FFN_MULTIPLE;
}

static enum status whole(const struct csv *csv, int row, const char *column, int64_t fallback,
                         int64_t *out, struct err *err)
{
    int c = csv_find_column(csv, column);
    *out = fallback;
    if (c < 0 || csv_is_empty(csv, row, c))
        return STATUS_OK;
    return csv_int(csv, row, c, 1, 1000000000, out, err);
}

static bool starts_with(const struct csv *csv, int row, const char *column, const char *word)
{
    int c = csv_find_column(csv, column);
    return c >= 0 && strncmp(csv_text(csv, row, c), word, strlen(word)) == 0;
}

static enum status read_shape(const struct csv *csv, int row, const char *layers_column,
                              struct transformer *net, struct err *err)
{
    int64_t d_model = 0, layers = 0, heads = 0, kv_heads = 0, d_head = 0, d_ff = 0;
    enum status status = whole(csv, row, "dim", 0, &d_model, err);
    if (!status)
        status = whole(csv, row, layers_column, 0, &layers, err);
    if (!status)
        status = whole(csv, row, "heads", 0, &heads, err);
    if (!status)
        status = whole(csv, row, "kv_heads", heads, &kv_heads, err);
    if (status)
        return status;
    if (d_model == 0 || layers == 0 || heads == 0)
        return csv_error(csv, row, -1, err, "a row without dim, layers or heads");
    status = whole(csv, row, "head_dim", d_model / heads, &d_head, err);
    if (!status)
        status = whole(csv, row, "ffn_hidden", ffn_by_rule(d_model), &d_ff, err);
    if (!status)
        status = whole(csv, row, "ffn_hidden_by_rule", d_ff, &d_ff, err);
    if (status)
        return status;
    transformer_init(net, d_model, layers, heads, kv_heads, d_head, d_ff, VOCABULARY);
    net->tie_embeddings = starts_with(csv, row, "tied_embeddings", "yes");
    if (starts_with(csv, row, "ffn_kind", "relu"))
        net->ffn = FFN_RELU;
    status = transformer_check(net, err);
    return status ? csv_error(csv, row, -1, err, "a shape that cannot be") : STATUS_OK;
}

static enum status add_row(const struct shape_table *table, const struct csv *csv, int row,
                           struct claims *claims, struct err *err)
{
    struct transformer net = {0};
    struct param_count count;
    struct claim *claim;
    double printed;
    int column, exact;
    enum status status = read_shape(csv, row, table->layers, &net, err);
    if (!status)
        status = csv_column(csv, table->printed ? table->printed : "params_computed_exact", &column,
                            err);
    if (!status)
        status = csv_column(csv, "params_computed_exact", &exact, err);
    if (!status)
        status = csv_number(csv, row, column, 0, 1e12, &printed, err);
    if (!status)
        status = claims_add(claims, "parameters", "M", &claim, err);
    if (status)
        return status;
    transformer_count(&net, &count);
    const char *label = table->label ? csv_text(csv, row, csv_find_column(csv, table->label)) : "";
    snprintf(claim->what, sizeof claim->what, "%.5s, %.50s%s%d x %d, %d/%d heads",
             csv_text(csv, row, 0), label, table->label ? ": " : "", (int)net.schedule.n_layers,
             (int)net.d_model, (int)net.stack.first.n_heads, (int)net.stack.first.n_kv_heads);
    snprintf(claim->source, sizeof claim->source, "%s%s", table->title,
             table->printed ? "" : " (size computed, not printed)");
    claim->paper = table->printed ? printed : printed / 1e6;
    claim->closed_form = (double)count.total / 1e6;
    return STATUS_OK;
}

enum status reproduce_parameters(struct claims *claims, struct err *err)
{
    enum status status = STATUS_OK;
    for (size_t t = 0; t < sizeof shape_tables / sizeof *shape_tables && !status; t++) {
        char relative[96], path[4096];
        struct csv *csv = NULL;
        snprintf(relative, sizeof relative, "published/%s", shape_tables[t].file);
        status = file_data_path(relative, path, sizeof path, err);
        if (!status)
            status = csv_open(path, &csv, err);
        for (int row = 0; !status && row < csv_n_rows(csv); row++)
            status = add_row(&shape_tables[t], csv, row, claims, err);
        csv_close(csv);
    }
    return status;
}
