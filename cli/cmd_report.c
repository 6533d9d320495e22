#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "cli/candidate_listing.h"
#include "cli/commands.h"
#include "cli/device_listing.h"
#include "cli/figures.h"
#include "cli/listing.h"
#include "cli/loss_setting.h"
#include "plots/report.h"

struct page_data {
    const struct args *args;
    struct store *store;
    struct setting setting;
    struct budget budget;
    int64_t run_id;
    struct priced_list marks;
    struct report report;
};

static enum status add_listing(struct report *report, const char *caption,
                               const struct listing *listing, struct err *err)
{
    struct rendering rendering;
    enum status status = listing_render(listing, &rendering, err);
    if (status != STATUS_OK)
        return status;
    size_t n = rendering.n_columns;
    struct text *headers = memory_new(n, sizeof *headers);
    const char **titles = memory_new(n, sizeof *titles);
    if (headers == NULL || titles == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    for (size_t c = 0; c < n; c++) {
        const char *unit = rendering.texts[n + c];
        text_addf(&headers[c], *unit != 0 ? "%s (%s)" : "%s", rendering.texts[c], unit);
        titles[c] = headers[c].data;
    }
    report_table(report, caption, titles, n, (const char *const *)(rendering.texts + 2 * n),
                 rendering.n_rows);
out:
    for (size_t c = 0; headers != NULL && c < n; c++)
        text_release(&headers[c]);
    memory_free(headers);
    memory_free(titles);
    rendering_release(&rendering);
    return status;
}

enum figure_kind {
    FIGURE_FRONT,
    FIGURE_DEPTH,
    FIGURE_PHASES,
    FIGURE_BREAKDOWN,
};

static enum status add_figure(struct page_data *page, enum figure_kind kind, const char *caption,
                              struct err *err)
{
    struct text svg = {0}, warnings = {0};
    struct plot_options options = {.path = "-", .svg = &svg, .warnings = &warnings};
    enum status status = STATUS_OK;
    switch (kind) {
    case FIGURE_FRONT:
    case FIGURE_DEPTH:
        status = figure_run(page->store, page->run_id, kind == FIGURE_DEPTH, &page->marks, &options,
                            err);
        break;
    case FIGURE_PHASES:
        status = figure_phases(&page->marks, &options, err);
        break;
    case FIGURE_BREAKDOWN:
        status = figure_breakdown(&page->marks, &options, err);
        break;
    }
    if (status == STATUS_OK)
        report_figure(&page->report, svg.data, caption);
    text_release(&svg);
    text_release(&warnings);
    return status;
}

static enum status add_candidates(struct page_data *page, bool front_only, const char *caption,
                                  struct err *err)
{
    struct rows rows = {0};
    struct listing listing = {0};
    struct candidate_query query = {.run_id = page->run_id,
                                    .front_only = front_only,
                                    .order_by = "decode_ns",
                                    .limit = args_int(page->args, "limit", 0)};
    enum status status = query_candidates(page->store, &query, &rows, err);
    if (status == STATUS_OK) {
        static const char *const also[] = {"loss_delta_low_nats", "loss_delta_high_nats", NULL};
        candidate_listing_fill(&listing, &rows, also);
        status = add_listing(&page->report, caption, &listing, err);
    }
    listing_release(&listing);
    rows_release(&rows);
    return status;
}

struct mark {
    const char *name;
    int64_t n_layers_effective, params_blocks;
    struct price price;
};
static const struct field mark_fields[] = {
    LISTED_TITLE(mark, name, UNIT_NONE, "model"),
    LISTED_TITLE(mark, n_layers_effective, UNIT_NONE, "depth"),
    LISTED_TITLE(mark, params_blocks, UNIT_PARAMS, "in blocks"),
    LISTED_TITLE(mark, price.load_ns, UNIT_NS, "load"),
    LISTED_TITLE(mark, price.init_ns, UNIT_NS, "init"),
    LISTED_TITLE(mark, price.prefill_ns, UNIT_NS, "prefill"),
    LISTED_TITLE(mark, price.decode_ns, UNIT_NS, "decode"),
    LISTED_TITLE(mark, price.energy_pj_per_token, UNIT_PJ, "energy"),
    LISTED_TITLE(mark, price.peak_bytes, UNIT_BYTES, "memory"),
};

static enum status add_marks(struct page_data *page, struct err *err)
{
    struct listing listing = {0};
    LISTING_FIELDS(&listing, mark_fields);
    for (size_t i = 0; i < page->marks.n; i++) {
        const struct priced *priced = &page->marks.items[i];
        listing_add(&listing, &(struct mark){priced->name, priced->n_layers_effective,
                                             priced->params_blocks, priced->price});
    }
    enum status status = add_listing(&page->report, "Predictions for known models", &listing, err);
    listing_release(&listing);
    return status;
}

static enum status add_device(struct page_data *page, const char *name, const char *profile,
                              struct err *err)
{
    struct listing listing = {0};
    enum status status = device_listing(&listing, name, profile, err);
    if (status == STATUS_OK)
        status = add_listing(&page->report, name, &listing, err);
    listing_release(&listing);
    return status;
}

static enum status add_stored_device(struct page_data *page, int64_t device_id, struct err *err)
{
    char where[64];
    struct rows rows = {0};
    snprintf(where, sizeof where, "id = %lld", (long long)device_id);
    enum status status = query_rows(page->store, TABLE_DEVICE, where, NULL, &rows, err);
    const struct device_row *row = rows.data;
    if (status == STATUS_OK && rows.n == 1)
        status = add_device(page, row->name, row->profile, err);
    rows_release(&rows);
    return status;
}

static void start(struct page_data *page, const struct run_row *run)
{
    struct text title = {0}, summary = {0};
    char losses[512], of[32] = "";
    loss_run_text(run, losses, sizeof losses);
    if (run->total != ROW_UNKNOWN) /* of an exact search nobody counts them */
        snprintf(of, sizeof of, " of %lld", (long long)run->total);
    text_addf(&title, "%s parameters on %s", run->budget, run->device);
    text_addf(&summary,
              "%lld%s architectures stored by 'lathe %s' (lathe %s, %s): decode after %lld "
              "tokens, prefill of %lld, %lld threads. All times are closed-form predictions.",
              (long long)run->n_candidates, of, run->command, run->version, run->started_at,
              (long long)run->context, (long long)run->prompt, (long long)run->threads);
    if (losses[0] != '\0')
        text_addf(&summary, " The law of loss gives %s.", losses);
    report_start(&page->report, title.data, summary.data);
    text_release(&title);
    text_release(&summary);
}

static enum status add_known_models(struct page_data *page, struct err *err)
{
    enum status status;
    if (page->marks.n == 0)
        return STATUS_OK;
    report_heading(&page->report, "How fast are known models?");
    if ((status = add_marks(page, err)) ||
        (status = add_figure(page, FIGURE_PHASES, "Each phase on its own axis.", err)))
        return status;
    return add_figure(page, FIGURE_BREAKDOWN, "Where the time of a token goes.", err);
}

static const char *front_caption(const struct run_row *run)
{
    const char *objectives = run->objectives != NULL ? run->objectives : "params_blocks";
    if (strstr(objectives, "loss_delta_nats") != NULL)
        return "Loss is what the law of loss expects, above the run's reference.";
    if (strstr(objectives, "params_blocks") != NULL)
        return "Parameters in blocks stand in for quality.";
    return "What the search was for.";
}

static enum status fill(struct page_data *page, const struct run_row *run, struct err *err)
{
    enum status status;
    start(page, run);
    report_heading(&page->report, "Which is best?");
    if ((status = add_figure(page, FIGURE_FRONT, front_caption(run), err)) ||
        (status = add_candidates(page, true, "The front of the search, fastest first", err)) ||
        (status = add_candidates(page, false, "The fastest of all", err)))
        return status;
    report_heading(&page->report, "Deep or wide?");
    if ((status = add_figure(page, FIGURE_DEPTH, "The fastest candidate at each depth.", err)) ||
        (status = add_known_models(page, err)))
        return status;
    report_heading(&page->report, "What the device's numbers rest on");
    return add_stored_device(page, run->device_id, err);
}

static enum status write_page(struct page_data *page, struct rows *rows, struct err *err)
{
    const struct args *args = page->args;
    enum status status;
    if ((status = store_open(args_text(args, "db"), STORE_READ, &page->store, err)) ||
        (status = setting_of_run(page->store, args_int(args, "run", 0), &page->setting,
                                 &page->run_id, &page->budget, err)) ||
        (status = read_run(page->store, page->run_id, rows, err)) ||
        (status = price_marks(args, 0, &page->setting, &page->budget, &page->marks, err)) ||
        (status = fill(page, rows->data, err)))
        return status;
    return report_write(&page->report, args_text(args, "out"), err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct page_data *page = memory_new(1, sizeof *page);
    struct rows rows = {0};
    if (page == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    page->args = args;
    enum status status = write_page(page, &rows, err);
    report_release(&page->report);
    priced_release(&page->marks);
    rows_release(&rows);
    store_close(page->store);
    memory_free(page);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_TEXT, "out", "FILE", "report.html", "@file", "page to write; -: standard output"),
    ROW_DB,
    ROW_RUN,
    ROW_LIMIT,
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe report --db phone.db --out phone.html", "the latest search on one page"},
    {"lathe report mobilellm-125m opt-125m --db phone.db --run 2",
     "an earlier one, with two models marked"},
    {NULL, NULL},
};

const struct command cmd_report = {
    .name = "report",
    .summary = "one self-contained HTML page about a search",
    .operands = "[MODEL...]",
    .operand_values = "@model",
    .max_operands = MAX_FIGURE_MODELS,
    .options = options,
    .examples = examples,
    .about = "Figures, the best candidates, known models and every number of the device with its "
             "source. Marks MODELs, or else the models that come with lathe and lie within the "
             "run's budget. Needs gnuplot.",
    .run = run,
};
