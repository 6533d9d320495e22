/* Every kind of figure, in every format, from data that is awkward on purpose. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "db/store.h"
#include "device/interval.h"
#include "plots/candidates.h"
#include "plots/page.h"
#include "plots/plot_accuracy.h"
#include "plots/plot_breakdown.h"
#include "plots/plot_deep_or_wide.h"
#include "plots/plot_depth.h"
#include "plots/plot_front.h"
#include "plots/plot_phases.h"
#include "plots/plot_roadmap.h"
#include "plots/plot_timeline.h"
#include "plots/plot_validate.h"
#include "plots/report.h"
#include "plots/run_front.h"
#include "tests/quality_fixture.h"

#define AWKWARD "it's_a {model}@\\n^2 \"5%\" & <b> `x` \xc2\xb5"

static char database[64];
static struct quality_law law;
enum { N_ROWS = 3000 };
#define INTERVAL_FRAC 0.05

static void fill(struct candidate_row *rows)
{
    static const char *const modes[] = {"none", "immediate", "repeat_all", "reverse"};
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < N_ROWS; i++) {
        int64_t layers = rng_between(&rng, 2, 60), mode = rng_between(&rng, 0, 3);
        double blocks = 60e6 + 60e6 * rng_uniform(&rng);
        struct candidate_row *row = &rows[i];
        record_clear(&candidate_fields, row);
        row->id = i;
        row->n_layers = layers;
        row->n_layers_effective = layers * (mode ? 2 : 1);
        row->sharing = modes[mode];
        row->repeats = mode ? 2 : 1;
        row->share_ffn = 0;
        row->d_model = 64 * rng_between(&rng, 4, 20);
        row->vocab_size = 32000;
        row->tie_embeddings = rng_between(&rng, 0, 1);
        row->dtype = "f16";
        row->params_blocks = (int64_t)blocks;
        row->price.decode_ns = blocks * 0.1 * (1 + rng_uniform(&rng)) + 13e3 * (double)layers;
        row->loss.loss_delta_nats = 3e6 / blocks + 0.01 * rng_uniform(&rng);
        if (i % 3 == 0) {
            row->loss.loss_delta_low_nats = row->loss.loss_delta_nats - 0.02;
            row->loss.loss_delta_high_nats = row->loss.loss_delta_nats + 0.02;
        }
        row->price.decode_ns_low = interval_low(row->price.decode_ns, INTERVAL_FRAC);
        row->price.decode_ns_high = interval_high(row->price.decode_ns, INTERVAL_FRAC);
    }
}

static int make_database(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct candidate_row *rows = memory_new(N_ROWS, sizeof *rows);
    struct run_row run;
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    run.command = "lathe search";
    run.version = "0";
    run.device = AWKWARD;
    run.budget = "125M+-2%";
    run.prompt = 128;
    run.context = 128;
    strcpy(database, "test_plots_XXXXXX");
    int file = mkstemp(database);
    if (!rows || file < 0 || close(file) != 0 || unlink(database) != 0)
        return -1;
    read_shipped_law(&law);
    fill(rows);
    bool done = store_open(database, STORE_WRITE, &store, NULL) == STATUS_OK &&
                store_begin_run(store, &run, NULL) == STATUS_OK &&
                store_put_candidates(store, run.id, rows, N_ROWS, N_ROWS, NULL) == STATUS_OK &&
                store_finish_run(store, run.id, NULL) == STATUS_OK;
    store_close(store);
    memory_free(rows);
    return done ? 0 : -1;
}

static int remove_database(void **state)
{
    (void)state;
    static const char *const companions[] = {"-wal", "-shm"};
    for (int i = 0; i < 2; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", database, companions[i]);
        unlink(path);
    }
    return unlink(database);
}

static enum status draw_run(const char *kind, const struct plot_options *options, struct err *err)
{
    const struct plot_model models[] = {{AWKWARD, 30, 12e6}, {"OPT-125M", 12, 9e6}};
    struct candidate_row known, unknown;
    const struct plot_mark marks[] = {{AWKWARD, &known}, {"OPT-125M", &unknown}};
    record_clear(&candidate_fields, &known);
    record_clear(&candidate_fields, &unknown);
    known.params_blocks = 106000000;
    known.price.decode_ns = unknown.price.decode_ns = 12e6;
    struct store *store = NULL;
    enum status status = store_open(database, STORE_READ, &store, err);
    if (status == STATUS_OK && strcmp(kind, "depth") == 0)
        status = plot_depth(store, 0, models, 2, options, err);
    else if (status == STATUS_OK)
        status = plot_front(store, 0, marks, 2, options, err);
    store_close(store);
    return status;
}

static enum status draw_rows(const char *kind, const struct plot_options *options, struct err *err)
{
    static const char *const groups[] = {AWKWARD, "q8_0, 1 thread", NULL};
    struct plot_validate_row rows[60];
    struct plot_accuracy_row systems[30];
    struct rng rng;
    rng_init(&rng, 8);
    for (int i = 0; i < 60; i++) {
        double measured = 1e6 * exp(4 * rng_uniform(&rng));
        rows[i] = (struct plot_validate_row){
            groups[i % 3], measured * (1 + 0.06 * rng_normal(&rng)), measured,
            NAN,           (double)rng_between(&rng, 2, 80),         i < 2 ? AWKWARD : NULL};
    }
    rows[59].predicted_ns = NAN;
    for (int i = 0; i < 30; i++)
        systems[i] = (struct plot_accuracy_row){AWKWARD, i % 4 ? groups[i % 3] : "family",
                                                4e6 * exp(2 * rng_uniform(&rng)),
                                                0.4 + 0.2 * rng_uniform(&rng)};
    if (strcmp(kind, "validate") == 0)
        return plot_validate(rows, 60, "decode", options, err);
    if (strcmp(kind, "error") == 0)
        return plot_error_by_depth(rows, 60, "decode", options, err);
    return plot_accuracy(systems, 30, true, "accuracy_avg", options, err);
}

static enum status draw_depths(const struct plot_options *options, struct err *err)
{
    static struct depth_options depths;
    static struct price known[MAX_DEPTH_OPTIONS], unknown[MAX_DEPTH_OPTIONS];
    const struct plot_depth_device devices[] = {{AWKWARD, known}, {"here", unknown}};
    const struct plot_depth_point points[] = {{12, 0.03, 0.01, 0.05}, {30, NAN, NAN, NAN}};
    enum status status =
        depth_options_find(125000000, 32000, &law, QUALITY_NO_RECIPE, 1e12, &depths, err);
    for (size_t i = 0; status == STATUS_OK && i < depths.n; i++) {
        double ns = 1e7 + 1e5 * (double)i;
        known[i] = (struct price){
            .decode_ns = ns, .decode_ns_low = ns / 1.04, .decode_ns_high = ns * 1.04};
        unknown[i] =
            (struct price){.decode_ns = 30 * ns, .decode_ns_low = NAN, .decode_ns_high = NAN};
    }
    return status == STATUS_OK
               ? plot_deep_or_wide("125M", &depths, devices, 2, points, 2, options, err)
               : status;
}

static enum status draw_roadmap(const struct plot_options *options, struct err *err)
{
    struct quality_comparison steps[] = {
        {.name = AWKWARD, .waterfall = 1, .difference.points = 1.2, .printed_points = 1},
        {.name = "125M, unknown", .waterfall = 2, .difference.points = NAN},
        {.name = "125M, worse",
         .waterfall = 3,
         .difference.points = -2,
         .points_low = -3,
         .points_high = -1,
         .printed_points = -0.4},
        {.name = "125M, beside it", .difference.points = 99},
        {.name = "350M, first", .waterfall = 1, .difference.points = 0},
    };
    return plot_roadmap(steps, sizeof steps / sizeof *steps, options, err);
}

static enum status draw(const char *kind, const struct plot_options *options, struct err *err)
{
    static const char *const models[] = {AWKWARD, "MobileLLM-LS-125M"};
    if (strcmp(kind, "depth") == 0 || strcmp(kind, "front") == 0)
        return draw_run(kind, options, err);
    if (strcmp(kind, "phases") == 0)
        return plot_phases((const struct plot_phases_row[]){{AWKWARD, 39.2e6, NAN, 2e8, 15.6e6},
                                                            {models[1], 4e7, 1.4e9, 4e8, 16e6}},
                           2, options, err);
    if (strcmp(kind, "breakdown") == 0) {
        static const char *const levels[] = {"flash", "DRAM", "fixed costs"};
        static const char *const roles[] = {AWKWARD, "fixed costs"};
        static const double level_ns[] = {0, 9e6, 6e6, NAN, 8e6, 7e6};
        static const double role_ns[] = {9e6, 6e6, 8e6, 7e6};
        return plot_breakdown(models, 2,
                              (const struct plot_division[]){{"by level", levels, 3, level_ns},
                                                             {"by role", roles, 2, role_ns}},
                              2, options, err);
    }
    if (strcmp(kind, "contest") == 0) {
        static const double depth[] = {4, 15, 60}, a[] = {9e6, 1e7, 1.15e7}, b[] = {1e7, NAN, 9e6};
        return plot_contest(depth, 3, (const struct plot_clock[]){{AWKWARD, a}, {"bytes", b}}, 2,
                            options, err);
    }
    if (strcmp(kind, "timeline") == 0) {
        static const char *const resources[] = {"DRAM", AWKWARD}, *const kinds[] = {"FFN", "KV"};
        struct plot_span spans[2000];
        for (int i = 0; i < 2000; i++)
            spans[i] = (struct plot_span){i % 2, i % 7 == 0, i * 100.0, i * 100.0 + 90};
        return plot_timeline(
            resources, 2, kinds, 2,
            (const struct plot_timeline_panel[]){{AWKWARD, spans, 2000}, {"two", spans, 9}}, 2,
            options, err);
    }
    if (strcmp(kind, "deep-or-wide") == 0)
        return draw_depths(options, err);
    if (strcmp(kind, "roadmap") == 0)
        return draw_roadmap(options, err);
    return draw_rows(kind, options, err);
}

static const char *const plot_kinds[] = {"depth",        "front",    "phases",  "breakdown",
                                         "accuracy",     "validate", "error",   "contest",
                                         "deep-or-wide", "roadmap",  "timeline"};

static void every_kind_draws_every_format_without_a_warning(void **state)
{
    (void)state;
    static const char *const names[] = {"test_plot.svg", "test_plot.png", "test_plot.pdf"};
    static const char *const starts[] = {"<?xml", "\x89PNG", "%PDF"};
    for (size_t kind = 0; kind < sizeof plot_kinds / sizeof *plot_kinds; kind++) {
        for (int i = 0; i < 3; i++) {
            struct text warnings = {0};
            struct err err = {{0}};
            struct plot_options options = {
                .path = names[i], .subtitle = AWKWARD, .warnings = &warnings};
            assert_int_equal(draw(plot_kinds[kind], &options, &err), STATUS_OK);
            if (warnings.data)
                fail_msg("%s as %s: %s", plot_kinds[kind], names[i], warnings.data);
            char *data = NULL;
            int64_t length = 0;
            assert_int_equal(file_read(names[i], 1 << 22, &data, &length, NULL), STATUS_OK);
            assert_memory_equal(data, starts[i], 4);
            assert_true(i > 0 || length < 300 * 1000);
            memory_free(data);
            unlink(names[i]);
        }
    }
}

static void an_svg_shows_awkward_text_as_it_is(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < sizeof plot_kinds / sizeof *plot_kinds; kind++) {
        struct text svg = {0};
        struct plot_options options = {.svg = &svg, .subtitle = AWKWARD};
        assert_int_equal(draw(plot_kinds[kind], &options, NULL), STATUS_OK);
        assert_non_null(strstr(svg.data, "it's_a {model}@\\n^2 \"5%\" &amp; &lt;b> `x` \xc2\xb5"));
        text_release(&svg);
    }
}

static void the_same_figure_gives_the_same_bytes(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < sizeof plot_kinds / sizeof *plot_kinds; kind++) {
        struct text once = {0}, again = {0};
        struct plot_options first = {.svg = &once}, second = {.svg = &again};
        assert_int_equal(draw(plot_kinds[kind], &first, NULL), STATUS_OK);
        assert_int_equal(draw(plot_kinds[kind], &second, NULL), STATUS_OK);
        assert_string_equal(once.data, again.data);
        text_release(&once);
        text_release(&again);
    }
}

static void the_terminal_draws_a_page_of_its_size(void **state)
{
    (void)state;
    struct page page;
    struct text script = {0}, picture = {0}, warnings = {0};
    assert_int_equal(page_init(&page, 2, 1, NULL), STATUS_OK);
    page_texts(&page, "A title", "a subtitle that says more", NULL);
    for (int p = 0; p < 2; p++) {
        struct figure *figure = &page.panels[p];
        figure_axis(figure, &figure->x, "time (ms)", false);
        figure_category(figure, &figure->y, "one");
        series_add_box(figure_series(figure, SERIES_BOXES, "bar", p), 0, 5, -0.3, 0.3);
        figure_note_at_bar(figure, 5, 0, "5.00");
    }
    assert_int_equal(page_script(&page, PLOT_TERMINAL, &script, NULL), STATUS_OK);
    assert_int_equal(gnuplot_capture(script.data, &picture, &warnings, NULL), STATUS_OK);
    assert_null(warnings.data);
    assert_non_null(strstr(picture.data, "A title"));
    assert_non_null(strstr(picture.data, "###"));
    assert_non_null(strstr(picture.data, "5.00"));
    text_release(&script);
    text_release(&picture);
    page_release(&page);
}

static void a_figure_without_data_is_refused(void **state)
{
    (void)state;
    struct err err = {{0}};
    struct text svg = {0};
    struct plot_options options = {.svg = &svg};
    struct plot_validate_row row = {NULL, NAN, 1, NAN, 1, NULL};
    assert_int_equal(plot_validate(&row, 1, "decode", &options, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "no data"));
    assert_int_equal(plot_phases(NULL, 0, &options, &err), STATUS_RANGE);
    assert_null(svg.data);
}

static void a_value_that_has_no_place_on_a_log_axis_is_refused(void **state)
{
    (void)state;
    static const double bad[] = {0, -1, NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        struct page page;
        struct text script = {0};
        assert_int_equal(page_init(&page, 1, 1, NULL), STATUS_OK);
        figure_axis(page.panels, &page.panels->x, "x", true);
        series_add(figure_series(page.panels, SERIES_POINTS, "dots", 0), bad[i], 1);
        assert_int_equal(page_script(&page, PLOT_SVG, &script, NULL), STATUS_INPUT);
        text_release(&script);
        page_release(&page);
    }
}

static void running_out_of_memory_is_reported_once_and_leaks_nothing(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 400; n++) {
        struct err err = {{0}};
        struct text svg = {0};
        struct plot_options options = {.svg = &svg};
        memory_fail_after(n);
        enum status status = draw("phases", &options, &err);
        memory_fail_after(-1);
        text_release(&svg);
        if (status == STATUS_OK)
            return;
        assert_int_equal(status, STATUS_NOMEM);
    }
    fail_msg("never enough memory");
}

static void figures_show_what_cannot_be_told_apart_from_the_fastest(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct selection selection;
    struct candidate_row *rows = memory_new(N_ROWS, sizeof *rows);
    fill(rows);
    assert_int_equal(store_open(database, STORE_READ, &store, NULL), STATUS_OK);
    assert_int_equal(candidates_select(store, 0, false, &selection, NULL), STATUS_OK);
    for (int i = 0; i < N_ROWS; i += 100) {
        double slowest = selection_indistinct_ns(&selection, rows[i].price.decode_ns);
        for (int j = 0; j < N_ROWS; j++) {
            bool overlap =
                intervals_overlap(rows[i].price.decode_ns_low, rows[i].price.decode_ns_high,
                                  rows[j].price.decode_ns_low, rows[j].price.decode_ns_high);
            if (rows[j].price.decode_ns >= rows[i].price.decode_ns)
                assert_int_equal(overlap, rows[j].price.decode_ns <= slowest);
        }
    }
    selection_release(&selection);
    memory_free(rows);
    store_close(store);
    static const char *const kinds[] = {"front", "depth"};
    for (int k = 0; k < 2; k++) {
        struct text svg = {0};
        struct plot_options options = {.svg = &svg};
        assert_int_equal(draw(kinds[k], &options, NULL), STATUS_OK);
        assert_non_null(strstr(svg.data, "as far as predictions can tell"));
        text_release(&svg);
    }
}

/* A run over the same candidates with other objectives; the figure's axes, and its title. */
static void read_front_of(const char *objectives, struct front_axes *axes, struct run_front *front,
                          char *svg_has, bool *has)
{
    struct store *store = NULL;
    struct selection selection;
    struct run_row run;
    struct candidate_row *rows = memory_new(N_ROWS, sizeof *rows);
    fill(rows);
    row_clear(TABLE_RUN, &run);
    run.verb = "search";
    run.objectives = objectives;
    assert_int_equal(store_open(database, STORE_WRITE, &store, NULL), STATUS_OK);
    assert_int_equal(store_begin_run(store, &run, NULL), STATUS_OK);
    assert_int_equal(store_put_candidates(store, run.id, rows, N_ROWS, N_ROWS, NULL), STATUS_OK);
    assert_int_equal(candidates_select(store, run.id, false, &selection, NULL), STATUS_OK);
    assert_int_equal(front_axes_of_run(store, run.id, axes, NULL), STATUS_OK);
    assert_int_equal(run_front_read(store, &selection, axes, front, NULL), STATUS_OK);
    struct text svg = {0};
    struct plot_options options = {.svg = &svg};
    assert_int_equal(plot_front(store, run.id, NULL, 0, &options, NULL), STATUS_OK);
    *has = strstr(svg.data, svg_has) != NULL;
    text_release(&svg);
    selection_release(&selection);
    memory_free(rows);
    assert_int_equal(store_finish_run(store, run.id, NULL), STATUS_OK);
    store_close(store);
}

