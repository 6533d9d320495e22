/* Every kind of figure, in every format, from data that is awkward on purpose. */
#include "tests/plots_fixture.h"

#include <math.h>

#include "base/file.h"
#include "plots/page.h"
#include "plots/plot_accuracy.h"
#include "plots/plot_breakdown.h"
#include "plots/plot_deep_or_wide.h"
#include "plots/plot_phases.h"
#include "plots/plot_roadmap.h"
#include "plots/plot_timeline.h"
#include "plots/plot_validate.h"
#include "plots/report.h"
#include "tests/quality_fixture.h"

static struct quality_law law;

static int set_up(void **state)
{
    read_shipped_law(&law);
    return make_database(state);
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
        return plot_run(kind, options, err);
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
            const char *const path = temporary_path(folder, names[i]);
            struct plot_options options = {
                .path = path, .subtitle = AWKWARD, .warnings = &warnings};
            assert_int_equal(draw(plot_kinds[kind], &options, &err), STATUS_OK);
            if (warnings.data)
                fail_msg("%s as %s: %s", plot_kinds[kind], names[i], warnings.data);
            char *data = NULL;
            int64_t length = 0;
            assert_int_equal(file_read(path, 1 << 22, &data, &length, NULL), STATUS_OK);
            assert_memory_equal(data, starts[i], 4);
            assert_true(i > 0 || length < 300 * 1000);
            memory_free(data);
            unlink(path);
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
    assert_int_equal(report_write(&report, temporary_path(folder, "x.html"), NULL), STATUS_OK);
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
    assert_int_equal(unlink(temporary_path(folder, "x.html")), 0);
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
        cmocka_unit_test(one_depth_is_a_figure_too),
        cmocka_unit_test(a_report_holds_figures_whose_names_do_not_meet),
    };
    return cmocka_run_group_tests(tests, set_up, remove_database);
}
