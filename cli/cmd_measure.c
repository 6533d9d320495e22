#include <stdio.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/measured_rows.h"
#include "cli/model_source.h"
#include "cli/progress.h"
#include "cli/run_record.h"
#include "cli/table7.h"
#include "kernels/cpu.h"
#include "model/model_arg.h"

enum { MAX_MODELS = 64, MAX_LENGTHS = 64 };

/* Everything the command line says, opened. */
struct job {
    struct measure_plan plan;
    struct measure_model models[MAX_MODELS];
    struct transformer nets[MAX_MODELS];
    int64_t prompts[MAX_LENGTHS], contexts[MAX_LENGTHS];
    struct progress progress;
};

static enum status read_counts(const struct args *args, const char *option, int64_t least,
                               int64_t most, size_t max, int64_t *out, size_t *n, struct err *err)
{
    const char *text;
    for (*n = 0; (text = args_nth(args, option, (int)*n)) != NULL; (*n)++) {
        if (*n == max)
            return err_set(err, STATUS_USAGE, "--%s: at most %zu values", option, max);
        enum status status = parse_count(text, &out[*n], err);
        if (status != STATUS_OK)
            return err_prefix(err, status, "--%s: ", option);
        if (out[*n] < least || out[*n] > most)
            return err_set(err, STATUS_USAGE, "--%s '%s': expected %lld to %lld", option, text,
                           (long long)least, (long long)most);
    }
    return STATUS_OK;
}

static enum status read_error(const char *text, double *out, struct err *err)
{
    int used = 0;
    if (sscanf(text, "%lf%n", out, &used) != 1 || !(*out > 0 && *out <= 1) || text[used] != '\0')
        return err_set(err, STATUS_USAGE, "--error '%s': expected above 0 and at most 1", text);
    return STATUS_OK;
}

static void show_progress(void *context, int done, int total)
{
    progress_update(context, done, total);
}

static enum status read_options(const struct args *args, struct job *job, struct err *err)
{
    struct measure_plan *plan = &job->plan;
    int64_t threads[MEASURE_MAX_THREAD_COUNTS];
    size_t n_threads;
    enum status status;
    if ((status = read_counts(args, "threads", 1, 1024, MEASURE_MAX_THREAD_COUNTS, threads,
                              &n_threads, err)) ||
        (status = read_counts(args, "prompt", 1, INT64_C(1) << 24, MAX_LENGTHS, job->prompts,
                              &plan->n_prompts, err)) ||
        (status = read_counts(args, "context", 0, INT64_C(1) << 24, MAX_LENGTHS, job->contexts,
                              &plan->n_contexts, err)) ||
        (status = parse_time_ns(args_text(args, "budget-time"), &plan->budget_ns, err)) ||
        (status = read_error(args_text(args, "error"), &plan->error_frac, err)) ||
        (status = cpu_isa(args_text(args, "isa"), &plan->isa, err)))
        return status;
    if (args_flag(args, "cold") && args_flag(args, "warm"))
        return err_set(err, STATUS_USAGE, "--cold and --warm exclude each other");
    for (size_t i = 0; i < n_threads; i++)
        plan->threads[i] = (int)threads[i];
    plan->n_threads = (int)n_threads;
    plan->prompts = job->prompts;
    plan->contexts = job->contexts;
    plan->is_cold = args_flag(args, "cold");
    plan->per_phase = args_flag(args, "per-op");
    plan->pin = args_flag(args, "pin");
    plan->stop = interrupt_flag();
    plan->progress = show_progress;
    plan->progress_context = &job->progress;
    return STATUS_OK;
}

static enum status open_models(const struct args *args, struct job *job, struct err *err)
{
    struct measure_plan *plan = &job->plan;
    plan->models = job->models;
    for (int i = 0; i < args_n_operands(args); i++) {
        const char *model = args_operand(args, i);
        enum status status = open_model(args, model, &job->nets[i], err);
        if (status != STATUS_OK)
            return status;
        job->models[i] = (struct measure_model){
            .net = &job->nets[i],
            .gguf = model_arg_is_gguf(model) ? model : NULL,
            .seed = (uint64_t)args_int(args, "seed", 1),
        };
        plan->n_models++;
    }
    return STATUS_OK;
}

static enum status store(const struct args *args, const struct measured_rows *rows, bool is_whole,
                         struct err *err)
{
    struct store *db = NULL;
    struct run_row run;
    struct measurement_row *copies = memory_new(rows->n, sizeof *copies);
    run_record_start(args, &run);
    enum status status = copies ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_WRITE, &db, err);
    if (status == STATUS_OK)
        status = run_record_begin(db, NULL, &run, err);
    for (size_t i = 0; i < rows->n && status == STATUS_OK; i++) {
        copies[i] = rows->items[i].row;
        copies[i].run_id = run.id;
    }
    if (status == STATUS_OK)
        status = store_put_measurements(db, copies, rows->n, err);
    if (status == STATUS_OK)
        status = run_record_end(db, run.id, is_whole, err);
    store_close(db);
    memory_free(copies);
    return status;
}

