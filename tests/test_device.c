/* Reading a profile: what it says, what it may leave out, what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "device/device.h"
#include "device/profile_write.h"
#include "tests/device_fixture.h"

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
        assert_true(isnan(device.stream_frac[i]));
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
    struct device by_path = shipped_device(path), by_name = shipped_device("iphone-13");
    assert_memory_equal(&by_path, &by_name, sizeof by_path);
    assert_string_equal(by_name.id, "iphone-13");

    assert_int_equal(device_text("iphone-13", &text, NULL), STATUS_OK);
    struct device again;
    assert_int_equal(parse(text, &again, NULL), STATUS_OK);
    strcpy(again.id, by_name.id);
    assert_memory_equal(&again, &by_name, sizeof again);
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
        cmocka_unit_test(an_unknown_device_names_the_nearest_and_the_command),
        cmocka_unit_test(a_path_is_read_like_a_name_and_gives_the_id),
        cmocka_unit_test(a_damaged_profile_is_read_or_refused_with_a_message),
        cmocka_unit_test(running_out_of_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
