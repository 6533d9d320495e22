#include "cli/table7.h"

#include <math.h>

#include "base/csv.h"
#include "base/file.h"

struct published_latency {
    double load_ms, init_ms, execute_ms;
};

/* NaN where the table has no such model. */
static enum status find(const struct csv *csv, const struct subject *subject,
                        struct published_latency *out, struct err *err)
{
    int params, layers, load, init, execute;
    enum status status;
    *out = (struct published_latency){NAN, NAN, NAN};
    if ((status = csv_column(csv, "params_computed_exact", &params, err)) ||
        (status = csv_column(csv, "layers_effective", &layers, err)) ||
        (status = csv_column(csv, "load_ms", &load, err)) ||
        (status = csv_column(csv, "init_ms", &init, err)) ||
        (status = csv_column(csv, "execute_ms", &execute, err)))
        return status;
    for (int row = 0; row < csv_n_rows(csv); row++) {
        int64_t n_params = 0, n_layers = 0;
        if ((status = csv_int(csv, row, params, 1, INT64_MAX, &n_params, err)) ||
            (status = csv_int(csv, row, layers, 1, 1 << 20, &n_layers, err)))
            return status;
        if (n_params != subject->params || n_layers != subject->n_layers_effective)
            continue;
        if ((status = csv_number(csv, row, load, 0, 1e9, &out->load_ms, err)) ||
            (status = csv_number(csv, row, init, 0, 1e9, &out->init_ms, err)))
            return status;
        return csv_number(csv, row, execute, 0, 1e9, &out->execute_ms, err);
    }
    return STATUS_OK;
}

struct line {
    const char *model;
    int64_t threads;
    double load_ns, init_ns, execute_ns, to_first;
    double load_here_ns, init_here_ns, decode_here_ns, to_first_here;
};
static const struct field line_fields[] = {
    LISTED_TITLE(line, model, UNIT_NONE, "Table 7"),
    LISTED_TITLE(line, threads, UNIT_NONE, "threads"),
    LISTED_TITLE(line, load_ns, UNIT_NS, "load"),
    LISTED_TITLE(line, init_ns, UNIT_NS, "init"),
    LISTED_TITLE(line, execute_ns, UNIT_NS, "execute"),
    LISTED_TITLE(line, to_first, UNIT_NONE, "to first"),
    LISTED_TITLE(line, load_here_ns, UNIT_NS, "load here"),
    LISTED_TITLE(line, init_here_ns, UNIT_NS, "init here"),
    LISTED_TITLE(line, decode_here_ns, UNIT_NS, "decode here"),
    LISTED_TITLE(line, to_first_here, UNIT_NONE, "to first"),
};

/* The first model of a thread count, which the others are told against. */
struct first {
    int64_t threads;
    double execute_ms, decode_ns;
};

/* A line where Table 7 has the row's model, under the workload of the first row. */
static enum status add_row(struct listing *listing, const struct csv *csv,
                           const struct measured_rows *rows, size_t i, struct first *first,
                           struct err *err)
{
    const struct measurement_row *row = &rows->items[i].row;
    const struct subject *at = &row->subject, *from = &rows->items[0].row.subject;
    struct published_latency published;
    enum status status = find(csv, at, &published, err);
    if (status != STATUS_OK)
        return status;
    if (isnan(published.execute_ms) || at->prompt != from->prompt || at->context != from->context)
        return STATUS_OK;
    if (at->threads != first->threads)
        *first = (struct first){at->threads, published.execute_ms, row->decode_ns};
    const struct line line = {
        .model = at->model,
        .threads = at->threads,
        .load_ns = 1e6 * published.load_ms,
        .init_ns = 1e6 * published.init_ms,
        .execute_ns = 1e6 * published.execute_ms,
        .to_first = published.execute_ms / first->execute_ms,
        .load_here_ns = row->load_ns,
        .init_here_ns = row->init_ns,
        .decode_here_ns = row->decode_ns,
        .to_first_here = row->decode_ns / first->decode_ns,
    };
    listing_add(listing, &line);
    return STATUS_OK;
}

enum status table7_print(const struct measured_rows *rows, FILE *stream, struct err *err)
{
    char path[4096];
    struct csv *csv = NULL;
    struct listing l = {0};
    struct first first = {0, NAN, NAN};
    enum status status = file_data_path("published/latency_table7.csv", path, sizeof path, err);
    if (status != STATUS_OK)
        return status;
    status = csv_open(path, &csv, err);
    if (status != STATUS_OK)
        return status;
    LISTING_FIELDS(&l, line_fields);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++)
        status = add_row(&l, csv, rows, i, &first, err);
    if (status != STATUS_OK)
        goto out;
    if (listing_rows(&l) == 0) {
        fprintf(stream, "\nnone of these models is in Table 7\n");
        goto out;
    }
    fprintf(stream, "\n");
    status = listing_print(&l, stream, err);
out:
    listing_release(&l);
    csv_close(csv);
    return status;
}
