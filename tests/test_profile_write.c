/* Writing a profile: what is written reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/profile_write.h"
#include "tests/device_fixture.h"

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
    struct device device = shipped_device(name);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_number_is_written_with_its_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
