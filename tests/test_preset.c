#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "model/count.h"
#include "model/gguf_write.h"
#include "model/hf_config.h"
#include "model/model_arg.h"
#include "model/preset.h"
#include "model/published.h"

static struct err err;

static int64_t count(const struct transformer *net)
{
    struct param_count params;
    transformer_count(net, &params);
    return params.total;
}

static void every_preset_counts_to_the_last_parameter(void **state)
{
    (void)state;
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    assert_true(list.n >= 59);
    int wrong = 0;
    for (size_t i = 0; i < list.n; i++) {
        struct transformer net;
        if (preset_open(list.items[i].name, &net, &err) != STATUS_OK) {
            print_message("%s\n", err.message);
            wrong++;
            continue;
        }
        if (count(&net) != list.items[i].params) {
            print_message("%s: %lld, expected %lld\n", list.items[i].name, (long long)count(&net),
                          (long long)list.items[i].params);
            wrong++;
        }
        assert_string_equal(net.name, list.items[i].name);
        transformer_release(&net);
    }
    preset_list_release(&list);
    assert_int_equal(wrong, 0);
}

static void a_gold_preset_equals_its_published_count(void **state)
{
    (void)state;
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    int gold = 0;
    for (size_t i = 0; i < list.n; i++) {
        const struct preset *preset = &list.items[i];
        if (strcmp(preset->grade, "gold") == 0 && preset->published_params > 0) {
            assert_int_equal(preset->params, preset->published_params);
            gold++;
        }
    }
    assert_true(gold >= 40);
    preset_list_release(&list);
}

static void the_documented_counts_are_the_presets(void **state)
{
    (void)state;
    struct preset_list list;
    char *page = NULL;
    int64_t length = 0;
    assert_int_equal(file_read(LATHE_SOURCE_DIR "/docs/models.md", 1 << 20, &page, &length, &err),
                     STATUS_OK);
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    for (size_t i = 0; i < list.n; i++) {
        char row[96], digits[32], grouped[48];
        int n = snprintf(digits, sizeof digits, "%lld", (long long)list.items[i].params), k = 0;
        for (int d = 0; d < n; d++) {
            if (d > 0 && (n - d) % 3 == 0)
                grouped[k++] = ',';
            grouped[k++] = digits[d];
        }
        snprintf(row, sizeof row, "| %s | %.*s |", list.items[i].name, k, grouped);
        if (!strstr(page, row))
            fail_msg("docs/models.md has no '%s'", row);
    }
    preset_list_release(&list);
    memory_free(page);
}

static void a_slip_names_the_nearest_preset(void **state)
{
    (void)state;
    struct transformer net;
    assert_int_equal(preset_open("mobilelm-125m", &net, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "did you mean 'mobilellm-125m'?"));
    assert_int_equal(model_open("opt-135m", &net, NULL, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "'opt-125m'?"));
    assert_int_equal(preset_open("MobileLLM-125M", &net, &err), STATUS_OK);
    assert_string_equal(net.name, "mobilellm-125m");
}

static void a_model_argument_is_a_preset_a_file_or_a_directory(void **state)
{
    (void)state;
    struct transformer net;
    struct text warnings = {0};
    assert_int_equal(model_open("opt-350m", &net, NULL, &err), STATUS_OK);
    assert_int_equal(net.d_embed, 512);
    assert_int_equal(
        model_open(LATHE_SOURCE_DIR "/data/models/mobillama-05b.json", &net, &warnings, &err),
        STATUS_OK);
    assert_non_null(strstr(warnings.data, "MobiLlama"));
    text_release(&warnings);
    assert_int_equal(model_open(LATHE_SOURCE_DIR "/data/models", &net, NULL, &err), STATUS_IO);
    assert_int_equal(model_open(LATHE_SOURCE_DIR "/LICENSE", &net, NULL, &err), STATUS_INPUT);
}

