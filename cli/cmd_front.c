#include "cli/candidate_listing.h"
#include "cli/commands.h"

static enum status run(const struct args *args, struct err *err)
{
    return candidate_listing_run(args, true, err);
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "by", "COLUMN", "decode_ns", "@column", "column to order by, least first"),
    ROWS_CANDIDATES,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe front --db phone.db --limit 0", "the whole front of the latest search"},
    {"lathe front --run 2 --where 'params_blocks > 100e6'", "a part of an earlier one"},
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
        "next fastest. --limit 0 lists them too, --json says 'outdone_by'. " ROWS_ALIKE,
    .run = run,
};
