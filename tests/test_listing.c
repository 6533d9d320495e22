#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/listing.h"

struct line {
    double error_frac; /* the fields' order is their own */
    const char *model;
    double decode_ns;
    int64_t tied, params;
};
static const struct field fields[] = {
    LISTED(line, model, UNIT_NONE, "model"),
    LISTED(line, params, UNIT_NONE, "params"),
    LISTED_PER_TOKEN(line, decode_ns, UNIT_NS, "decode"),
    LISTED_KEY(line, tied, UNIT_BOOL),
    LISTED_TITLE(line, error_frac, UNIT_FRAC, "error"),
};

static void fill(struct listing *listing)
{
    struct line *line;
    LISTING_FIELDS(listing, fields);
    line = listing_record(listing);
    line->model = "a";
    line->params = 124635456;
    line->decode_ns = 15625000;
    line->tied = 1;
    listing_add(listing, line);
    listing_add(listing, &(struct line){.model = "se\xc3\xb1or",
                                        .params = 7,
                                        .decode_ns = 2500000,
                                        .error_frac = 0.125});
}

static void printed_to(const struct listing *listing, char *buffer, size_t size, bool json)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(json ? listing_print_json(listing, stream, NULL)
                          : listing_print(listing, stream, NULL),
                     STATUS_OK);
    rewind(stream);
    buffer[fread(buffer, 1, size - 1, stream)] = 0;
    fclose(stream);
}

static void one_unit_a_column_aligned_with_its_header(void **state)
{
    (void)state;
    struct listing listing = {0};
    char buffer[1024];
    fill(&listing);
    printed_to(&listing, buffer, sizeof buffer, false);
    assert_string_equal(buffer, "model       params    decode  error\n"
                                "                    ms/token      %\n"
                                "a      124,635,456     15.62      -\n"
                                "se\xc3\xb1or            7      2.50   12.5\n");
    listing_release(&listing);
}

static void json_has_the_keys_whole_numbers_and_null_for_the_unknown(void **state)
{
    (void)state;
    struct listing listing = {0};
    char buffer[1024];
    fill(&listing);
    listing.columns[4].key = "error";
    printed_to(&listing, buffer, sizeof buffer, true);
    assert_non_null(strstr(buffer, "\"params\": 124635456"));
    assert_non_null(strstr(buffer, "\"decode_ns\": 15625000"));
    assert_non_null(strstr(buffer, "\"tied\": true"));
    assert_non_null(strstr(buffer, "\"error\": null"));
    listing_release(&listing);
}

static void a_record_starts_unknown_and_follows_its_fields(void **state)
{
    (void)state;
    struct listing listing = {0};
    char buffer[1024];
    LISTING_FIELDS(&listing, fields);
    struct line *line = listing_record(&listing);
    line->params = 3;
    listing_add(&listing, line);
    line = listing_record(&listing); /* nothing is left of the one before */
    listing_add(&listing, line);
    printed_to(&listing, buffer, sizeof buffer, false);
    assert_string_equal(buffer, "model  params    decode  error\n"
                                "               ns/token      %\n"
                                "-           3         -      -\n"
                                "-           -         -      -\n");
    printed_to(&listing, buffer, sizeof buffer, true);
    assert_non_null(strstr(buffer, "\"tied\": null"));
    listing_release(&listing);
}

static void nothing_to_list_is_a_header_and_an_empty_array(void **state)
{
    (void)state;
    struct listing listing = {0};
    char buffer[64];
    listing_field(&listing, &fields[0]);
    printed_to(&listing, buffer, sizeof buffer, false);
    assert_string_equal(buffer, "model\n");
    printed_to(&listing, buffer, sizeof buffer, true);
    assert_string_equal(buffer, "[]\n");
    listing_release(&listing);
}

static void running_out_of_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    FILE *stream = tmpfile();
    assert_non_null(stream);
    for (int64_t n = 1; n < 1000 && status != STATUS_OK; n++) {
        struct listing listing = {0};
        memory_fail_after(n);
        fill(&listing);
        status = listing_print(&listing, stream, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        listing_release(&listing);
    }
    assert_int_equal(status, STATUS_OK);
    fclose(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_unit_a_column_aligned_with_its_header),
        cmocka_unit_test(json_has_the_keys_whole_numbers_and_null_for_the_unknown),
        cmocka_unit_test(a_record_starts_unknown_and_follows_its_fields),
        cmocka_unit_test(nothing_to_list_is_a_header_and_an_empty_array),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