static void a_gguf_file_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    struct transformer net, back;
    struct gguf_write_options options = {.seed = 1, .expand_shared = true};
    transformer_init(&net, 64, 2, 4, 2, 16, 96, 300);
    assert_int_equal(gguf_write(&net, "test_preset_file", &options, NULL, &err), STATUS_OK);
    assert_int_equal(model_open("test_preset_file", &back, NULL, &err), STATUS_OK);
    assert_true(transformer_same_shape(&net, &back));
    assert_true(back.name[0] != '\0');
    transformer_release(&back);
    assert_int_equal(remove("test_preset_file"), 0);
}

static void both_accuracy_tables_are_there_with_a_preset_for_each_row(void **state)
{
    (void)state;
    struct published_list list;
    assert_int_equal(published_open(&list, &err), STATUS_OK);
    assert_int_equal(list.n, 17 + 26);
    for (size_t i = 0; i < list.n; i++) {
        double sum = 0;
        for (int t = 0; t < N_PUBLISHED_TASKS; t++)
            sum += list.items[i].accuracy[t];
        /* printed averages are of unrounded tasks: each is off by 0.05 at most, and so is the mean
         */
        assert_true(fabs(sum / N_PUBLISHED_TASKS - list.items[i].average) <= 0.1);
    }
    assert_true(published_average(&list, "mobilellm-125m") == 46.3);
    assert_true(published_average(&list, "rwkv-4-3b") == 55.1);
    assert_true(isnan(published_average(&list, "llama-3.2-1b")));
    published_release(&list);
}

/* The paper's depth and width sweep, and its sweep of heads: untied, 32,000 tokens. */
static void count_rows(const char *table, const char *layers, const char *ffn, int n_rows)
{
    char path[4200];
    struct csv *csv = NULL;
    snprintf(path, sizeof path, LATHE_SOURCE_DIR "/data/published/%s", table);
    assert_int_equal(csv_open(path, &csv, &err), STATUS_OK);
    const char *const names[] = {layers,     "dim",      "heads",
                                 "kv_heads", "head_dim", "params_computed_exact"};
    assert_int_equal(csv_n_rows(csv), n_rows);
    for (int row = 0; row < n_rows; row++) {
        int64_t v[6], d_ff = 0;
        struct transformer net;
        for (int i = 0; i < 6; i++)
            assert_int_equal(
                csv_int(csv, row, csv_find_column(csv, names[i]), 1, INT64_MAX, &v[i], &err),
                STATUS_OK);
        if (ffn)
            assert_int_equal(
                csv_int(csv, row, csv_find_column(csv, ffn), 1, INT64_MAX, &d_ff, &err), STATUS_OK);
        else
            d_ff = (8 * v[1] / 3 + 255) / 256 * 256;
        transformer_init(&net, v[1], v[0], v[2], v[3], v[4], d_ff, 32000);
        net.tie_embeddings = false;
        assert_int_equal(count(&net), v[5]);
    }
    csv_close(csv);
}

static void all_rows_of_the_papers_sweeps_count_exactly(void **state)
{
    (void)state;
    count_rows("depth_width_ablation.csv", "layers", "ffn_hidden_by_rule", 19);
    count_rows("ablation_heads_kv.csv", "layers", NULL, 30);
}

static void a_failed_allocation_leaks_nothing(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n += 97) {
        struct published_list list;
        memory_fail_after(n);
        status = published_open(&list, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        if (status == STATUS_OK)
            published_release(&list);
    }
    status = STATUS_NOMEM;
    for (int64_t n = 1; status != STATUS_OK; n += 31) {
        struct transformer net;
        memory_fail_after(n);
        status = model_open("mobilellm-125m", &net, NULL, &err);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gold_preset_equals_its_published_count),
        cmocka_unit_test(the_documented_counts_are_the_presets),
        cmocka_unit_test(a_slip_names_the_nearest_preset),
        cmocka_unit_test(a_model_argument_is_a_preset_a_file_or_a_directory),
        cmocka_unit_test(a_gguf_file_is_known_by_its_first_bytes),
        cmocka_unit_test(both_accuracy_tables_are_there_with_a_preset_for_each_row),
        cmocka_unit_test(all_rows_of_the_papers_sweeps_count_exactly),
        cmocka_unit_test(a_failed_allocation_leaks_nothing),
        cmocka_unit_test(every_preset_counts_to_the_last_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
