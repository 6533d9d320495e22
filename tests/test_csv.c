#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/csv.h"
#include "base/memory.h"
#include "base/stats.h"
#include "base/text.h"

static struct csv *parse(const char *text)
{
    struct csv *csv = NULL;
    struct err err = {{0}};
    if (csv_parse("t.csv", text, (int64_t)strlen(text), &csv, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return csv;
}

static void refuses(const char *text, const char *message)
{
    struct csv *csv = NULL;
    struct err err = {{0}};
    assert_int_equal(csv_parse("t.csv", text, (int64_t)strlen(text), &csv, &err), STATUS_INPUT);
    assert_null(csv);
    assert_string_equal(err.message, message);
}

static void a_plain_table_is_read(void **state)
{
    (void)state;
    struct csv *csv = parse("model,layers,ms\nA,30,15.6\nB,,\n");
    assert_int_equal(csv_n_columns(csv), 3);
    assert_int_equal(csv_n_rows(csv), 2);
    assert_string_equal(csv_text(csv, 0, 0), "A");
    assert_int_equal(csv_find_column(csv, "ms"), 2);
    assert_int_equal(csv_find_column(csv, "nothing"), -1);
    int64_t layers = 0;
    double ms = 0;
    assert_int_equal(csv_int(csv, 0, 1, 0, 100, &layers, NULL), STATUS_OK);
    assert_int_equal(layers, 30);
    assert_int_equal(csv_number(csv, 0, 2, 0, 100, &ms, NULL), STATUS_OK);
    assert_true(ms == 15.6);
    assert_true(csv_is_empty(csv, 1, 1));
    assert_int_equal(csv_number_or_nan(csv, 1, 2, 0, 100, &ms, NULL), STATUS_OK);
    assert_true(isnan(ms));
    csv_close(csv);
}

static void line_ends_byte_order_marks_and_empty_lines_do_not_matter(void **state)
{
    (void)state;
    struct csv *csv = parse("\xEF\xBB\xBF"
                            "a,b\r\n\r\n1,2\r\n\n3,4");
    assert_string_equal(csv_column_name(csv, 0), "a");
    assert_int_equal(csv_n_rows(csv), 2);
    assert_string_equal(csv_text(csv, 0, 1), "2");
    assert_string_equal(csv_text(csv, 1, 1), "4");
    assert_int_equal(csv_line(csv, 0), 3);
    assert_int_equal(csv_line(csv, 1), 5);
    csv_close(csv);
}

static void quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
    (void)state;
    struct csv *csv = parse("a,b\n\"x, \"\"y\"\"\",\"two\nlines\"\n\"\",last\n");
    assert_string_equal(csv_text(csv, 0, 0), "x, \"y\"");
    assert_string_equal(csv_text(csv, 0, 1), "two\nlines");
    assert_string_equal(csv_text(csv, 1, 0), "");
    assert_int_equal(csv_line(csv, 1), 4);
    csv_close(csv);
}

static void bad_tables_name_file_and_line(void **state)
{
    (void)state;
    refuses("", "t.csv: expected a header line, the file is empty");
    refuses("\n\n", "t.csv: expected a header line, the file is empty");
    refuses("a,b\n1\n", "t.csv: line 2: 1 fields, the header has 2");
    refuses("a,b\n1,2\n1,2,3\n", "t.csv: line 3: 3 fields, the header has 2");
    refuses("a,b\n1,\"2\n3\n", "t.csv: line 2: a quote is never closed");
    refuses("a,b\n1,\"2\"x\n", "t.csv: line 2: text after a closing quote");
    refuses("a,b,a\n", "t.csv: line 1: column 'a' is there twice");
    struct csv *csv = NULL;
    assert_int_equal(csv_parse("t.csv", "a\0b", 3, &csv, NULL), STATUS_INPUT);
}

static void bad_values_name_file_line_and_column(void **state)
{
    (void)state;
    struct csv *csv = parse("model,params\nA,12x\nB,\nC,99999999999999999999\nD,nan\nE, 7 \n");
    struct err err;
    int64_t value = -1;
    double number = -1;
    assert_int_equal(csv_int(csv, 0, 1, 0, 100, &value, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t.csv: line 2: params: expected an integer, got '12x'");
    assert_int_equal(csv_int(csv, 1, 1, 0, 100, &value, &err), STATUS_INPUT);
    assert_string_equal(err.message,
                        "t.csv: line 3: params: expected an integer, the field is empty");
    assert_int_equal(csv_int(csv, 2, 1, 0, INT64_MAX, &value, &err), STATUS_RANGE);
    assert_int_equal(csv_number(csv, 3, 1, 0, 100, &number, &err), STATUS_INPUT);
    assert_int_equal(csv_number(csv, 4, 1, 8, 100, &number, &err), STATUS_RANGE);
    assert_int_equal(value, -1);
    assert_int_equal(csv_int(csv, 4, 1, 7, 7, &value, &err), STATUS_OK);
    assert_int_equal(value, 7);
    csv_close(csv);
}

static void a_missing_column_is_named_with_the_nearest(void **state)
{
    (void)state;
    struct csv *csv = parse("model,params\n");
    struct err err;
    int column = -1;
    assert_int_equal(csv_column(csv, "params", &column, &err), STATUS_OK);
    assert_int_equal(column, 1);
    assert_int_equal(csv_column(csv, "parms", &column, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t.csv: line 1: no column 'parms': did you mean 'params'?");
    assert_int_equal(csv_column(csv, "completely_else", &column, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t.csv: line 1: no column 'completely_else'");
    csv_close(csv);
}

/* Any table of any bytes but zero, quoted as the format says, is read back as it was. */
static void what_is_quoted_is_read_back(void **state)
{
    (void)state;
    static const char alphabet[] = "ab ,\"\n\r\t;'";
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 300; round++) {
        const int n_columns = (int)rng_between(&rng, 1, 5), n_rows = (int)rng_between(&rng, 0, 6);
        char want[7][5][8];
        struct text text = {0};
        for (int row = 0; row <= n_rows; row++) {
            for (int column = 0; column < n_columns; column++) {
                const int length = (int)rng_between(&rng, 0, 6);
                char *field = want[row][column];
                for (int i = 0; i < length; i++)
                    field[i] = alphabet[rng_between(&rng, 0, (int64_t)sizeof alphabet - 2)];
                field[length] = 0;
                if (row == 0)
                    memcpy(field, (char[]){(char)('a' + column), 0}, 2);
                text_add(&text, column > 0 ? ",\"" : "\"");
                for (const char *c = field; *c != 0; c++)
                    text_addf(&text, *c == '"' ? "%c\"" : "%c", *c);
                text_add(&text, "\"");
            }
            text_add(&text, round % 2 == 0 ? "\n" : "\r\n");
        }
        struct csv *csv = parse(text.data);
        assert_int_equal(csv_n_rows(csv), n_rows);
        for (int row = 0; row < n_rows; row++)
            for (int column = 0; column < n_columns; column++)
                assert_string_equal(csv_text(csv, row, column), want[row + 1][column]);
        csv_close(csv);
        text_release(&text);
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,16\n17,18\n";
    for (int64_t n = 1;; n++) {
        struct csv *csv = NULL;
        memory_fail_after(n);
        const enum status status = csv_parse("t.csv", text, (int64_t)strlen(text), &csv, NULL);
        memory_fail_after(-1);
        if (status == STATUS_OK) {
            assert_true(n > 3);
            csv_close(csv);
            return;
        }
        assert_int_equal(status, STATUS_NOMEM);
    }
}

static void a_missing_file_is_an_error(void **state)
{
    (void)state;
    struct csv *csv = NULL;
    assert_int_not_equal(csv_open("no/such/file.csv", &csv, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_table_is_read),
        cmocka_unit_test(line_ends_byte_order_marks_and_empty_lines_do_not_matter),
        cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
        cmocka_unit_test(bad_tables_name_file_and_line),
        cmocka_unit_test(bad_values_name_file_line_and_column),
        cmocka_unit_test(a_missing_column_is_named_with_the_nearest),
        cmocka_unit_test(what_is_quoted_is_read_back),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_missing_file_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
