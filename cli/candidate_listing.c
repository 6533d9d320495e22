#include "cli/candidate_listing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/listing.h"
#include "device/interval.h"

/* How people read the store's columns, and which of them tell candidates apart in a table. */
static const struct {
    const char *column, *title;
    bool in_table;
} titles[] = {
    {"n_layers", "layers", true},
    {"n_layers_effective", "depth", true},
    {"sharing", "sharing", true},
    {"repeats", "repeats", false},
    {"share_ffn", "one ffn for all", false},
    {"d_model", "d_model", true},
    {"n_heads", "heads", true},
    {"n_kv_heads", "kv", true},
    {"d_head", "d_head", true},
    {"d_ff", "d_ff", true},
    {"vocab_size", "vocab", false},
    {"tie_embeddings", "tied", true},
    {"ffn_kind", "ffn kind", false},
    {"dtype", "type", false},
    {"head_dtype", "head type", false},
    {"kv_dtype", "kv type", false},
    {"params", "params", true},
    {"params_embedding", "in token table", false},
    {"params_blocks", "in blocks", true},
    {"weight_bytes", "weights", false},
    {"kv_bytes_per_token", "kv cache a token", false},
    {"load_ns", "load", false},
    {"init_ns", "init", false},
    {"prefill_ns", "prefill", true},
    {"ttft_cold_ns", "cold TTFT", true},
    {"decode_ns", "decode", true},
    {"decode_ns_low", "decode, at least", false},
    {"decode_ns_high", "decode, at most", false},
    {"decode_tok_s", "speed", false},
    {"energy_pj_per_token", "energy", true},
    {"peak_bytes", "memory", true},
    {"fits_app_share", "fits the app share", false},
    {"flop_per_token", "flop a token", false},
    {"on_front", "front", true},
};

/* `by`: a column to show although the table leaves it out. A column without a title keeps its name.
 */
static const char *title_of(const char *column, const char *by, bool all)
{
    bool wanted = all || (by != NULL && strcmp(by, column) == 0);
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i].column, column) == 0)
            return wanted || titles[i].in_table ? titles[i].title : NULL;
    return wanted ? column : NULL;
}

static enum listing_kind kind_of(const struct column *column)
{
    if (column->type == COLUMN_TEXT)
        return LISTING_TEXT;
    if (strcmp(column->name, "id") == 0 || strcmp(column->name, "run_id") == 0)
        return LISTING_LEFT_INTEGER;
    static const struct {
        const char *unit;
        enum listing_kind kind;
    } kinds[] = {
        {"ns", LISTING_TIME},      {"bytes", LISTING_BYTES}, {"pJ", LISTING_ENERGY},
        {"params", LISTING_COUNT}, {"flop", LISTING_COUNT},  {"0/1", LISTING_BOOL},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(column->unit, kinds[i].unit) == 0)
            return kinds[i].kind;
    return column->type == COLUMN_INT ? LISTING_INTEGER : LISTING_NUMBER;
}

static const char *unit_of(const struct column *column)
{
    if (strcmp(column->unit, "tokens/s") == 0)
        return "tok/s";
    return NULL;
}

static void add_field(struct listing *listing, const void *row, const struct column *column)
{
    switch (column->type) {
    case COLUMN_TEXT:
        listing_text(listing, row_text(row, column));
        break;
    case COLUMN_REAL:
        listing_number(listing, row_real(row, column));
        break;
    case COLUMN_INT:
        if (row_int(row, column) == ROW_UNKNOWN)
            listing_number(listing, NAN);
        else
            listing_int(listing, row_int(row, column));
        break;
    }
}

/* The fastest of the rows, that others are held against; NULL when there is none. */
static const struct candidate_row *fastest_of(const struct rows *rows)
{
    const struct candidate_row *candidates = rows->data, *best = NULL;
    for (size_t i = 0; i < rows->n; i++)
        if (best == NULL || candidates[i].decode_ns < best->decode_ns)
            best = &candidates[i];
    return best;
}

static void list(struct listing *listing, const struct rows *rows, const char *by, bool all)
{
    const struct table *table = &tables[TABLE_CANDIDATE];
    const struct candidate_row *candidates = rows->data;
    listing_column(listing, all ? NULL : "id", "ref", LISTING_TEXT, NULL);
    for (int c = 0; c < table->n_columns; c++) {
        const struct column *column = &table->columns[c];
        listing_column(listing, title_of(column->name, by, all), column->name, kind_of(column),
                       unit_of(column));
    }
    listing_column(listing, all ? NULL : "like fastest", all ? NULL : "like_fastest", LISTING_BOOL,
                   NULL);
    const struct candidate_row *fastest = fastest_of(rows);
    for (size_t i = 0; i < rows->n; i++) {
        char reference[48];
        snprintf(reference, sizeof reference, "%lld:%lld", (long long)candidates[i].run_id,
                 (long long)candidates[i].id);
        listing_text(listing, reference);
        for (int c = 0; c < table->n_columns; c++)
            add_field(listing, &candidates[i], &table->columns[c]);
        if (isnan(candidates[i].decode_ns_low))
            listing_number(listing, NAN);
        else
            listing_int(listing,
                        intervals_overlap(candidates[i].decode_ns_low, candidates[i].decode_ns_high,
                                          fastest->decode_ns_low, fastest->decode_ns_high));
    }
}

void candidate_listing_fill(struct listing *listing, const struct rows *rows, const char *by)
{
    list(listing, rows, by, false);
}

void candidate_listing_fill_all(struct listing *listing, const struct rows *rows)
{
    list(listing, rows, NULL, true);
}

static enum status print(struct store *store, const struct candidate_query *query, bool json,
                         struct err *err)
{
    struct rows rows = {0};
    struct listing listing = {0};
    enum status status = query_candidates(store, query, &rows, err);
    if (status != STATUS_OK)
        return status;
    candidate_listing_fill(&listing, &rows, query->order_by);
    status =
        json ? listing_print_json(&listing, stdout, err) : listing_print(&listing, stdout, err);
    listing_release(&listing);
    rows_release(&rows);
    return status;
}

static enum status join_where(const struct args *args, struct text *where, struct err *err)
{
    const char *condition;
    for (int i = 0; (condition = args_nth(args, "where", i)) != NULL; i++)
        text_addf(where, "%s(%s)", i > 0 ? " AND " : "", condition);
    return where->failed ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
}

enum status candidate_listing_run(const struct args *args, bool front_only, struct err *err)
{
    struct store *store = NULL;
    struct text where = {0};
    enum status status = join_where(args, &where, err);
    struct candidate_query query = {.run_id = args_int(args, "run", 0),
                                    .where = where.data,
                                    .front_only = front_only,
                                    .order_by = args_text(args, "by"),
                                    .descending = args_flag(args, "descending"),
                                    .limit = args_int(args, "limit", 0)};
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = print(store, &query, args_flag(args, "json"), err);
    store_close(store);
    text_release(&where);
    return status;
}
