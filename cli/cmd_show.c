#include <stdio.h>

#include "cli/candidate_listing.h"
#include "cli/commands.h"
#include "cli/loss_setting.h"
#include "cli/setting.h"

static enum status print_run(struct store *store, int64_t run_id, struct err *err)
{
    struct rows rows = {0};
    char losses[512];
    enum status status = read_run(store, run_id, &rows, err);
    const struct run_row *run = rows.data;
    if (status == STATUS_OK)
        printf("\nfound by 'lathe %s'\non %s (%s), threads %lld, prompt %lld, context %lld\n",
               run->command, run->device, run->started_at, (long long)run->threads,
               (long long)run->prompt, (long long)run->context);
    if (status == STATUS_OK) {
        loss_run_text(run, losses, sizeof losses);
        printf("%s%s", losses, losses[0] != '\0' ? "\n" : "");
    }
    rows_release(&rows);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    int64_t run_id, id;
    struct store *store = NULL;
    struct rows rows = {0};
    struct listing listing = {0};
    enum status status = query_parse_reference(args_operand(args, 0), &run_id, &id, err);
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = query_candidate(store, run_id, id, &rows, err);
    if (status != STATUS_OK)
        goto out;
    candidate_listing_fill_all(&listing, &rows);
    if (args_flag(args, "json")) {
        status = listing_print_object(&listing, 0, stdout, err);
        goto out;
    }
    status = listing_print_record(&listing, 0, stdout, err);
    if (status == STATUS_OK)
        status = print_run(store, ((const struct candidate_row *)rows.data)->run_id, err);
out:
    listing_release(&listing);
    rows_release(&rows);
    store_close(store);
    return status;
}

static const struct option options[] = {
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe show 1:42 --db phone.db", "candidate 42 of run 1"},
    {"lathe show latest:42 --json", "of the latest search, for other programs"},
    {NULL, NULL},
};

const struct command cmd_show = {
    .name = "show",
    .summary = "one candidate of a search in full",
    .operands = "RUN:ID",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .examples = examples,
    .about = "'lathe inspect RUN:ID' counts its parts, 'lathe predict RUN:ID --device D' prices it "
             "elsewhere.",
    .run = run,
};