/* Brute force: points of the front are those that nothing beats by both signs. */
static void check_front(const struct front_axes *axes, const struct run_front *front)
{
    static double x[N_ROWS], y[N_ROWS];
    struct candidate_row *rows = memory_new(N_ROWS, sizeof *rows);
    size_t n = 0;
    fill(rows);
    for (int i = 0; i < N_ROWS; i++) {
        x[i] = field_axis_value(&axes->x, &rows[i]) * axes->x.sign;
        y[i] = field_axis_value(&axes->y, &rows[i]) * axes->y.sign;
    }
    for (int i = 0; i < N_ROWS; i++) {
        bool beaten = false, listed = false;
        for (int j = 0; j < N_ROWS && !beaten; j++)
            beaten =
                j != i && x[j] <= x[i] && y[j] <= y[i] && (x[j] < x[i] || y[j] < y[i] || j < i);
        for (size_t j = 0; j < front->n_front && !beaten; j++)
            listed = listed || (front->front[j].y * axes->y.sign == y[i] &&
                                front->front[j].x == field_axis_value(&axes->x, &rows[i]));
        assert_int_equal(listed, !beaten);
        n += !beaten;
    }
    assert_int_equal(front->n_front, n);
    assert_true(front->n_cloud > 0 && front->n_cloud <= CLOUD_CELLS);
    memory_free(rows);
}

