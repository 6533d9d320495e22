#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "costmodel/price.h"
#include "device/device.h"
#include "device/profile_write.h"
#include "model/transformer.h"

static const char smallest[] =
    "{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"cpu\", \"basis\": \"datasheet\","
    " \"levels\": [{\"name\": \"dram\", \"capacity_bytes\": 1000, \"read_gbps\": 10},"
    " {\"name\": \"flash\", \"read_gbps\": 1}], \"peak_gflops\": {\"f32\": 100}%s}";

static enum status parse(const char *text, struct device *device, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse("t.json", text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK)
        status = device_parse(&root, device, err);
    json_close(doc);
    return status;
}

/* The smallest profile with `more` members. */
static struct device device_with(const char *more)
{
    char text[4096];
    struct device device;
    struct err err = {{0}};
    snprintf(text, sizeof text, smallest, more);
    if (parse(text, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return device;
}

static void refuses_with(const char *more, const char *part)
{
    char text[4096];
    struct device device;
    struct err err = {{0}};
    snprintf(text, sizeof text, smallest, more);
    assert_int_not_equal(parse(text, &device, &err), STATUS_OK);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static void refuses(const char *text, const char *part)
{
    struct device device;
    struct err err = {{0}};
    assert_int_not_equal(parse(text, &device, &err), STATUS_OK);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static struct device shipped(const char *name)
{
    struct device device;
    struct err err = {{0}};
    if (device_open(name, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return device;
}

static struct machine resolved(const struct device *device, int threads)
{
    struct machine machine;
    struct err err = {{0}};
    if (machine_resolve(device, threads, &machine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return machine;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
}

static void numbers_are_read_with_and_without_their_source(void **state)
{
    (void)state;
    struct device plain = device_with(", \"layer_ns\": 13, \"battery_j\": 5");
    struct device sourced = device_with(
        ", \"layer_ns\": {\"value\": 13, \"kind\": \"measured\", \"source\": \"here\"},"
        " \"battery_j\": {\"value\": 5, \"kind\": \"assumed\", \"source\": \"a guess\"}");
    assert_memory_equal(&plain, &sourced, sizeof plain);
    assert_true(plain.layer_ns.value[0] == 13 && plain.battery_j == 5);
}

static void what_is_absent_or_null_is_unknown_or_the_documented_default(void **state)
{
    (void)state;
    struct device device = device_with(", \"error_median_frac\": null, \"battery_j\": null");
    assert_true(isnan(device.error_median_frac) && isnan(device.battery_j));
    assert_true(isnan(device.load_gbps) && isnan(device.init_gbps));
    assert_true(isnan(device.levels[0].latency_ns));
    assert_true(isnan(device.levels[0].energy_pj_per_byte));
    assert_true(device.load_fixed_ns == 0 && device.init_block_sq_ns == 0);
    assert_true(device.app_share_frac == 0.1 && device.overlap_frac == 0);
    assert_int_equal(device.default_threads, 1);
    assert_int_equal(device.max_threads, 1);
    assert_int_equal(device.levels[1].capacity_bytes, INT64_C(1) << 50);
    for (int i = 0; i < N_DTYPES; i++)
        assert_true(device.stream_frac[i] == 1);
}

static void a_misspelt_key_is_an_error_that_names_the_nearest(void **state)
{
    (void)state;
    refuses_with(", \"layer_nss\": 1", "layer_ns");
    refuses_with(", \"op_ns\": {\"matmull\": 1}", "matmul");
    refuses_with(", \"peak_gflop\": {}", "peak_gflops");
    refuses_with(", \"stream_frac\": {\"q8_1\": 0.5}", "q8_0");
    refuses_with(", \"matvec_gbps\": {\"q8_0\": {\"drum\": 5}}", "dram");
    refuses_with(", \"layer_ns\": {\"value\": 1, \"sorce\": \"x\"}", "source");
    refuses_with(", \"layer_ns\": {\"value\": 1, \"kind\": \"mesured\"}", "measured");
    refuses_with(
        ", \"timings\": {\"matvec_start_ns\": {\"dram\": [{\"threads\": 1, \"value\": 9}]}}",
        "calibrate again");
}

static void numbers_out_of_range_are_refused_with_their_path(void **state)
{
    (void)state;
    refuses_with(", \"layer_ns\": -1", "$.layer_ns");
    refuses_with(", \"overlap_frac\": 1.5", "$.overlap_frac");
    refuses_with(", \"timings\": {\"matvec_step\": {\"q8_0\": 0}}", "$.timings.matvec_step.q8_0");
    refuses_with(", \"load_gbps\": 0", "$.load_gbps");
    refuses_with(", \"stream_frac\": {\"q4_0\": 1.2}", "$.stream_frac.q4_0");
    refuses_with(", \"stream_frac\": {\"q4_0\": [{\"threads\": 1, \"value\": 1}]}",
                 "$.stream_frac.q4_0");
    refuses_with(", \"default_threads\": 0", "$.default_threads");
    refuses_with(", \"default_threads\": 4, \"max_threads\": 2", "max_threads 2");
    refuses_with(", \"layer_ns\": \"13us\"", "$.layer_ns");
    refuses_with(", \"layer_ns\": {\"kind\": \"measured\"}", "value");
}

static void thread_counts_must_ascend(void **state)
{
    (void)state;
    refuses_with(", \"layer_ns\": [{\"threads\": 2, \"value\": 1}, {\"threads\": 2, \"value\": 1}]",
                 "ascend");
    refuses_with(", \"layer_ns\": []", "1 to 8");
    refuses_with(", \"layer_ns\": [3]", "threads");
    refuses_with(", \"layer_ns\": [{\"value\": 3}]", "threads");
}

static void levels_end_in_dram_and_flash_and_go_from_fastest_to_slowest(void **state)
{
    (void)state;
    const char *head = "{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"cpu\", "
                       "\"basis\": \"datasheet\", \"levels\": ";
    const struct {
        const char *levels, *part;
    } cases[] = {
        {"[]", "2 to 6"},
        {"[{\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": 1}]", "2 to 6"},
        {"[{\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": 1},"
         " {\"name\": \"disk\", \"capacity_bytes\": 1, \"read_gbps\": 1}]",
         "'dram' and 'flash'"},
        {"[{\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": 1},"
         " {\"name\": \"flash\", \"read_gbps\": 2}]",
         "fastest to slowest"},
        {"[{\"name\": \"dram\", \"read_gbps\": 1}, {\"name\": \"flash\", \"read_gbps\": 1}]",
         "capacity_bytes"},
        {"[{\"name\": \"dram\", \"capacity_bytes\": 1}, {\"name\": \"flash\"}]", "'read_gbps'"},
        {"[{\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": 1},"
         " {\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": 1},"
         " {\"name\": \"flash\", \"read_gbps\": 1}]",
         "second level named 'dram'"},
        {"[{\"name\": \"l2\", \"capacity_bytes\": 1, \"read_gbps\": ["
         "{\"threads\": 1, \"value\": 5}, {\"threads\": 4, \"value\": 9}]},"
         " {\"name\": \"dram\", \"capacity_bytes\": 1, \"read_gbps\": ["
         "{\"threads\": 1, \"value\": 1}, {\"threads\": 2, \"value\": 8}]},"
         " {\"name\": \"flash\", \"read_gbps\": 1}]",
         "threads: 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s}", head, cases[i].levels);
        refuses(text, cases[i].part);
    }
}

static void missing_essentials_are_named(void **state)
{
    (void)state;
    refuses("{}", "name");
    refuses("{\"name\": \"t\"}", "kind");
    refuses("{\"name\": \"t\", \"kind\": \"phone\"}", "unit");
    refuses("{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"tpu\"}", "npu");
    refuses("{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"cpu\"}", "basis");
    refuses("{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"cpu\", \"basis\": \"fitted\"}",
            "levels");
    refuses("[]", "expected an object");

    struct device device = device_with("");
    struct machine machine;
    struct err err = {{0}};
    memset(device.peak_gflops, 0, sizeof device.peak_gflops);
    assert_int_equal(machine_resolve(&device, 0, &machine, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "peak_gflops"));
}

static void threads_interpolate_between_and_hold_beyond(void **state)
{
    (void)state;
    const struct by_threads numbers = {.n = 3, .threads = {2, 4, 8}, .value = {10, 20, 24}};
    const double expected[] = {10, 10, 15, 20, 21, 22, 23, 24, 24};
    for (int threads = 1; threads <= 9; threads++)
        assert_true(by_threads_at(&numbers, threads, NAN) == expected[threads - 1]);
    assert_true(by_threads_at(&(struct by_threads){0}, 3, 7) == 7);
    /* what two levels both list is equal, whatever they list for fewer threads */
    for (double first = 1.1; first < 1000; first *= 1.7) {
        const struct by_threads listed = {.n = 2, .threads = {1, 2}, .value = {first, 0.1309}};
        assert_true(by_threads_at(&listed, 2, NAN) == 0.1309);
    }
}

static void a_machine_takes_the_devices_threads_and_refuses_more(void **state)
{
    (void)state;
    struct device device =
        device_with(", \"default_threads\": 2, \"max_threads\": 4, \"layer_ns\": ["
                    "{\"threads\": 1, \"value\": 100}, {\"threads\": 4, \"value\": 400}]");
    assert_int_equal(resolved(&device, 0).threads, 2);
    assert_true(is_near(resolved(&device, 0).layer_ns, 200));
    assert_true(is_near(resolved(&device, 3).layer_ns, 300));
    struct machine machine;
    struct err err = {{0}};
    assert_int_equal(machine_resolve(&device, 5, &machine, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "4 threads"));
    assert_int_equal(machine_resolve(&device, -1, &machine, &err), STATUS_RANGE);
}

static void defaults_are_resolved_into_numbers(void **state)
{
    (void)state;
    struct device device = device_with(
        ", \"stream_frac\": {\"q4_0\": 0.5}, \"matvec_gbps\": {\"q8_0\": {\"dram\": 7}},"
        " \"attention_gbps\": 4");
    struct machine machine = resolved(&device, 0);
    assert_int_equal(machine.dram, 0);
    assert_int_equal(machine.flash, 1);
    assert_true(machine.load_gbps == 1);
    assert_true(isinf(machine.init_gbps));
    assert_int_equal(machine.app_share_bytes, 100);
    assert_true(machine.levels[0].write_gbps == 10);
    assert_true(machine.weight_gbps[DTYPE_F16][0] == 10);
    assert_true(machine.weight_gbps[DTYPE_Q4_0][0] == 5);
    assert_true(machine.weight_gbps[DTYPE_Q8_0][0] == 7);
    assert_true(machine.weight_gbps[DTYPE_Q8_0][1] == 1);
    assert_true(machine.kv_gbps[0] == 4 && machine.kv_gbps[1] == 1);
    for (int i = 0; i < N_DTYPES; i++)
        assert_true(machine.peak_gflops[i] == 100);
}

static void private_caches_grow_with_the_threads(void **state)
{
    (void)state;
    const char *text =
        "{\"name\": \"t\", \"kind\": \"board\", \"unit\": \"cpu\", \"basis\": \"datasheet\","
        " \"max_threads\": 4, \"levels\": [{\"name\": \"l2\", \"capacity_bytes\": 1000,"
        " \"usable_frac\": 0.5, \"per_thread\": true, \"read_gbps\": 50},"
        " {\"name\": \"dram\", \"capacity_bytes\": 1000000, \"read_gbps\": 10},"
        " {\"name\": \"flash\", \"read_gbps\": 1}], \"peak_gflops\": {\"f32\": 1}}";
    struct device device;
    assert_int_equal(parse(text, &device, NULL), STATUS_OK);
    assert_int_equal(resolved(&device, 1).levels[0].capacity_bytes, 500);
    assert_int_equal(resolved(&device, 4).levels[0].capacity_bytes, 2000);
    assert_int_equal(resolved(&device, 4).levels[1].capacity_bytes, 1000000);
}

static void an_unknown_device_names_the_nearest_and_the_command(void **state)
{
    (void)state;
    struct device device;
    struct err err = {{0}};
    assert_int_equal(device_open("iphone13", &device, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "'iphone-13'"));
    assert_non_null(strstr(err.message, "lathe devices"));
    assert_int_equal(device_open("", &device, &err), STATUS_NOT_FOUND);
    assert_int_equal(device_open("a-toaster-of-1987", &device, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "lathe devices"));
    assert_int_not_equal(device_open("./nowhere.json", &device, &err), STATUS_OK);
    assert_non_null(strstr(err.message, "nowhere.json"));
}

static void a_path_is_read_like_a_name_and_gives_the_id(void **state)
{
    (void)state;
    char path[4096];
    char *text = NULL;
    assert_int_equal(file_data_path("devices/iphone-13.json", path, sizeof path, NULL), STATUS_OK);
    struct device by_path = shipped(path), by_name = shipped("iphone-13");
    assert_memory_equal(&by_path, &by_name, sizeof by_path);
    assert_string_equal(by_name.id, "iphone-13");

    assert_int_equal(device_text("iphone-13", &text, NULL), STATUS_OK);
    struct device again;
    assert_int_equal(parse(text, &again, NULL), STATUS_OK);
    strcpy(again.id, by_name.id);
    assert_memory_equal(&again, &by_name, sizeof again);
    memory_free(text);
}

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

static void for_each_shipped(void (*visit)(const char *name))
{
    char **names = NULL;
    int n = 0;
    assert_int_equal(device_names(&names, &n, NULL), STATUS_OK);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            assert_true(strcmp(names[i - 1], names[i]) < 0);
        visit(names[i]);
    }
    device_names_free(names, n);
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
    struct device device = shipped(name);
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
    struct device device = shipped("iphone-13");
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
    struct device device = shipped("iphone-13");
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

static bool has_a_source(const void *context, const void *number, struct number_source *out)
{
    (void)context;
    (void)number;
    *out = (struct number_source){NUMBER_ESTIMATE, "a guess"};
    return true;
}

static void check_that_it_survives(const struct device *device, const struct profile_notes *notes)
{
    char *text = NULL;
    struct device again;
    struct err err = {{0}};
    assert_int_equal(device_write(device, notes, &text, &err), STATUS_OK);
    if (parse(text, &again, &err) != STATUS_OK)
        fail_msg("%s: %s", device->id, err.message);
    memcpy(again.id, device->id, sizeof again.id);
    assert_memory_equal(&again, device, sizeof again);
    memory_free(text);
}

static void check_that_it_reads_back(const char *name)
{
    struct device device = shipped(name);
    check_that_it_survives(&device, &(struct profile_notes){0});
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    for_each_shipped(check_that_it_reads_back);
    struct device timed = device_with(
        ", \"max_threads\": 2, \"error_p90_frac\": 0.25, \"stream_frac\": {\"q4_0\": 0.5},"
        " \"matvec_gbps\": {\"q8_0\": {\"dram\": [{\"threads\": 2, \"value\": 7}]}},"
        " \"timings\": {\"matvec_row_ns\": {\"q8_0\": 5}, \"matvec_step\": {\"q8_0\": 128},"
        " \"element_ns\": {\"norm\": 0.5}, \"attention_flop_ns\": 0.01,"
        " \"cache_gbps\": {\"dram\": 4}, \"sentinel\": {\"meet_ns\": 70},"
        " \"up_to\": {\"d_in\": 11008, \"context\": 0, \"tokens\": 16}}");
    check_that_it_survives(&timed, &(struct profile_notes){.comment = "timed"});
}

static void a_number_is_written_with_its_source(void **state)
{
    (void)state;
    struct device device = device_with("");
    char *text = NULL;
    struct json_doc *doc = NULL;
    struct json root;
    const char *word = "";
    const struct profile_notes notes = {.source = has_a_source};
    assert_int_equal(device_write(&device, &notes, &text, NULL), STATUS_OK);
    assert_int_equal(json_parse("t.json", text, (int64_t)strlen(text), &doc, &root, NULL),
                     STATUS_OK);
    struct json number = json_member(&root, "app_share_frac");
    assert_int_equal(json_get_string(&number, "kind", &word, NULL), STATUS_OK);
    assert_string_equal(word, "estimate");
    assert_int_equal(json_get_string(&number, "source", &word, NULL), STATUS_OK);
    assert_string_equal(word, "a guess");
    json_close(doc);
    memory_free(text);
}

/* What still reads after a byte was changed, resolves or says why not. */
static void a_damaged_profile_is_read_or_refused_with_a_message(void **state)
{
    (void)state;
    char *text = NULL;
    assert_int_equal(device_text("rpi5", &text, NULL), STATUS_OK);
    size_t length = strlen(text);
    uint64_t random = 1;
    int n_read = 0;
    for (int i = 0; i < 3000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(random >> 33) % length;
        char before = text[at];
        text[at] = " 0-9,:{}[]\"exn"[(random >> 20) % 14];
        struct device device;
        struct machine machine;
        struct err err = {{0}};
        enum status status = parse(text, &device, &err);
        if (status == STATUS_OK) {
            n_read++;
            device.id[0] = '\0';
            status = machine_resolve(&device, 0, &machine, &err);
        }
        assert_true(status == STATUS_OK || err.message[0] != '\0');
        text[at] = before;
    }
    assert_true(n_read > 0);
    memory_free(text);
}

static enum status list_and_forget(struct err *err)
{
    char **names = NULL;
    int n = 0;
    enum status status = device_names(&names, &n, err);
    if (status == STATUS_OK)
        device_names_free(names, n);
    return status;
}

static enum status open_and_forget(struct err *err)
{
    struct device device;
    return device_open("iphone-13", &device, err);
}

static enum status write_and_forget(struct err *err)
{
    char *text = NULL;
    struct device device = {.n_levels = 2, .has_timings = true};
    enum status status = device_write(&device, &(struct profile_notes){0}, &text, err);
    if (status == STATUS_OK)
        memory_free(text);
    return status;
}

static enum status read_and_forget(struct err *err)
{
    char *text = NULL;
    enum status status = device_text("iphone-13", &text, err);
    if (status == STATUS_OK)
        memory_free(text);
    return status;
}

static void running_out_of_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    enum status (*const calls[])(struct err *) = {list_and_forget, open_and_forget, read_and_forget,
                                                  write_and_forget};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        enum status status = STATUS_NOMEM;
        int64_t n = 0;
        while (status != STATUS_OK) {
            struct err err = {{0}};
            memory_fail_after(++n);
            status = calls[i](&err);
            memory_fail_after(-1);
            if (status != STATUS_OK && status != STATUS_NOMEM)
                fail_msg("allocation %lld: %s", (long long)n, err.message);
            assert_true(n < 10000);
        }
        assert_true(n > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_with_and_without_their_source),
        cmocka_unit_test(what_is_absent_or_null_is_unknown_or_the_documented_default),
        cmocka_unit_test(a_misspelt_key_is_an_error_that_names_the_nearest),
        cmocka_unit_test(numbers_out_of_range_are_refused_with_their_path),
        cmocka_unit_test(thread_counts_must_ascend),
        cmocka_unit_test(levels_end_in_dram_and_flash_and_go_from_fastest_to_slowest),
        cmocka_unit_test(missing_essentials_are_named),
        cmocka_unit_test(threads_interpolate_between_and_hold_beyond),
        cmocka_unit_test(a_machine_takes_the_devices_threads_and_refuses_more),
        cmocka_unit_test(defaults_are_resolved_into_numbers),
        cmocka_unit_test(private_caches_grow_with_the_threads),
        cmocka_unit_test(an_unknown_device_names_the_nearest_and_the_command),
        cmocka_unit_test(a_path_is_read_like_a_name_and_gives_the_id),
        cmocka_unit_test(every_number_of_a_shipped_profile_has_a_kind_and_a_source),
        cmocka_unit_test(every_shipped_profile_resolves_at_every_thread_count),
        cmocka_unit_test(the_iphone_13_profile_reproduces_table_7),
        cmocka_unit_test(the_closed_form_prices_table_7_on_the_iphone_13_profile),
        cmocka_unit_test(the_page_on_profiles_has_the_line_of_every_key_and_no_other),
        cmocka_unit_test(the_page_on_profiles_lists_every_profile_and_operator),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_number_is_written_with_its_source),
        cmocka_unit_test(a_damaged_profile_is_read_or_refused_with_a_message),
        cmocka_unit_test(running_out_of_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
