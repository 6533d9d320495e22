#include <stdio.h>

#include "cli/candidate_listing.h"
#include "cli/commands.h"
#include "cli/decision_text.h"

static enum status print_decision(const struct args *args, const struct decision *decision,
                                  struct err *err)
{
    struct text text = {0};
    if (args_flag(args, "json"))
        return print_json(decision_json(decision), stdout, err);
    decision_words(decision, &text);
    enum status status = text.failed ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    if (status == STATUS_OK)
        printf("\n%s", text.data);
    text_release(&text);
    return status;
}

static enum status help_to_decide(const struct args *args, struct err *err)
{
    struct store *store = NULL;
    struct text where = {0};
    struct candidate_query query;
    struct decision decision = {0};
    enum status status = candidate_listing_query(args, &where, &query, err);
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_READ, &store, err);
    if (status == STATUS_OK)
        status = decision_make(store, &query, (size_t)args_int(args, "pick", 0), &decision, err);
    if (status == STATUS_OK)
        status = print_decision(args, &decision, err);
    decision_release(&decision);
    store_close(store);
    text_release(&where);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    bool decides = args_flag(args, "why") || args_given(args, "pick");
    enum status status = STATUS_OK;
    if (!decides || !args_flag(args, "json"))
        status = candidate_listing_run(args, true, err);
    return status == STATUS_OK && decides ? help_to_decide(args, err) : status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "by", "COLUMN", "decode_ns", "@column", "column to order by, least first"),
    ROW_FLAG("why", "help to decide: the knee, a few that stand for the front and why, the bounds "
                    "it lies on and what loosening each by 5 % buys"),
    ROW_RANGE(OPTION_INT, "pick", "K", "5", 1, 100, "how many stand for the front; implies --why"),
    ROWS_CANDIDATES,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe front --db phone.db --limit 0", "the whole front of the latest search"},
    {"lathe front --run 2 --where 'params_blocks > 100e6'", "a part of an earlier one"},
    {"lathe front --db phone.db --why", "which of them to look at, and what the budget costs"},
    {NULL, NULL},
};

const struct command cmd_front = {
    .name = "front",
    .summary = "the candidates that none beats in every objective of their search",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "A candidate is on the front when no other is at least as good in every objective of "
        "the search and better in one. Of a front of decode and loss a table leaves out what is "
        "not worth listing: of the rows that decode like the fastest of them, as far as anyone "
        "can tell, those whose loss the best of them beats beyond doubt, and so on from the "
        "next fastest. --limit 0 lists them too, --json says 'outdone_by'. " ROWS_ALIKE
        " --why: with each objective from 0 to 1 over the front the knee has the least sum, and "
        "those that stand for it the largest hypervolume. A bound (the budget, a limit of --where, "
        "an end of an axis) is one that candidates lie on within 0.5 %; the run's search is done "
        "again with it 5 % looser. With --json one object, without the rows.",
    .run = run,
};
