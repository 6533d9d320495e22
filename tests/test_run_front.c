/* The front of a run as its figures show it. */
#include "tests/plots_fixture.h"

#include "plots/run_front.h"

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
        assert_int_equal(plot_run(kinds[k], &options, NULL), STATUS_OK);
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
    assert_int_equal(plot_run("front", &options, NULL), STATUS_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_show_what_cannot_be_told_apart_from_the_fastest),
        cmocka_unit_test(a_model_without_a_place_on_the_front_is_named_below_it),
        cmocka_unit_test(a_front_is_drawn_on_the_run_s_own_objectives),
        cmocka_unit_test(objectives_of_a_later_version_are_refused),
        cmocka_unit_test(a_run_without_candidates_is_named),
    };
    return cmocka_run_group_tests(tests, make_database, remove_database);
}
