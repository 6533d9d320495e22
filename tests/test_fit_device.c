/* A device from its timings: terms, held-out errors, rows that cannot be used, and the profile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/stats.h"
#include "fit/fit_profile.h"
#include "tests/shipped_device.h"

static void add_row(struct fit_rows *rows, const struct machine *truth, int threads, int64_t layers,
                    int64_t d_model, int64_t n_heads, enum dtype type, int64_t context)
{
    struct fit_row row = {.threads = threads, .prompt = 64, .context = context};
    struct err err;
    snprintf(row.where, sizeof row.where, "made up:%zu", rows->n + 1);
    snprintf(row.label, sizeof row.label, "%d x %d", (int)layers, (int)d_model);
    transformer_init(&row.net, d_model, layers, n_heads, n_heads, 64, 3 * d_model, 32000);
    transformer_set_dtype(&row.net, type);
    row.net.kv_dtype = DTYPE_F16;
    assert_int_equal(fit_predict(truth, &row, FIT_DECODE, &row.decode_ns, &err), STATUS_OK);
    assert_int_equal(fit_predict(truth, &row, FIT_PREFILL, &row.prefill_ns, &err), STATUS_OK);
    assert_int_equal(fit_predict(truth, &row, FIT_LOADING, &row.load_ns, &err), STATUS_OK);
    assert_int_equal(fit_rows_add(rows, &row, &err), STATUS_OK);
}

static void make_truth(int threads, double attention_gflops, struct machine *truth)
{
    struct device device = shipped_device("generic-phone");
    struct machine base;
    struct fit_theta theta = {0};
    const int terms[] = {FIT_BYTE + DTYPE_Q8_0,
                         FIT_BYTE + DTYPE_Q4_0,
                         FIT_FLOP + DTYPE_Q8_0,
                         FIT_FLOP + DTYPE_Q4_0,
                         FIT_LAYER,
                         FIT_LOAD,
                         FIT_LOAD_BYTE};
    const double values[] = {0.05 / threads, 0.08 / threads, 0.002, 0.003, 50e3, 30e6, 0.7};
    for (int i = 0; i < 7; i++) {
        theta.value[terms[i]] = values[i];
        theta.fitted |= FIT_TERM(terms[i]);
    }
    if (attention_gflops > 0)
        theta.value[FIT_ATTENTION] = 1 / attention_gflops;
    assert_int_equal(fit_base_machine(&device, 0, NULL, 0, &base, NULL), STATUS_OK);
    fit_machine(&base, &theta, truth);
}

static void add_networks(struct fit_rows *rows, const struct machine *truth, int threads)
{
    const int64_t layers[] = {4, 12, 24, 30, 40}, widths[] = {1280, 768, 640, 512, 448};
    for (int i = 0; i < 5; i++)
        for (int64_t context = 16; context <= 1024; context *= 64)
            add_row(rows, truth, threads, layers[i], widths[i], widths[i] / 64,
                    i % 2 ? DTYPE_Q8_0 : DTYPE_Q4_0, context);
    add_row(rows, truth, threads, 20, 576, 9, DTYPE_Q8_0, 16);
}

static void fit_it(const struct fit_rows *rows, struct device_fit *fit, struct text *notes)
{
    struct device base = shipped_device("generic-phone");
    struct err err;
    if (fit_device(&base, rows, fit, notes, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static void attention_is_fitted_when_it_is_slow_and_left_alone_when_it_is_not(void **state)
{
    (void)state;
    for (int slow = 0; slow <= 1; slow++) {
        struct machine truth;
        struct fit_rows rows = {0};
        struct device_fit fit;
        struct text notes = {0};
        make_truth(1, slow ? 1.0 : 0, &truth);
        add_networks(&rows, &truth, 1);
        fit_it(&rows, &fit, &notes);
        assert_int_equal((fit.optional & FIT_TERM(FIT_ATTENTION)) != 0, slow);
        assert_true(fit.held_out.n == (int)rows.n);
        assert_true(fit.held_out.worst_frac < 0.03);
        assert_true(fit.held_out.median_frac <= fit.bytes.median_frac);
        assert_null(notes.data);
        device_fit_release(&fit);
        fit_rows_release(&rows);
    }
}

static void the_profile_reads_back_and_prices_every_row_as_the_fit_does(void **state)
{
    (void)state;
    for (int n_counts = 1; n_counts <= 2; n_counts++) {
        struct fit_rows rows = {0};
        struct device_fit fit;
        struct text notes = {0};
        char *base_text = NULL, *text = NULL;
        struct json_doc *base_doc = NULL, *doc = NULL;
        struct json base_root, root;
        struct device device;
        struct err err;
        for (int threads = 1; threads <= n_counts; threads++) {
            struct machine truth;
            make_truth(threads, 1, &truth);
            add_networks(&rows, &truth, threads);
        }
        fit_it(&rows, &fit, &notes);
        assert_int_equal(fit.n_groups, n_counts);
        assert_int_equal(device_text("generic-phone", &base_text, &err), STATUS_OK);
        assert_int_equal(
            json_parse("base", base_text, (int64_t)strlen(base_text), &base_doc, &base_root, &err),
            STATUS_OK);
        const struct fit_profile_names names = {"a phone", "a runtime", "a file"};
        assert_int_equal(fit_profile(&fit, &base_root, &names, &text, &err), STATUS_OK);
        if (json_parse("profile", text, (int64_t)strlen(text), &doc, &root, &err) != STATUS_OK ||
            device_parse(&root, &device, &err) != STATUS_OK)
            fail_msg("%s", err.message);
        assert_string_equal(device.runtime, "a runtime");
        assert_int_equal(device.basis, BASIS_FITTED);
        assert_true(fabs(device.error_median_frac - fit.held_out.median_frac) < 1e-6);
        for (size_t i = 0; i < rows.n; i++) {
            struct machine machine;
            double ns, load_ns;
            assert_int_equal(machine_resolve(&device, rows.items[i].threads, &machine, &err),
                             STATUS_OK);
            assert_int_equal(fit_predict(&machine, &rows.items[i], FIT_DECODE, &ns, &err),
                             STATUS_OK);
            assert_true(fabs(ns / fit.predictions[i].fitted_ns - 1) < 1e-5);
            assert_int_equal(fit_predict(&machine, &rows.items[i], FIT_LOADING, &load_ns, &err),
                             STATUS_OK);
            assert_true(fabs(load_ns / rows.items[i].load_ns - 1) < 0.02);
        }
        json_close(doc);
        json_close(base_doc);
        memory_free(text);
        memory_free(base_text);
        device_fit_release(&fit);
        fit_rows_release(&rows);
        text_release(&notes);
    }
}

/* The fit's profile, read back. */
static void reread(const struct device_fit *fit, struct device *device, char **text)
{
    char *base_text = NULL;
    struct json_doc *base_doc = NULL, *doc = NULL;
    struct json base_root, root;
    struct err err;
    const struct fit_profile_names names = {"a phone", "a runtime", "a file"};
    assert_int_equal(device_text("generic-phone", &base_text, &err), STATUS_OK);
    assert_int_equal(
        json_parse("base", base_text, (int64_t)strlen(base_text), &base_doc, &base_root, &err),
        STATUS_OK);
    assert_int_equal(fit_profile(fit, &base_root, &names, text, &err), STATUS_OK);
    if (json_parse("profile", *text, (int64_t)strlen(*text), &doc, &root, &err) != STATUS_OK ||
        device_parse(&root, device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    json_close(doc);
    json_close(base_doc);
    memory_free(base_text);
}

static void prompts_alone_are_fitted_and_decode_stays_the_base_s(void **state)
{
    (void)state;
    struct machine truth, fitted, plain;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct device device, base = shipped_device("generic-phone");
    struct text notes = {0};
    char *text = NULL;
    make_truth(1, 0, &truth);
    add_networks(&rows, &truth, base.default_threads);
    for (size_t i = 0; i < rows.n; i++)
        rows.items[i].decode_ns = rows.items[i].load_ns = NAN;
    fit_it(&rows, &fit, &notes);
    assert_true(fit.prompts_only);
    assert_int_equal(fit.held_out.n, 0);
    assert_non_null(strstr(notes.data, "prompts only"));
    reread(&fit, &device, &text);
    assert_true(isnan(device.error_median_frac));
    assert_non_null(strstr(text, "rows of prompts only"));
    assert_int_equal(machine_resolve(&device, 0, &fitted, NULL), STATUS_OK);
    assert_int_equal(machine_resolve(&base, 0, &plain, NULL), STATUS_OK);
    for (size_t i = 0; i < rows.n; i++) {
        double ns, base_ns;
        struct fit_row *row = &rows.items[i];
        assert_int_equal(fit_predict(&fitted, row, FIT_PREFILL, &ns, NULL), STATUS_OK);
        assert_true(fabs(ns / row->prefill_ns - 1) < 0.1);
        assert_int_equal(fit_predict(&fitted, row, FIT_DECODE, &ns, NULL), STATUS_OK);
        assert_int_equal(fit_predict(&plain, row, FIT_DECODE, &base_ns, NULL), STATUS_OK);
        assert_true(fabs(ns / base_ns - 1) < 0.02);
    }
    memory_free(text);
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

/* Half of each token is a cost per layer, far beyond what the fit's prior expects. */
static void add_bytes_and_layers(struct fit_rows *rows, const struct machine *truth)
{
    const int64_t layers[] = {40, 32, 36}, widths[] = {256, 384, 512};
    for (int i = 0; i < 3; i++) {
        struct fit_sums sums;
        add_row(rows, truth, 1, layers[i], widths[i], widths[i] / 64, DTYPE_Q8_0, 16);
        struct fit_row *row = &rows->items[rows->n - 1];
        assert_int_equal(fit_sum_row(row, FIT_DECODE, &sums, NULL), STATUS_OK);
        row->decode_ns = 0.1 * sums.all_bytes + 1e6 * sums.layers;
    }
}

static void the_simpler_model_is_taken_where_it_predicts_networks_left_out_better(void **state)
{
    (void)state;
    struct machine truth, machine;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct device device;
    struct text notes = {0};
    char *text = NULL;
    make_truth(1, 0, &truth);
    add_bytes_and_layers(&rows, &truth);
    fit_it(&rows, &fit, &notes);
    assert_true(fit.layers.worst_frac < 1e-6);
    assert_true(fit.held_out.worst_frac > fit.layers.worst_frac);
    assert_true(fit.simpler);
    assert_non_null(strstr(notes.data, "predict networks left out better"));
    reread(&fit, &device, &text);
    assert_non_null(strstr(text, "which predict networks left out better than the full fit"));
    assert_true(fabs(device.error_median_frac - fit.layers.median_frac) < 1e-6);
    assert_int_equal(machine_resolve(&device, 1, &machine, NULL), STATUS_OK);
    for (size_t i = 0; i < rows.n; i++) {
        double ns;
        struct fit_row *row = &rows.items[i];
        assert_int_equal(fit_predict(&machine, row, FIT_DECODE, &ns, NULL), STATUS_OK);
        if (fabs(ns / row->decode_ns - 1) > 1e-3) /* activations, which it does not count */
            fail_msg("%s: %g, not %g", row->label, ns, row->decode_ns);
        assert_int_equal(fit_predict(&machine, row, FIT_PREFILL, &ns, NULL), STATUS_OK);
        assert_true(ns > 0);
    }
    memory_free(text);
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

static void one_network_at_a_thread_count_is_named_and_the_others_are_fitted(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct text notes = {0};
    make_truth(1, 0, &truth);
    add_networks(&rows, &truth, 1);
    add_row(&rows, &truth, 4, 20, 576, 9, DTYPE_Q8_0, 16);
    fit_it(&rows, &fit, &notes);
    assert_int_equal(fit.n_groups, 1);
    assert_non_null(notes.data);
    assert_non_null(strstr(notes.data, "4 threads"));
    assert_non_null(strstr(notes.data, "two are needed"));
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

static void one_network_alone_is_an_error(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct text notes = {0};
    struct device base = shipped_device("generic-phone");
    struct err err;
    make_truth(1, 0, &truth);
    add_row(&rows, &truth, 1, 20, 576, 9, DTYPE_Q8_0, 16);
    add_row(&rows, &truth, 1, 20, 576, 9, DTYPE_Q4_0, 16);
    assert_int_equal(fit_device(&base, &rows, &fit, &notes, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "two networks"));
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

static void two_networks_fit_and_their_error_is_unknown(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct text notes = {0};
    make_truth(1, 0, &truth);
    add_row(&rows, &truth, 1, 30, 576, 9, DTYPE_Q8_0, 16);
    add_row(&rows, &truth, 1, 8, 1024, 16, DTYPE_Q8_0, 16);
    fit_it(&rows, &fit, &notes);
    assert_int_equal(fit.held_out.n, 0);
    assert_true(isnan(fit.held_out.median_frac));
    assert_true(fabs(fit.groups[0].theta.value[FIT_LAYER] / 50e3 - 1) < 0.2);
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

static void contradictory_rows_are_named_and_taken_out_and_repeats_stay(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct text notes = {0};
    make_truth(1, 0, &truth);
    for (int i = 0; i < 2; i++) /* repeats, 5 % apart */
        add_row(&rows, &truth, 1, 30, 576, 9, DTYPE_Q8_0, 16);
    rows.items[1].decode_ns *= 1.05;
    for (int i = 0; i < 2; i++) /* a pair that cannot both be true */
        add_row(&rows, &truth, 1, 8, 1024, 16, DTYPE_Q8_0, 16);
    rows.items[3].decode_ns *= 2;
    for (int i = 0; i < 3; i++) /* one of three is wrong */
        add_row(&rows, &truth, 1, 16, 768, 12, DTYPE_Q8_0, 16);
    rows.items[5].decode_ns *= 3;
    add_row(&rows, &truth, 1, 16, 768, 12, DTYPE_Q4_0, 16); /* another type is no contradiction */
    assert_int_equal(fit_rows_refuse_contradictions(&rows, &notes), 3);
    const bool left[] = {true, true, false, false, true, false, true, true};
    for (size_t i = 0; i < rows.n; i++)
        assert_int_equal(!isnan(rows.items[i].decode_ns), left[i]);
    assert_non_null(strstr(notes.data, "made up:6"));
    fit_rows_release(&rows);
    text_release(&notes);
}

static void a_network_beyond_the_memory_of_the_base_is_named_and_taken_out(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct text notes = {0};
    struct device base = shipped_device("generic-phone");
    make_truth(1, 0, &truth);
    add_row(&rows, &truth, 1, 8, 1024, 16, DTYPE_Q8_0, 16);
    add_row(&rows, &truth, 1, 90, 4096, 64, DTYPE_Q8_0, 16);
    assert_int_equal(fit_rows_refuse_too_large(&rows, &base, &notes), 1);
    assert_true(isnan(rows.items[1].decode_ns) && !isnan(rows.items[0].decode_ns));
    assert_non_null(strstr(notes.data, "made up:2"));
    fit_rows_release(&rows);
    text_release(&notes);
}

static void one_row_gone_wrong_hardly_moves_the_others(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct device_fit fit;
    struct text notes = {0};
    make_truth(1, 0, &truth);
    add_networks(&rows, &truth, 1);
    rows.items[4].decode_ns *= 2.5;
    fit_it(&rows, &fit, &notes);
    for (size_t i = 0; i < rows.n; i++)
        if (i != 4)
            assert_true(fabs(fit.predictions[i].fitted_ns / rows.items[i].decode_ns - 1) < 0.05);
    device_fit_release(&fit);
    fit_rows_release(&rows);
    text_release(&notes);
}

static void running_out_of_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct machine truth;
    struct fit_rows rows = {0};
    struct device base = shipped_device("generic-phone");
    make_truth(1, 0, &truth);
    add_row(&rows, &truth, 1, 30, 576, 9, DTYPE_Q8_0, 16);
    add_row(&rows, &truth, 1, 8, 1024, 16, DTYPE_Q8_0, 16);
    for (int n = 1; n < 60; n++) {
        struct device_fit fit;
        struct text notes = {0};
        struct err err;
        memory_fail_after(n);
        enum status status = fit_device(&base, &rows, &fit, &notes, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        device_fit_release(&fit);
        text_release(&notes);
        if (status == STATUS_OK)
            break;
    }
    fit_rows_release(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_fitted_when_it_is_slow_and_left_alone_when_it_is_not),
        cmocka_unit_test(the_profile_reads_back_and_prices_every_row_as_the_fit_does),
        cmocka_unit_test(prompts_alone_are_fitted_and_decode_stays_the_base_s),
        cmocka_unit_test(the_simpler_model_is_taken_where_it_predicts_networks_left_out_better),
        cmocka_unit_test(one_network_at_a_thread_count_is_named_and_the_others_are_fitted),
        cmocka_unit_test(one_network_alone_is_an_error),
        cmocka_unit_test(two_networks_fit_and_their_error_is_unknown),
        cmocka_unit_test(contradictory_rows_are_named_and_taken_out_and_repeats_stay),
        cmocka_unit_test(a_network_beyond_the_memory_of_the_base_is_named_and_taken_out),
        cmocka_unit_test(one_row_gone_wrong_hardly_moves_the_others),
        cmocka_unit_test(running_out_of_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
