/* The profiles that come along, and the page that explains them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "costmodel/price.h"
#include "device/device.h"
#include "device/profile_fields.h"
#include "model/transformer.h"
#include "tests/device_fixture.h"

/* Every number is {"value", "kind", "source"}, all the way down. */
static void check_sources(const struct json *at, const char *name, int *n_numbers)
{
    if (json_is_number(at))
        fail_msg("%s: '%s' is a number without a source", name, at->key == NULL ? "?" : at->key);
    if (json_is_object(at) && json_member(at, "value").item != NULL) {
        const char *word = "";
        struct err err = {{0}};
        if (json_get_string(at, "kind", &word, &err) != STATUS_OK ||
            json_get_string(at, "source", &word, &err) != STATUS_OK)
            fail_msg("%s", err.message);
        if (strlen(word) < 8)
            fail_msg("%s: the source '%s' says too little", name, word);
        ++*n_numbers;
        return;
    }
    if (json_is_object(at) || json_is_array(at))
        for (struct json child = json_first(at); child.item != NULL; child = json_next(&child))
            check_sources(&child, name, n_numbers);
}

static void check_that_numbers_have_sources(const char *name)
{
    char path[4096], relative[256];
    struct json_doc *doc = NULL;
    struct json root;
    int n_numbers = 0;
    snprintf(relative, sizeof relative, "devices/%s.json", name);
    assert_int_equal(file_data_path(relative, path, sizeof path, NULL), STATUS_OK);
    assert_int_equal(json_open(path, &doc, &root, NULL), STATUS_OK);
    check_sources(&root, name, &n_numbers);
    assert_true(n_numbers >= 8);
    json_close(doc);
}

static void every_number_of_a_shipped_profile_has_a_kind_and_a_source(void **state)
{
    (void)state;
    for_each_shipped(check_that_numbers_have_sources);
}

static void check_that_it_resolves(const char *name)
{
    struct device device = shipped_device(name);
    assert_string_equal(device.id, name);
    for (int threads = 0; threads <= device.max_threads; threads++) {
        struct machine machine = resolved(&device, threads);
        for (int i = 0; i < machine.n_levels; i++) {
            assert_true(machine.levels[i].read_gbps > 0 && machine.kv_gbps[i] > 0);
            assert_true(machine.levels[i].capacity_bytes > 0);
            if (i > 0)
                assert_true(machine.levels[i - 1].read_gbps >= machine.levels[i].read_gbps);
            for (int type = 0; type < N_DTYPES; type++)
                assert_true(machine.weight_gbps[type][i] > 0);
        }
        for (int type = 0; type < N_DTYPES; type++)
            assert_true(machine.peak_gflops[type] > 0);
        assert_true(machine.load_gbps > 0 && machine.init_gbps > 0);
        assert_true(machine.app_share_bytes > 0);
    }
}

static void every_shipped_profile_resolves_at_every_thread_count(void **state)
{
    (void)state;
    for_each_shipped(check_that_it_resolves);
}

/* What docs/method.md derives, without the operator list: the profile's numbers and Table 7 alone.
 */
static void the_iphone_13_profile_reproduces_table_7(void **state)
{
    (void)state;
    struct device device = shipped_device("iphone-13");
    struct machine machine = resolved(&device, 0);
    char path[4096];
    struct csv *csv = NULL;
    assert_int_equal(file_data_path("published/latency_table7.csv", path, sizeof path, NULL),
                     STATUS_OK);
    assert_int_equal(csv_open(path, &csv, NULL), STATUS_OK);
    assert_int_equal(csv_n_rows(csv), 3);
    for (int row = 0; row < 3; row++) {
        static const char *const columns[] = {
            "layers_distinct", "layers_effective", "fp16_weight_bytes_computed",
            "load_ms",         "init_ms",          "execute_ms"};
        double value[6];
        for (int i = 0; i < 6; i++)
            assert_int_equal(
                csv_number(csv, row, csv_find_column(csv, columns[i]), 0, 1e12, &value[i], NULL),
                STATUS_OK);
        double distinct = value[0], executions = value[1], bytes = value[2];
        double kv_bytes = 128 * 2 * 192 * 2 * executions;
        double execute_ns = (bytes + kv_bytes) / machine.levels[machine.dram].read_gbps +
                            machine.layer_ns * executions;
        double load_ns =
            machine.load_fixed_ns + bytes / machine.load_gbps + machine.load_layer_ns * executions;
        double init_ns = machine.init_fixed_ns + bytes / machine.init_gbps +
                         machine.init_layer_ns * executions +
                         machine.init_block_sq_ns * distinct * distinct;
        assert_true(fabs(load_ns / 1e6 - value[3]) < 0.05);
        assert_true(fabs(init_ns / 1e6 - value[4]) < 0.05);
        assert_true(fabs(execute_ns / 1e6 / value[5] - 1) < 0.002);
    }
    csv_close(csv);
}

