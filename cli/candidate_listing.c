#include "cli/candidate_listing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/listing.h"
#include "device/interval.h"

/* A stored candidate, and what can be said of it beside the others. */
struct listed {
    struct candidate_row row;
    const char *ref;
    int64_t like_fastest;
};
static const struct field ref_field = LISTED(listed, ref, UNIT_NONE, "id");
static const struct field like_fastest_field =
    LISTED(listed, like_fastest, UNIT_BOOL, "like fastest");

/* `by`: a column to show although the table leaves it out. */
static void add_field(struct listing *listing, const struct field *field, const char *by, bool all)
{
    struct field shown = *field;
    if (!(field->places & IN_STORE))
        return;
    if (all || (by != NULL && strcmp(by, field->name) == 0))
        shown.places |= IN_TABLE;
    listing_field(listing, &shown);
}

/* The fastest of the rows, that others are held against; NULL when there is none. */
static const struct price *fastest_of(const struct rows *rows)
{
    const struct candidate_row *candidates = rows->data;
    const struct price *best = NULL;
    for (size_t i = 0; i < rows->n; i++)
        if (best == NULL || candidates[i].price.decode_ns < best->decode_ns)
            best = &candidates[i].price;
    return best;
}

static int64_t is_like(const struct price *price, const struct price *fastest)
{
    if (isnan(price->decode_ns_low))
        return UNKNOWN_INT;
    return intervals_overlap(price->decode_ns_low, price->decode_ns_high, fastest->decode_ns_low,
                             fastest->decode_ns_high);
}

static void list(struct listing *listing, const struct rows *rows, const char *by, bool all)
{
    const struct candidate_row *candidates = rows->data;
    const struct price *fastest = fastest_of(rows);
    struct field ref = ref_field;
    if (all)
        ref.places = IN_JSON;
    listing_field(listing, &ref);
    for (int i = 0; i < candidate_fields.n; i++)
        add_field(listing, &candidate_fields.field[i], by, all);
    if (!all)
        listing_field(listing, &like_fastest_field);
    for (size_t i = 0; i < rows->n; i++) {
        char reference[48];
        snprintf(reference, sizeof reference, "%lld:%lld", (long long)candidates[i].run_id,
                 (long long)candidates[i].id);
        const struct listed line = {candidates[i], reference,
                                    is_like(&candidates[i].price, fastest)};
        listing_add(listing, &line);
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
