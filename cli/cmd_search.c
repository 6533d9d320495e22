#include "cli/commands.h"
#include "cli/loss_setting.h"
#include "cli/search_run.h"

static enum status run(const struct args *args, struct err *err)
{
    return search_run(args, NULL, err);
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "budget", "N", NULL, NULL,
        "parameters: 125M (within 2 %), 125M+-5%, 100M..130M"),
    ROW_DEVICE,
    ROW(OPTION_TEXT, "space", "FILE", NULL, "@file",
        "axes of the design space, JSON; default: MobileLLM's family and its surroundings; "
        "'layers': a built-in one whose layers differ"),
    ROW_FLAG("exact", "the exact front of a space whose layers differ, as is the default there"),
    ROW(OPTION_TEXT, "eps", "E", NULL, NULL,
        "of such a space: a front that misses nothing better by more than 1 + E"),
    ROW(OPTION_TEXT, "scores", "FILE", NULL, "@file",
        "of such a space: CSV with place, layer and score (or loss); their sum is the metric "
        "'score'"),
    ROW(OPTION_TEXT, "predictor", "CMD", NULL, NULL,
        "of such a space: a program that reads an architecture a line (JSON) and answers a score, "
        "more "
        "being better, that need not be a sum; the front is a heuristic one"),
    ROW(OPTION_TEXT, "predictor-table", "FILE", NULL, "@file",
        "in its place: CSV with stack and score (or loss), of the stacks that it has the front"),
    ROW_RANGE(OPTION_COUNT, "evaluations", "N", "4000", 1, 1000000,
              "architectures that the predictor is asked about, at most"),
    ROW_RANGE(OPTION_COUNT, "seed", "N", "1", 0, INT64_MAX,
              "of which ones; the same seed gives the same front"),
    ROW(OPTION_TEXT, "method", "M", "fit", "fit nsga2",
        "how they are chosen: fit (exact fronts of a fitted sum, and moves beside the best) or "
        "nsga2"),
    ROW_RANGE(OPTION_COUNT, "predictor-timeout", "S", "60", 1, 86400,
              "seconds to wait for one answer"),
    ROW(OPTION_TEXTS, "where", "EXPR", NULL, NULL,
        "keep only those: 'decode_ms<20 and d_head=64'; may be given again"),
    ROW(OPTION_LIST, "minimize", "A[,B]", NULL, "@metric",
        "objectives of the front, best rows by the first; default: decode_ns,loss_delta_nats; "
        "where layers differ decode_ns, and score maximized"),
    ROW(OPTION_LIST, "maximize", "A[,B]", NULL, "@metric", "objectives, the more the better"),
    ROW(OPTION_TEXT, "keep", "WHAT", "all", "all front top:100",
        "what goes into the database: all, front, or top:N by the first objective"),
    ROW(OPTION_TEXT, "resume", "RUN", NULL, NULL,
        "go on with a run of --db that did not finish: its number, or latest"),
    ROW(OPTION_TEXT, "shard", "I/N", NULL, NULL,
        "price part I of N alone, each into a database of its own ('lathe merge' joins them)"),
    ROW_DB,
    ROWS_QUALITY,
    ROW_DTYPE,
    ROW_KV_DTYPE,
    ROW_PROMPT,
    ROW_CONTEXT,
    ROW_THREADS,
    ROW_RANGE(OPTION_INT, "jobs", "N", NULL, 1, 1024,
              "threads of the search itself; default: all of this machine"),
    ROW_LIMIT,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe search --budget 125M --device iphone-13",
     "every shape of about 125M parameters, priced and stored in lathe.db"},
    {"lathe search --budget 100M..130M --device iphone-13 --dtype q4_0 --keep front --db q4.db",
     "in 4 bits, only the front"},
    {"lathe search --space layers --budget 125M --device iphone-13 --minimize decode_ns,kv_bytes",
     "the exact front of 1.5e56 stacks whose layers differ"},
    {"lathe search --space layers --budget 125M --device iphone-13 --predictor './predict.py'",
     "a front by a program of yours, asked 4,000 times"},
    {"lathe search --budget 350M --device iphone-13 --where 'decode_ms<40' --keep top:1000",
     "the thousand fastest of those that are fast enough"},
    {"lathe search --resume latest --db q4.db",
     "go on with a search that was interrupted or killed"},
    {"lathe search --budget 1B --device iphone-13 --shard 3/16 --db /tmp/3.db",
     "the third of sixteen parts, one a machine"},
    {NULL, NULL},
};

const struct command cmd_search = {
    .name = "search",
    .summary = "price every architecture of a budget on a device and keep the best",
    .operands = "",
    .options = options,
    .examples = examples,
    .about =
        "The depth is solved for, so nothing outside the budget is visited, and the number of "
        "architectures is known beforehand. Losses are those of a law fitted to published runs "
        "('lathe quality show'), as differences to a reference, in nats a token: below 0 is "
        "better. Those of two vocabularies are never compared: each has its own best as the "
        "reference. Ctrl-C keeps what was found. The file is a SQLite "
        "database that other programs can read, also meanwhile.",
    .run = run,
};