static void a_front_is_drawn_on_the_run_s_own_objectives(void **state)
{
    (void)state;
    static const struct {
        const char *objectives, *x, *y;
        char *label;
        int x_sign, n;
    } cases[] = {
        {"decode_ns,max:params_blocks", "params_blocks", "decode_ns",
         "parameters in blocks (millions; more is better)", -1, 2},
        {NULL, "params_blocks", "decode_ns", "decode (ms, log scale; less is better)", -1, 0},
        {"max:params_blocks,min:decode_ms", "decode_ns", "params_blocks",
         "The front: parameters in blocks against decode", 1, 2},
        {"d_model,decode_ns,params_blocks", "decode_ns", "d_model",
         "of 3 objectives the first two are shown", 1, 3},
        {"decode_ns,loss_delta_nats", "decode_ns", "loss_delta_nats", "90 % interval", 1, 2},
        {"decode_us", "n_layers_effective", "decode_ns", "depth (log scale)", 0, 1},
        {"sharing,decode_ns,decode_ms", "n_layers_effective", "decode_ns",
         "decode against depth: the best is", 0, 1},
        {"n_layers_effective", "decode_ns", "n_layers_effective", "depth (less is better)", 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct front_axes axes;
        struct run_front front;
        bool has;
        read_front_of(cases[i].objectives, &axes, &front, cases[i].label, &has);
        if (!has)
            fail_msg("%s: no '%s'", cases[i].objectives, cases[i].label);
        assert_string_equal(axes.x.field->name, cases[i].x);
        assert_string_equal(axes.y.field->name, cases[i].y);
        assert_int_equal(axes.x.sign, cases[i].x_sign);
        assert_int_equal(axes.n_objectives, cases[i].n);
        check_front(&axes, &front);
        run_front_release(&front);
    }
}

static void a_model_without_a_place_on_the_front_is_named_below_it(void **state)
{
    (void)state;
    struct text svg = {0};
    struct plot_options options = {.svg = &svg};
    assert_int_equal(draw("front", &options, NULL), STATUS_OK);
    assert_non_null(
        strstr(svg.data, "Models without a place here (another vocabulary, or unknown): OPT-125M"));
    text_release(&svg);
}

static void objectives_of_a_later_version_are_refused(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct run_row run;
    struct front_axes axes;
    struct err err = {{0}};
    row_clear(TABLE_RUN, &run);
    run.verb = "probe";
    run.objectives = "decode_ns,beauty";
    assert_int_equal(store_open(database, STORE_WRITE, &store, NULL), STATUS_OK);
    assert_int_equal(store_begin_run(store, &run, NULL), STATUS_OK);
    assert_int_equal(front_axes_of_run(store, run.id, &axes, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "the run's objectives: unknown metric 'beauty'"));
    store_close(store);
}

static void one_depth_is_a_figure_too(void **state)
{
    (void)state;
    static struct depth_options depths;
    struct text svg = {0};
    struct plot_options options = {.svg = &svg};
    const struct price price = {.decode_ns = 1e6, .decode_ns_low = 9e5, .decode_ns_high = 1.1e6};
    const struct plot_depth_device device = {"here", &price};
    assert_int_equal(
        depth_options_find(125000000, 32000, &law, QUALITY_NO_RECIPE, 1e12, &depths, NULL),
        STATUS_OK);
    depths.item[0] = depths.item[depths.best];
    depths.best = 0;
    depths.n = 1;
    assert_int_equal(plot_deep_or_wide("125M", &depths, &device, 1, NULL, 0, &options, NULL),
                     STATUS_OK);
    assert_non_null(strstr(svg.data, "125M: best by both are"));
    assert_int_equal(plot_deep_or_wide("125M", &depths, &device, 5, NULL, 0, &options, NULL),
                     STATUS_RANGE);
    assert_int_equal(plot_roadmap(NULL, 0, &options, NULL), STATUS_RANGE);
    text_release(&svg);
}

static void a_run_without_candidates_is_named(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct selection selection;
    struct run_row run;
    struct err err = {{0}};
    row_clear(TABLE_RUN, &run);
    assert_int_equal(store_open(database, STORE_WRITE, &store, NULL), STATUS_OK);
    assert_int_equal(candidates_select(store, 99, false, &selection, &err), STATUS_NOT_FOUND);
    selection_release(&selection);
    assert_int_equal(store_begin_run(store, &run, NULL), STATUS_OK);
    assert_int_equal(candidates_select(store, run.id, false, &selection, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "has no candidates to draw"));
    selection_release(&selection);
    store_close(store);
}

static void a_report_holds_figures_whose_names_do_not_meet(void **state)
{
    (void)state;
    struct report report;
    struct text svg = {0};
    struct plot_options options = {.svg = &svg};
    static const char *const headers[] = {"model", "ms"};
    static const char *const cells[] = {AWKWARD, "15.6", "b", NULL};
    assert_int_equal(draw("validate", &options, NULL), STATUS_OK);
    report_start(&report, AWKWARD, "what it is");
    report_heading(&report, "Figures");
    report_figure(&report, svg.data, "first");
    report_figure(&report, svg.data, "second");
    report_table(&report, "a table", headers, 2, cells, 2);
    assert_int_equal(report_write(&report, "test_plots.html", NULL), STATUS_OK);
    const char *html = report.html.data;
    assert_non_null(strstr(html, "id='f1-gpPt0'"));
    assert_non_null(strstr(html, "id='f2-gpPt0'"));
    assert_non_null(strstr(html, "href='#f2-gpPt"));
    assert_null(strstr(html, "href='#gpPt"));
    assert_null(strstr(html, "<?xml"));
    assert_null(strstr(html, "<b>"));
    assert_non_null(strstr(html, "<td class=\"n\">15.6</td>"));
    text_release(&svg);
    report_release(&report);
    assert_int_equal(unlink("test_plots.html"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_draws_every_format_without_a_warning),
        cmocka_unit_test(an_svg_shows_awkward_text_as_it_is),
        cmocka_unit_test(the_same_figure_gives_the_same_bytes),
        cmocka_unit_test(the_terminal_draws_a_page_of_its_size),
        cmocka_unit_test(a_figure_without_data_is_refused),
        cmocka_unit_test(a_value_that_has_no_place_on_a_log_axis_is_refused),
        cmocka_unit_test(running_out_of_memory_is_reported_once_and_leaks_nothing),
        cmocka_unit_test(figures_show_what_cannot_be_told_apart_from_the_fastest),
        cmocka_unit_test(a_model_without_a_place_on_the_front_is_named_below_it),
        cmocka_unit_test(a_front_is_drawn_on_the_run_s_own_objectives),
        cmocka_unit_test(objectives_of_a_later_version_are_refused),
        cmocka_unit_test(one_depth_is_a_figure_too),
        cmocka_unit_test(a_run_without_candidates_is_named),
        cmocka_unit_test(a_report_holds_figures_whose_names_do_not_meet),
    };
    return cmocka_run_group_tests(tests, make_database, remove_database);
}
