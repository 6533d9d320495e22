#include "cli/candidate_listing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/candidate_groups.h"
#include "cli/listing.h"
#include "cli/loss_setting.h"
#include "cli/setting.h"
#include "device/interval.h"

/* A stored candidate, and what can be said of it beside the others. */
struct listed {
    struct candidate_row row;
    const char *ref, *alike, *outdone_by;
    int64_t like_fastest, group;
    double loss_better_probability;
};
static const struct field ref_field = LISTED(listed, ref, UNIT_NONE, "id");
static const struct field like_fastest_key = LISTED_KEY(listed, like_fastest, UNIT_BOOL);
static const struct field alike_field =
    FIELD_OF(struct listed, alike, UNIT_NONE, IN_TABLE | IF_ROWS_DIFFER, "like it", "");
static const struct field group_field = LISTED(listed, group, UNIT_ID, "group");
static const struct field group_key = LISTED_KEY(listed, group, UNIT_ID);
static const struct field better_key = LISTED_KEY(listed, loss_better_probability, UNIT_FRAC);
static const struct field outdone_field = FIELD_OF(
    struct listed, outdone_by, UNIT_NONE, IN_TABLE | IN_JSON | IF_ROWS_DIFFER, "outdone by", "");

static bool is_one_of(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* What a table says of stacks whose layers differ, what it cannot say of them, and what it can say of
 * no others. */
static const char *const of_stacks[] = {"layers_text", "score", NULL};
static const char *const of_uniform[] = {"n_heads", "n_kv_heads", "d_ff", "loss_delta_nats", NULL};
static const char *const only_of_stacks[] = {
    "layers_text",         "layers",   "n_full", "n_windowed",
    "n_without_attention", "kv_bytes", "score",  NULL};

/* `also`: columns to show although the table leaves them out; NULL ends them. */
static void add_field(struct listing *listing, const struct field *field, const char *const *also,
                      bool stacks, bool all)
{
    struct field shown = *field;
    if (!(field->places & IN_STORE))
        return;
    if (stacks && is_one_of(of_uniform, field->name))
        shown.places &= ~(unsigned)IN_TABLE;
    if (stacks && is_one_of(of_stacks, field->name))
        shown.places |= IN_TABLE;
    all = all && (stacks || !is_one_of(only_of_stacks, field->name));
    if (all || is_one_of(also, field->name))
        shown.places = (shown.places | IN_TABLE) & ~(unsigned)IF_ROWS_DIFFER;
    listing_field(listing, &shown);
}

/* Which rows are listed, and in which groups. */
struct choice {
    const struct rows *rows;
    const struct candidate_groups *groups; /* NULL: not grouped */
    bool is_front;
    bool one_a_group;  /* only the first of each is listed */
    size_t *chosen, n; /* rows */
};

static const struct candidate_row *chosen_row(const struct choice *choice, size_t i)
{
    const struct candidate_row *rows = choice->rows->data;
    return &rows[choice->chosen[i]];
}

/* The fastest of the rows, that others are held against; NULL when there is none. */
static const struct price *fastest_of(const struct choice *choice)
{
    const struct price *best = NULL;
    for (size_t i = 0; i < choice->n; i++) {
        const struct price *price = &chosen_row(choice, i)->price;
        if (best == NULL || price->decode_ns < best->decode_ns)
            best = price;
    }
    return best;
}

static int64_t is_like(const struct price *price, const struct price *fastest)
{
    if (isnan(price->decode_ns_low))
        return UNKNOWN_INT;
    return intervals_overlap(price->decode_ns_low, price->decode_ns_high, fastest->decode_ns_low,
                             fastest->decode_ns_high);
}

static void add_fields(struct listing *listing, const struct choice *choice,
                       const char *const *also, bool all)
{
    struct field ref = ref_field;
    bool stacks = choice->n > 0 && chosen_row(choice, 0)->layers != NULL;
    if (all)
        ref.places = IN_JSON;
    listing_field(listing, &ref);
    for (int i = 0; i < candidate_fields.n; i++)
        add_field(listing, &candidate_fields.field[i], also, stacks, all);
    if (!all)
        listing_field(listing, &like_fastest_key);
    if (choice->groups == NULL)
        return;
    listing_field(listing, choice->one_a_group ? &group_key : &group_field);
    listing_field(listing, &better_key);
    if (choice->is_front)
        listing_field(listing, &outdone_field);
    if (choice->one_a_group)
        listing_field(listing, &alike_field);
}

/* "1:8225" */
static char *reference_to(const struct candidate_row *row, char *buffer, size_t size)
{
    snprintf(buffer, size, "%lld:%lld", (long long)row->run_id, (long long)row->id);
    return buffer;
}

/* What the groups say of row `index`; buffer: for its texts. */
struct texts {
    char alike[64], outdone_by[48];
};
static void add_place(struct listed *line, const struct choice *choice, size_t index,
                      struct texts *texts)
{
    const struct alike_place *place = &choice->groups->places[index];
    const struct candidate_row *rows = choice->rows->data;
    size_t by = choice->groups->outdone_by[index];
    line->group = place->group == ALIKE_NONE ? UNKNOWN_INT : (int64_t)place->group + 1;
    line->loss_better_probability = place->loss_better_probability;
    line->alike = candidate_groups_text(choice->groups, choice->rows, index, texts->alike,
                                        sizeof texts->alike);
    if (by != ALIKE_NONE)
        line->outdone_by = reference_to(&rows[by], texts->outdone_by, sizeof texts->outdone_by);
}

static void add_row(struct listing *listing, const struct choice *choice, size_t i,
                    const struct price *fastest)
{
    char reference[48];
    struct texts texts;
    struct listed line = {.row = *chosen_row(choice, i)};
    line.ref = reference_to(&line.row, reference, sizeof reference);
    line.like_fastest = is_like(&line.row.price, fastest);
    if (choice->groups != NULL)
        add_place(&line, choice, choice->chosen[i], &texts);
    listing_add(listing, &line);
}

static void list(struct listing *listing, const struct choice *choice, const char *const *also,
                 bool all)
{
    const struct price *fastest = fastest_of(choice);
    add_fields(listing, choice, also, all);
    for (size_t i = 0; i < choice->n; i++)
        add_row(listing, choice, i, fastest);
}

/* All of them, or the first of each group; of those `limit` (0: all). */
static enum status choose(struct choice *choice, int64_t limit, bool from_end_to_end,
                          struct err *err)
{
    size_t n = 0, keep = (size_t)limit;
    choice->chosen = memory_new(choice->rows->n, sizeof *choice->chosen);
    if (choice->chosen == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < choice->rows->n; i++)
        if (!choice->one_a_group || choice->groups->places[i].first == i)
            choice->chosen[n++] = i;
    choice->n = keep == 0 || n < keep ? n : keep;
    if (from_end_to_end && choice->n < n)
        for (size_t i = 0; i < keep; i++)
            choice->chosen[i] = choice->chosen[keep == 1 ? 0 : i * (n - 1) / (keep - 1)];
    return STATUS_OK;
}

static void fill_with_all(struct listing *listing, const struct rows *rows, const char *const *also,
                          bool all)
{
    struct choice choice = {.rows = rows};
    if (choose(&choice, 0, false, NULL) == STATUS_OK)
        list(listing, &choice, also, all);
    else
        listing->failed = true;
    memory_free(choice.chosen);
}

void candidate_listing_fill(struct listing *listing, const struct rows *rows,
                            const char *const *also)
{
    fill_with_all(listing, rows, also, false);
}

void candidate_listing_fill_all(struct listing *listing, const struct rows *rows)
{
    fill_with_all(listing, rows, (const char *const[]){NULL}, true);
}

/* Of the rows listed: how many the law judges from beyond its data. */
static void say_what_is_outside(const struct choice *choice)
{
    size_t n = 0;
    for (size_t i = 0; i < choice->n; i++) {
        const char *outside = chosen_row(choice, i)->loss.quality_outside;
        n += outside != NULL && outside[0] != '\0';
    }
    if (n > 0)
        fprintf(stderr,
                "%zu of the rows listed are where the law's data end: 'show' and --json say how\n",
                n);
}

static void say_what_is_shown(const struct choice *choice, const struct candidate_view *view)
{
    if (!view->json)
        say_what_is_outside(choice);
    if (choice->one_a_group && choice->groups->n_outdone > 0)
        fprintf(
            stderr,
            "%zu of the front are left out: another is as fast, as far as can be told, and better "
            "beyond doubt (--limit 0: all)\n",
            choice->groups->n_outdone);
    if (view->from_end_to_end &&
        choice->n < (choice->one_a_group ? choice->groups->n_groups : choice->rows->n))
        fprintf(stderr,
                choice->one_a_group
                    ? "%zu of the front from end to end, of %zu that can be told apart:\n"
                    : "%zu of the front from end to end, in %zu groups:\n",
                choice->n, choice->groups->n_groups);
}

enum status candidate_listing_print(struct store *store, const struct rows *rows,
                                    const struct candidate_view *view, struct err *err)
{
    struct listing listing = {0};
    struct candidate_groups groups;
    struct choice choice = {.rows = rows, .groups = &groups, .is_front = view->is_front};
    enum status status = candidate_groups_make(store, rows, view->is_front, &groups, err);
    choice.one_a_group = !view->json && view->limit != 0;
    if (status == STATUS_OK)
        status = choose(&choice, view->limit, view->from_end_to_end, err);
    if (status == STATUS_OK) {
        say_what_is_shown(&choice, view);
        list(&listing, &choice, (const char *const[]){view->by, NULL}, false);
        status = listing_print_as(&listing, view->json, stdout, err);
    }
    listing_release(&listing);
    candidate_groups_release(&groups);
    memory_free(choice.chosen);
    return status;
}

/* For what training the losses of a run are. */
static enum status say_of_losses(struct store *store, int64_t run_id, struct err *err)
{
    char losses[512];
    struct rows rows = {0};
    enum status status = read_run(store, run_id, &rows, err);
    if (status == STATUS_OK)
        loss_run_text(rows.data, losses, sizeof losses);
    if (status == STATUS_OK && losses[0] != '\0')
        fprintf(stderr, "%s\n", losses);
    rows_release(&rows);
    return status;
}

static enum status print(struct store *store, const struct candidate_query *query,
                         const struct candidate_view *view, struct err *err)
{
    struct rows rows = {0};
    enum status status = query_candidates(store, query, &rows, err);
    const struct candidate_row *first = rows.data;
    if (status == STATUS_OK && rows.n > 0 && !view->json)
        status = say_of_losses(store, first->run_id, err);
    if (status == STATUS_OK)
        status = candidate_listing_print(store, &rows, view, err);
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

enum status candidate_listing_query(const struct args *args, struct text *where,
                                    struct candidate_query *out, struct err *err)
{
    enum status status = join_where(args, where, err);
    *out = (struct candidate_query){.run_id = args_int(args, "run", 0),
                                    .where = where->data,
                                    .order_by = args_text(args, "by"),
                                    .descending = args_flag(args, "descending")};
    return status;
}

enum status candidate_listing_run(const struct args *args, bool front_only, struct err *err)
{
    struct store *store = NULL;
    struct text where = {0};
    struct candidate_query query;
    enum status status = candidate_listing_query(args, &where, &query, err);
    query.front_only = front_only;
    query.limit = front_only ? 0 : args_int(args, "limit", 0);
    const struct candidate_view view = {.limit = args_int(args, "limit", 0),
                                        .is_front = front_only,
                                        .by = query.order_by,
                                        .json = args_flag(args, "json")};
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = print(store, &query, &view, err);
    store_close(store);
    text_release(&where);
    return status;
}
