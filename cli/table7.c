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

enum status table7_print(const struct measured_rows *rows, FILE *stream, struct err *err)
{
    char path[4096];
    struct csv *csv = NULL;
    struct listing l = {0};
    enum status status = file_data_path("published/latency_table7.csv", path, sizeof path, err);
    if (status == STATUS_OK)
        status = csv_open(path, &csv, err);
    LISTING_FIELDS(&l, line_fields);
    double first = NAN, first_here = NAN;
    int64_t threads = 0;
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++) {
        const struct measurement_row *row = &rows->items[i].row;
        const struct subject *at = &row->subject, *from = &rows->items[0].row.subject;
        struct published_latency published;
        status = find(csv, at, &published, err);
        if (status != STATUS_OK || isnan(published.execute_ms) || at->prompt != from->prompt ||
            at->context != from->context)
            continue;
        if (at->threads != threads)
            first = published.execute_ms, first_here = row->decode_ns;
        threads = at->threads;
        const struct line line = {
            .model = at->model,
            .threads = at->threads,
            .load_ns = 1e6 * published.load_ms,
            .init_ns = 1e6 * published.init_ms,
            .execute_ns = 1e6 * published.execute_ms,
            .to_first = published.execute_ms / first,
            .load_here_ns = row->load_ns,
            .init_here_ns = row->init_ns,
            .decode_here_ns = row->decode_ns,
            .to_first_here = row->decode_ns / first_here,
        };
        listing_add(&l, &line);
    }
    if (status == STATUS_OK && listing_rows(&l) == 0) {
        fprintf(stream, "\nnone of these models is in Table 7\n");
    } else if (status == STATUS_OK) {
        fprintf(stream, "\n");
        status = listing_print(&l, stream, err);
    }
    listing_release(&l);
    csv_close(csv);
    return status;
}