static enum status print(const struct args *args, const struct measured_rows *rows, struct err *err)
{
    struct listing listing = {0};
    bool per_op = args_flag(args, "per-op"), is_json = args_flag(args, "json");
    measured_rows_list(rows, per_op, &listing);
    enum status status = listing_print_as(&listing, is_json, stdout, err);
    listing_release(&listing);
    if (status == STATUS_OK && per_op && !is_json)
        status = measured_rows_print_phases(rows, stdout, err);
    if (status == STATUS_OK && args_flag(args, "table7") && !is_json)
        status = table7_print(rows, stdout, err);
    return status;
}

static enum status finish(const struct args *args, const struct job *job,
                          const struct measurement *measurement, bool is_whole, struct err *err)
{
    struct measured_rows rows = {0};
    struct text doubts = {0};
    enum status status = measured_rows_make(&job->plan, measurement, &rows, err);
    if (status == STATUS_OK && rows.n > 0 && args_given(args, "db"))
        status = store(args, &rows, is_whole, err);
    if (status == STATUS_OK && rows.n > 0)
        status = print(args, &rows, err);
    measure_doubts(measurement, &job->plan, &doubts);
    if (status == STATUS_OK && is_whole)
        warn_lines(args, doubts.data);
    text_release(&doubts);
    measured_rows_release(&rows);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct job *job = memory_new(1, sizeof *job);
    struct measurement measurement = {0};
    if (job == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = read_options(args, job, err);
    if (status == STATUS_OK)
        status = open_models(args, job, err);
    if (status == STATUS_OK) {
        progress_init(&job->progress, "measuring");
        status = measure_run(&job->plan, &measurement, err);
        progress_end(&job->progress);
    }
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        enum status kept =
            finish(args, job, &measurement, status == STATUS_OK, status == STATUS_OK ? err : NULL);
        status = status == STATUS_OK ? kept : status;
    }
    measurement_release(&measurement);
    for (size_t i = 0; i < job->plan.n_models; i++)
        transformer_release(&job->nets[i]);
    memory_free(job);
    return status;
}

static const struct option options[] = {
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW(OPTION_LIST, "threads", "N[,N2]", "1", NULL, "thread counts"),
    ROW(OPTION_LIST, "prompt", "N[,N2]", "128", NULL, "lengths of a prompt, read in one pass"),
    ROW(OPTION_LIST, "context", "N[,N2]", "128", NULL,
        "tokens in the KV cache when the next token is timed"),
    ROW_FLAG("cold", "empty the caches of weights before each pass, as a small device has them"),
    ROW_FLAG("warm", "let caches keep what they can from pass to pass; the default"),
    ROW(OPTION_TEXT, "error", "FRAC", "0.01", NULL,
        "repeat until every median is known to this relative error..."),
    ROW(OPTION_TEXT, "budget-time", "TIME", "20s", NULL, "...or this is spent"),
    ROW_FLAG("per-op", "also show where the time of a token goes"),
    ROW_FLAG("table7", "also print the paper's Table 7 beside what was measured"),
    ROW_FLAG("pin", "bind threads to processors"),
    ROW(OPTION_CHOICE, "isa", "SET", NULL, "best portable avx2 avx512 neon",
        "use only kernels of this instruction set and those below it"),
    ROW_RANGE(OPTION_COUNT, "seed", "N", "1", 0, INT64_MAX,
              "of the random weights that a model without weights gets"),
    ROW(OPTION_TEXT, "db", "FILE", "lathe.db", "@file",
        "when given, also store the rows in this SQLite file; RUN:ID models are those of it"),
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe measure mobilellm-125m mobilellm-ls-125m mobilellm-60-layer --table7",
     "what sharing layers costs here, beside the paper's phone"},
    {"lathe measure tiny.gguf --threads 1,2 --prompt 128,512 --context 0,1024 --db lathe.db",
     "a file of yours, several conditions, every row kept"},
    {"lathe measure mobilellm-125m --dtype q8_0 --cold --per-op",
     "weights from memory for every token, and where the time goes"},
    {NULL, NULL},
};

const struct command cmd_measure = {
    .name = "measure",
    .summary = "run a network for real here and time it",
    .operands = "MODEL...",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = MAX_MODELS,
    .options = options,
    .examples = examples,
    .about =
        "Weights are those of a GGUF file, or random: the speed of a network does not depend on "
        "what it has learnt. Models, threads and phases take turns in rounds until every median is "
        "known to --error or --budget-time is spent; 'noise' is the spread of one token, 'read' "
        "what a plain read of as many bytes reaches and 'of it' the share of that which decode "
        "gets. Warnings say when the machine was too busy to trust the figures. Ctrl-C keeps what "
        "was measured.",
    .run = run,
};
