#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kernels/check.h"

static void every_row_that_runs_here_passes(void **state)
{
    (void)state;
    unsigned isa;
    int n;
    struct err err = {""};
    const struct kernel *rows = kernel_rows(&n);
    assert_int_equal(cpu_isa(NULL, &isa, &err), STATUS_OK);
    for (int i = 0; i < n; i++) {
        if ((rows[i].isa & isa) == rows[i].isa && kernel_check(&rows[i], &err) != STATUS_OK)
            fail_msg("%s", err.message);
    }
}

/* q8_0's own matvec, a thousandth too large. */
static void wrong(int64_t k, const void *w, const void *x, float *y, int64_t begin, int64_t end)
{
    kernel_find(KERNEL_MATVEC, DTYPE_Q8_0, ISA_PORTABLE)->run.matvec(k, w, x, y, begin, end);
    for (int64_t r = begin; r < end; r++)
        y[r] *= 1.001f;
}

static void a_row_that_is_a_thousandth_off_is_named(void **state)
{
    (void)state;
    struct err err = {""};
    struct kernel row = *kernel_find(KERNEL_MATVEC, DTYPE_Q8_0, ISA_PORTABLE);
    row.name = "wrong_row";
    row.run.matvec = wrong;
    assert_int_equal(kernel_check(&row, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "wrong_row"));
}

static void no_memory_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    unsigned isa;
    struct err err;
    assert_int_equal(cpu_isa(NULL, &isa, &err), STATUS_OK);
    const struct kernel *kernel = kernel_find(KERNEL_MATVEC, DTYPE_F32, isa);
    if (kernel->isa == ISA_PORTABLE)
        return;
    for (int64_t n = 1; n <= 6; n++) {
        memory_fail_after(n);
        enum status status = kernel_check(kernel, &err);
        memory_fail_after(-1);
        assert_int_equal(status, STATUS_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_that_runs_here_passes),
        cmocka_unit_test(a_row_that_is_a_thousandth_off_is_named),
        cmocka_unit_test(no_memory_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