static void the_closed_form_prices_table_7_on_the_iphone_13_profile(void **state)
{
    (void)state;
    struct device device = shipped_device("iphone-13");
    struct machine machine = resolved(&device, 0);
    const struct workload workload = {.prompt = 1, .context = 128};
    const double ms[] = {15.6, 16.0, 29.0};
    for (int i = 0; i < 3; i++) {
        struct transformer net;
        struct price price;
        transformer_init(&net, 576, i == 2 ? 60 : 30, 9, 3, 64, 1536, 32000);
        if (i == 1) {
            net.schedule.sharing = SHARING_IMMEDIATE;
            net.schedule.repeats = 2;
        }
        assert_int_equal(price_network(&net, &machine, &workload, &price, NULL, NULL), STATUS_OK);
        assert_true(fabs(price.decode_ns / 1e6 / ms[i] - 1) < 0.005);
        transformer_release(&net);
    }
}

/* The line of docs/profiles.md on one row. */
static void line_of(const struct profile_field *row, char *out, size_t size)
{
    snprintf(out, size, "| `%s`%s | %s |%s%s | %s |\n", row->key,
             row->kind == KEY_BY_THREADS ? " **t**" : "", row->meaning, *row->unit ? " " : "",
             row->unit, row->by_default);
}

/* Is this one of the rows' lines, or of a row's members? */
static bool is_line_of(const struct profile_field *rows, const char *line, size_t length)
{
    char own[1024];
    for (const struct profile_field *row = rows; row->key != NULL; row++) {
        line_of(row, own, sizeof own);
        if (strlen(own) == length && memcmp(own, line, length) == 0)
            return true;
        if (row->members != NULL && is_line_of(row->members, line, length))
            return true;
    }
    return false;
}

static void check_that_rows_are_explained(const struct profile_field *rows, const char *page)
{
    char line[1024];
    for (const struct profile_field *row = rows; row->key != NULL; row++) {
        line_of(row, line, sizeof line);
        if (strstr(page, line) == NULL)
            fail_msg("docs/profiles.md lacks this line:\n%s", line);
        if (row->members != NULL)
            check_that_rows_are_explained(row->members, page);
    }
}

static void read_page_on_profiles(char **page)
{
    int64_t length;
    assert_int_equal(file_read(LATHE_SOURCE_DIR "/docs/profiles.md", 1 << 20, page, &length, NULL),
                     STATUS_OK);
}

static void the_page_on_profiles_has_the_line_of_every_key_and_no_other(void **state)
{
    (void)state;
    char *page = NULL;
    read_page_on_profiles(&page);
    const char *end = strstr(page, "## The smallest profile");
    assert_non_null(end);
    check_that_rows_are_explained(profile_fields, page);
    char *line = strstr(page, "## What it is");
    assert_non_null(line);
    for (char *next; line < end; line = next) {
        next = strchr(line, '\n') + 1;
        if (strncmp(line, "| `", 3) == 0 &&
            !is_line_of(profile_fields, line, (size_t)(next - line)))
            fail_msg("no row of device/profile_fields.c has this line:\n%.*s", (int)(next - line),
                     line);
    }
    memory_free(page);
}

static void check_that_the_page_lists(const char *name)
{
    char *page = NULL, quoted[80];
    read_page_on_profiles(&page);
    snprintf(quoted, sizeof quoted, "`%s`", name);
    if (strstr(page, quoted) == NULL)
        fail_msg("docs/profiles.md does not list '%s'", name);
    memory_free(page);
}

static void the_page_on_profiles_lists_every_profile_and_operator(void **state)
{
    (void)state;
    for_each_shipped(check_that_the_page_lists);
    char *page = NULL, kinds[256] = "dispatching one, of:";
    read_page_on_profiles(&page);
    for (int kind = 0; kind < N_OP_KINDS; kind++) {
        size_t used = strlen(kinds);
        snprintf(kinds + used, sizeof kinds - used, " %s", op_kind_name((enum op_kind)kind));
    }
    assert_non_null(strstr(page, kinds));
    memory_free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_a_shipped_profile_has_a_kind_and_a_source),
        cmocka_unit_test(every_shipped_profile_resolves_at_every_thread_count),
        cmocka_unit_test(the_iphone_13_profile_reproduces_table_7),
        cmocka_unit_test(the_closed_form_prices_table_7_on_the_iphone_13_profile),
        cmocka_unit_test(the_page_on_profiles_has_the_line_of_every_key_and_no_other),
        cmocka_unit_test(the_page_on_profiles_lists_every_profile_and_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
