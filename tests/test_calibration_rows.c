/* What the store keeps of a calibration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "cli/calibration_rows.h"

static struct kernel_time times[2];
static struct transformer net;
static struct trial trials[2];
static struct run_row run;

/* A product of 64 rows and a barrier; a network timed twice, once with a prompt. */
static struct calibration make_up(void)
{
    static const struct kernel matvec = {.name = "made up", .dtype = DTYPE_Q8_0};
    struct calibration c = {.measured_at = "2026-11-22T05:04:33Z", .isa_names = "none"};
    times[0] = (struct kernel_time){.kernel = &matvec,
                                    .what = "matvec",
                                    .shape = {.m = 1, .n = 64, .k = 512},
                                    .threads = 2,
                                    .working_set_bytes = 34816,
                                    .cache_state = "l2",
                                    .flop = 65536,
                                    .bytes = 34816};
    times[0].timing = (struct timing){.min_ns = 10, .median_ns = 11, .mad_ns = 1, .n = 9};
    times[1] = (struct kernel_time){.what = "barrier", .threads = 2, .timing.steady = true};
    transformer_init(&net, 64, 1, 2, 1, 32, 96, 100);
    strcpy(net.name, "drawn");
    transformer_set_dtype(&net, DTYPE_Q4_0);
    trials[0] = (struct trial){.net = &net, .threads = 1, .context = 40, .n_rounds = 3};
    memcpy(trials[0].decode_ns, (double[]){5, 1, 3}, 3 * sizeof(double));
    trials[1] = trials[0];
    trials[1].prompt = 7;
    memcpy(trials[1].prefill_ns, (double[]){50, 10, 30}, 3 * sizeof(double));
    c.times = times;
    c.n_times = 2;
    c.trials = trials;
    c.n_trials = 2;
    row_clear(TABLE_RUN, &run);
    run.id = 4;
    run.device_id = 3;
    run.device = "here";
    return c;
}

static void every_timing_is_a_row_and_a_prompt_one_more(void **state)
{
    (void)state;
    static const char *const operations[] = {"matvec", "barrier", "decode", "decode", "prefill"};
    struct calibration c = make_up();
    struct kernel_timing_row *rows;
    size_t n;
    assert_int_equal(calibration_rows_make(&c, &run, &rows, &n, NULL), STATUS_OK);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(rows[i].operation, operations[i]);
        assert_int_equal(rows[i].run_id, 4);
        assert_int_equal(rows[i].device_id, 3);
        assert_string_equal(rows[i].device, "here");
        assert_string_equal(rows[i].measured_at, "2026-11-22T05:04:33Z");
    }
    memory_free(rows);
}

static void a_kernel_is_stored_with_its_shape_and_what_ended_its_timing(void **state)
{
    (void)state;
    struct calibration c = make_up();
    struct kernel_timing_row *rows;
    size_t n;
    assert_int_equal(calibration_rows_make(&c, &run, &rows, &n, NULL), STATUS_OK);
    const struct kernel_timing_row *matvec = &rows[0], *barrier = &rows[1];
    assert_string_equal(matvec->kernel, "made up");
    assert_string_equal(matvec->dtype, "q8_0");
    assert_int_equal(matvec->d_out, 64);
    assert_int_equal(matvec->d_in, 512);
    assert_string_equal(matvec->cache_state, "l2");
    assert_true(matvec->min_ns == 10 && matvec->median_ns == 11);
    assert_string_equal(matvec->ended_by, "budget");
    assert_string_equal(barrier->ended_by, "spread");
    struct kernel_timing_row unknown;
    row_clear(TABLE_KERNEL_TIMING, &unknown);
    assert_null(barrier->kernel);
    assert_null(barrier->dtype);
    assert_int_equal(barrier->d_out, unknown.d_out);
    assert_int_equal(barrier->d_in, unknown.d_in);
    assert_int_equal(barrier->working_set_bytes, unknown.working_set_bytes);
    memory_free(rows);
}

static void a_network_is_stored_with_the_spread_of_its_rounds(void **state)
{
    (void)state;
    struct calibration c = make_up();
    struct kernel_timing_row *rows;
    size_t n;
    assert_int_equal(calibration_rows_make(&c, &run, &rows, &n, NULL), STATUS_OK);
    const struct kernel_timing_row *decode = &rows[3], *prefill = &rows[4];
    assert_string_equal(decode->kernel, "drawn");
    assert_string_equal(decode->dtype, "q4_0");
    assert_int_equal(decode->n_tokens, 1);
    assert_int_equal(decode->context, 40);
    assert_true(decode->min_ns == 1 && decode->median_ns == 3 && decode->n_samples == 3);
    assert_int_equal(prefill->n_tokens, 7);
    assert_int_equal(prefill->context, 0);
    assert_true(prefill->min_ns == 10 && prefill->median_ns == 30);
    memory_free(rows);
}

static void rows_without_memory_are_an_error(void **state)
{
    (void)state;
    struct calibration c = make_up();
    struct kernel_timing_row *rows;
    struct err err;
    size_t n;
    memory_fail_after(1);
    enum status status = calibration_rows_make(&c, &run, &rows, &n, &err);
    memory_fail_after(-1);
    assert_int_equal(status, STATUS_NOMEM);
    assert_null(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_timing_is_a_row_and_a_prompt_one_more),
        cmocka_unit_test(a_kernel_is_stored_with_its_shape_and_what_ended_its_timing),
        cmocka_unit_test(a_network_is_stored_with_the_spread_of_its_rounds),
        cmocka_unit_test(rows_without_memory_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
