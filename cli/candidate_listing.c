#include "cli/candidate_listing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/listing.h"

/* What the table for people shows, in its order; the rest is in the JSON only. */
static const struct {
    const char *column, *title;
} shown[] = {
    {"params",              "params"   },
    {"params_blocks",       "in blocks"},
    {"n_layers",            "layers"   },
    {"n_layers_effective",  "depth"    },
    {"sharing",             "sharing"  },
    {"d_model",             "d_model"  },
    {"n_heads",             "heads"    },
    {"n_kv_heads",          "kv"       },
    {"d_head",              "d_head"   },
    {"d_ff",                "d_ff"     },
    {"vocab_size",          "vocab"    },
    {"tie_embeddings",      "tied"     },
    {"dtype",               "type"     },
    {"decode_ns",           "decode"   },
    {"decode_tok_s",        "speed"    },
    {"prefill_ns",          "prefill"  },
    {"ttft_cold_ns",        "cold TTFT"},
    {"energy_pj_per_token", "energy"   },
    {"peak_bytes",          "memory"   },
    {"on_front",            "front"    },
};

static const char *shown_title(const char *column, const char *by)
{
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i].column, column) == 0)
            return shown[i].title;
    return by != NULL && strcmp(by, column) == 0 ? column : NULL;
}

static enum listing_kind kind_of(const struct column *column)
{
    if (column->type == COLUMN_TEXT)
        return LISTING_TEXT;
    static const struct {
        const char *unit;
        enum listing_kind kind;
    } kinds[] = {
        {"ns",     LISTING_TIME  },
        {"bytes",  LISTING_BYTES },
        {"pJ",     LISTING_ENERGY},
        {"params", LISTING_COUNT },
        {"flop",   LISTING_COUNT },
        {"0/1",    LISTING_BOOL  },
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

static void list(struct listing *listing, const struct rows *rows, const char *by, bool all)
{
    const struct table *table = &tables[TABLE_CANDIDATE];
    const struct candidate_row *candidates = rows->data;
    listing_column(listing, all ? NULL : "id", "ref", LISTING_TEXT, NULL);
    for (int c = 0; c < table->n_columns; c++) {
        const struct column *column = &table->columns[c];
        listing_column(listing, all ? column->name : shown_title(column->name, by), column->name,
                       kind_of(column), unit_of(column));
    }
    for (size_t i = 0; i < rows->n; i++) {
        char reference[48];
        snprintf(reference, sizeof reference, "%lld:%lld", (long long)candidates[i].run_id,
                 (long long)candidates[i].id);
        listing_text(listing, reference);
        for (int c = 0; c < table->n_columns; c++)
            add_field(listing, &candidates[i], &table->columns[c]);
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

enum status candidate_listing_print(struct store *store, const struct candidate_query *query,
                                    bool json, struct err *err)
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
        status = candidate_listing_print(store, &query, args_flag(args, "json"), err);
    store_close(store);
    text_release(&where);
    return status;
}
