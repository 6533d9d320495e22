/* A device at a thread count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "device/device.h"
#include "tests/device_fixture.h"

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fabs(b);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_interpolate_between_and_hold_beyond),
        cmocka_unit_test(a_machine_takes_the_devices_threads_and_refuses_more),
        cmocka_unit_test(defaults_are_resolved_into_numbers),
        cmocka_unit_test(private_caches_grow_with_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
