/* Benchmark outputs of all forms and years (data/llama_bench): each fits or is refused as its index
 * says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "fit/fit_device.h"
#include "fit/fit_input.h"
#include "tests/shipped_device.h"

#define FOLDER LATHE_TESTS_DIR "/data/llama_bench/"

/* As `lathe fit FILE` does. `said`: notes and error. */
static enum status fit_file(const char *path, size_t *n_used, struct text *said)
{
    struct device base = shipped_device("pixel-8-pro");
    struct fit_rows rows = {0};
    struct device_fit fit = {0};
    struct err err = {""};
    enum status status = fit_read(path, NULL, &rows, said, &err);
    *n_used = rows.n;
    if (status == STATUS_OK) {
        fit_rows_refuse_too_large(&rows, &base, said);
        fit_rows_refuse_contradictions(&rows, said);
        status = fit_device(&base, &rows, &fit, said, &err);
        device_fit_release(&fit);
    }
    text_addf(said, "%s\n", err.message);
    fit_rows_release(&rows);
    return status;
}

static int not_whole(const char *said)
{
    const char *at = strstr(said, "left out: ");
    return at == NULL ? 0 : atoi(at + strlen("left out: "));
}

static void every_output_fits_or_is_refused_as_the_index_says(void **state)
{
    (void)state;
    struct csv *index;
    int wrong = 0;
    assert_int_equal(csv_open(FOLDER "index.csv", &index, NULL), STATUS_OK);
    assert_true(csv_n_rows(index) >= 40);
    for (int i = 0; i < csv_n_rows(index); i++) {
        char path[512];
        struct text said = {0};
        size_t n_used;
        const char *message = csv_text(index, i, 4);
        bool fits = strcmp(csv_text(index, i, 1), "fits") == 0;
        snprintf(path, sizeof path, FOLDER "%s", csv_text(index, i, 0));
        enum status status = fit_file(path, &n_used, &said);
        if ((status == STATUS_OK) != fits || (int)n_used != atoi(csv_text(index, i, 2)) ||
            not_whole(said.data) != atoi(csv_text(index, i, 3)) ||
            strstr(said.data, message) == NULL) {
            print_message("%s: %s, %zu used, %d not whole: %s\n", csv_text(index, i, 0),
                          status == STATUS_OK ? "fits" : "refused", n_used, not_whole(said.data),
                          said.data);
            wrong++;
        }
        text_release(&said);
    }
    csv_close(index);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_output_fits_or_is_refused_as_the_index_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
