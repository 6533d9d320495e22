#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/table7.h"

enum { MOBILELLM_125M_PARAMS = 124635456, DEEP_PARAMS = 230838336 };

static struct measured_item item(const char *model, int64_t params, int64_t n_layers,
                                 int64_t threads, double decode_ns)
{
    struct measured_item item = {.row = {.load_ns = 5e6, .init_ns = 6e6, .decode_ns = decode_ns}};
    item.row.subject = (struct subject){.model = model,
                                        .params = params,
                                        .n_layers_effective = n_layers,
                                        .threads = threads,
                                        .prompt = 4,
                                        .context = 16};
    return item;
}

/* The table of `rows`, with runs of blanks as one. Free it. */
static char *print(struct measured_item *items, size_t n)
{
    const struct measured_rows rows = {.items = items, .n = n};
    struct err err = {{0}};
    char *text = NULL;
    size_t length = 0, kept = 0;
    FILE *stream = open_memstream(&text, &length);
    assert_int_equal(table7_print(&rows, stream, &err), STATUS_OK);
    fclose(stream);
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' || kept == 0 || text[kept - 1] != ' ')
            text[kept++] = text[i];
    text[kept] = 0;
    return text;
}

static void models_of_the_table_stand_beside_it(void **state)
{
    (void)state;
    struct measured_item items[] = {
        item("one", MOBILELLM_125M_PARAMS, 30, 1, 20e6),
        /* not in the table */
        item("other", 1000, 2, 1, 9e6),
        item("twice", MOBILELLM_125M_PARAMS, 60, 1, 25e6),
        /* the first with two threads */
        item("deep", DEEP_PARAMS, 60, 2, 40e6),
    };
    char *text = print(items, 4);
    assert_non_null(strstr(text, " ms s ms ms ms ms\n"));
    assert_non_null(strstr(text, "one 1 39.2 1.36 15.6 1.00 5.00 6.00 20.0 1.00\n"));
    assert_non_null(strstr(text, "twice 1 43.6 1.39 16.0 1.03 5.00 6.00 25.0 1.25\n"));
    assert_non_null(strstr(text, "deep 2 68.6 3.35 29.0 1.00 5.00 6.00 40.0 1.00\n"));
    assert_null(strstr(text, "other"));
    free(text);
}

static void other_lengths_are_left_out(void **state)
{
    (void)state;
    struct measured_item items[] = {
        item("one", MOBILELLM_125M_PARAMS, 30, 1, 20e6),
        item("longer", MOBILELLM_125M_PARAMS, 30, 1, 30e6),
    };
    items[1].row.subject.context = 1024;
    char *text = print(items, 2);
    assert_non_null(strstr(text, "one"));
    assert_null(strstr(text, "longer"));
    free(text);
}

static void no_model_of_the_table_is_said(void **state)
{
    (void)state;
    struct measured_item items[] = {item("other", 1000, 2, 1, 9e6)};
    char *text = print(items, 1);
    assert_string_equal(text, "\nnone of these models is in Table 7\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_of_the_table_stand_beside_it),
        cmocka_unit_test(other_lengths_are_left_out),
        cmocka_unit_test(no_model_of_the_table_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
