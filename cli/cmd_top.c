#include "cli/candidate_listing.h"
#include "cli/commands.h"

static enum status run(const struct args *args, struct err *err)
{
    return candidate_listing_run(args, false, err);
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "by", "COLUMN", "decode_ns", "@column", "column to order by, least first"),
    ROWS_CANDIDATES,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe top --db phone.db", "the ten fastest of the latest search"},
    {"lathe top --by params_blocks --descending --where 'decode_ms < 10' --limit 20",
     "the largest that decode in 10 ms"},
    {"lathe top --where \"sharing = 'none'\" --json", "for other programs"},
    {NULL, NULL},
};

const struct command cmd_top = {
    .name = "top",
    .summary = "the best of a search, by any column",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "--where takes an SQL condition over the columns of the table 'candidate' and the same "
        "in other units (decode_ms, peak_mb, params_m). " ROWS_ALIKE,
    .run = run,
};
