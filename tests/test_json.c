/* Values of a JSON document, read by path and built. */
#include "tests/json_fixture.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/stats.h"

static void values_are_read_by_key_index_and_walk(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root, levels, at;
    const char *name;
    double rate;
    int64_t kb;
    bool on;
    assert_int_equal(parse(profile, &doc, &root, NULL), STATUS_OK);
    assert_int_equal(json_get_string(&root, "name", &name, NULL), STATUS_OK);
    assert_string_equal(name, "phone \xc2\xb5 \xf0\x9f\x98\x80");
    assert_int_equal(json_get_array(&root, "levels", &levels, NULL), STATUS_OK);
    assert_int_equal(json_length(&levels), 2);
    int n = 0;
    for (at = json_first(&levels); at.item != NULL; at = json_next(&at), n++) {
        struct json same = json_element(&levels, n);
        assert_ptr_equal(same.item, at.item);
        assert_int_equal(at.index, n);
        assert_null(at.key);
        assert_int_equal(json_get_int(&at, "kb", -100, 100, &kb, NULL), STATUS_OK);
        assert_int_equal(kb, n == 0 ? 32 : -4);
    }
    assert_int_equal(n, 2);
    at = json_element(&levels, 0);
    assert_int_equal(json_get_number(&at, "rate", 0, 100, &rate, NULL), STATUS_OK);
    assert_true(rate == 25);
    assert_int_equal(json_get_bool_or(&root, "on", false, &on, NULL), STATUS_OK);
    assert_true(on);
    assert_int_equal(json_get_object(&root, "_source", &at, NULL), STATUS_OK);
    assert_int_equal(json_length(&at), 1);
    at = json_element(&root, 0);
    assert_string_equal(at.key, "name");
    assert_null(json_element(&root, 99).item);
    assert_null(json_element(&levels, -1).item);
    at = json_member(&root, "none");
    assert_true(json_is_null(&at) && at.item != NULL);
    at = json_member(&root, "absent");
    assert_true(json_is_null(&at) && at.item == NULL);
    at = json_member(&at, "further");
    assert_true(json_is_null(&at));
    assert_int_equal(json_length(&at), 0);
    json_close(doc);
}

static void a_content_error_names_the_path(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root, levels, second, empty;
    struct err err;
    double number;
    int64_t integer = 7;
    const char *string;
    assert_int_equal(parse(profile, &doc, &root, NULL), STATUS_OK);
    assert_int_equal(json_get_array(&root, "levels", &levels, NULL), STATUS_OK);
    second = json_element(&levels, 1);

    assert_int_equal(json_get_number(&second, "rate", 0, 1, &number, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.levels[1].rate: expected a number, found a string");
    assert_int_equal(json_get_int(&second, "kb", 0, 8, &integer, &err), STATUS_RANGE);
    assert_string_equal(err.message, "t: $.levels[1].kb: -4 is not between 0 and 8");
    assert_int_equal(json_get_number(&second, "kb", 0, 8.5, &number, &err), STATUS_RANGE);
    assert_string_equal(err.message, "t: $.levels[1].kb: -4 is not between 0 and 8.5");
    assert_int_equal(json_get_int(&second, "mb", 0, 8, &integer, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.levels[1].mb: expected a whole number, found nothing");
    assert_int_equal(json_get_int(&levels, "kb", 0, 8, &integer, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.levels: expected an object, found an array");
    assert_int_equal(json_get_int_or(&levels, "kb", 0, 8, 1, &integer, &err), STATUS_INPUT);
    assert_int_equal(json_get_int(&root, "half", 0, 8, &integer, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.half: expected a whole number, found 0.5");
    assert_int_equal(json_get_int(&root, "none", 0, 8, &integer, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.none: expected a whole number, found null");
    assert_int_equal(json_get_string(&root, "l", &string, &err), STATUS_INPUT);
    assert_int_equal(json_get_object(&root, "l", &empty, &err), STATUS_INPUT);
    assert_int_equal(json_get_array(&root, "e", &empty, &err), STATUS_INPUT);
    /* the number written, ...993, is not the number a double holds */
    assert_int_equal(json_get_int(&root, "odd key", 0, INT64_MAX, &integer, &err), STATUS_RANGE);
    assert_string_equal(
        err.message, "t: $[\"odd key\"]: 9007199254740992 is not between 0 and 9007199254740991");
    assert_int_equal(integer, 7);
    assert_int_equal(json_error(&second, &err, "cannot %s", "be"), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.levels[1]: cannot be");
    assert_int_equal(json_error(&root, &err, "no"), STATUS_INPUT);
    assert_string_equal(err.message, "t: $: no");
    json_close(doc);
}

static void defaults_stand_in_for_absent_and_null_only(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root;
    int64_t integer;
    double number;
    const char *string;
    bool flag;
    assert_int_equal(parse(profile, &doc, &root, NULL), STATUS_OK);
    static const char *const keys[] = {"none", "absent"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(json_get_int_or(&root, keys[i], 0, 1, 42, &integer, NULL), STATUS_OK);
        assert_int_equal(json_get_number_or(&root, keys[i], 0, 1, 42, &number, NULL), STATUS_OK);
        assert_int_equal(json_get_string_or(&root, keys[i], "x", &string, NULL), STATUS_OK);
        assert_int_equal(json_get_bool_or(&root, keys[i], true, &flag, NULL), STATUS_OK);
        assert_true(integer == 42 && number == 42 && flag);
        assert_string_equal(string, "x");
    }
    assert_int_equal(json_get_int_or(&root, "name", 0, 1, 42, &integer, NULL), STATUS_INPUT);
    assert_int_equal(json_get_number_or(&root, "on", 0, 1, 42, &number, NULL), STATUS_INPUT);
    assert_int_equal(json_get_string_or(&root, "on", "x", &string, NULL), STATUS_INPUT);
    assert_int_equal(json_get_bool_or(&root, "name", true, &flag, NULL), STATUS_INPUT);
    json_close(doc);
}

static void unknown_keys_are_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root;
    struct err err;
    static const char *const known[] = {"n_layers", "d_model", NULL};
    assert_int_equal(parse("{\"n_layer\": 1, \"_note\": 2}", &doc, &root, NULL), STATUS_OK);
    assert_int_equal(json_only_keys(&root, known, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $.n_layer: unknown key: did you mean 'n_layers'?");
    json_close(doc);
    assert_int_equal(parse("{\"_note\": 1, \"d_model\": 2, \"a b\": 3}", &doc, &root, NULL),
                     STATUS_OK);
    assert_int_equal(json_only_keys(&root, known, &err), STATUS_INPUT);
    assert_string_equal(err.message, "t: $[\"a b\"]: unknown key");
    json_close(doc);
    assert_int_equal(parse("{\"_note\": 1, \"d_model\": 2}", &doc, &root, NULL), STATUS_OK);
    assert_int_equal(json_only_keys(&root, known, &err), STATUS_OK);
    json_close(doc);
}

static struct json_node *build(void)
{
    struct json_node *root = json_new_object(), *list = json_add_array(root, "list");
    json_add_number(root, "nan", NAN);
    json_add_number(root, "inf", INFINITY);
    json_add_string(root, "text", "tab\t\"quote\" \xc2\xb5");
    json_add_string(root, "no text", NULL);
    json_add_bool(root, "yes", true);
    json_add_null(root, "nothing");
    for (int i = 0; i < 2; i++)
        json_add_int(json_add_object(list, NULL), "i", i);
    json_add_int(root, "big", INT64_MAX);
    json_add_int(root, "small", INT64_MIN);
    return root;
}

static void what_is_built_prints_as_expected(void **state)
{
    (void)state;
    struct json_node *root = build();
    char *compact = json_print_compact(root), *indented = json_print(root);
    assert_string_equal(
        compact, "{\"list\":[{\"i\":0},{\"i\":1}],\"nan\":null,\"inf\":null,"
                 "\"text\":\"tab\\t\\\"quote\\\" \xc2\xb5\",\"no text\":null,\"yes\":true,"
                 "\"nothing\":null,\"big\":9223372036854775807,\"small\":-9223372036854775808}");
    assert_non_null(strstr(indented, "{\n  \"list\": [{\n      \"i\": 0\n    }, {\n"));
    assert_true(indented[strlen(indented) - 1] == '\n');
    assert_null(strchr(indented, '\t'));
    memory_free(compact);
    memory_free(indented);
    json_free(root);
    json_free(NULL);

    root = json_new_array();
    json_add_int(root, NULL, -1);
    json_add_string(root, NULL, "x");
    json_add_array(root, NULL);
    compact = json_print_compact(root);
    assert_string_equal(compact, "[-1,\"x\",[]]");
    memory_free(compact);
    json_free(root);
}

static void numbers_survive_printing_and_reading(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 10);
    for (int round = 0; round < 3000; round++) {
        double written = ldexp(rng_uniform(&rng) - 0.5, (int)rng_between(&rng, -1000, 1000)), read;
        int64_t whole = rng_between(&rng, 1 - (1LL << 53), (1LL << 53) - 1), whole_read;
        if (round == 0)
            written = DBL_MAX;
        if (round == 1)
            written = 5e-324;
        struct json_node *node = json_new_object();
        json_add_number(node, "x", written);
        json_add_int(node, "n", whole);
        char *text = round % 2 == 0 ? json_print(node) : json_print_compact(node);
        struct json_doc *doc;
        struct json root;
        assert_int_equal(parse(text, &doc, &root, NULL), STATUS_OK);
        assert_int_equal(json_get_number(&root, "x", -INFINITY, INFINITY, &read, NULL), STATUS_OK);
        assert_int_equal(json_get_int(&root, "n", INT64_MIN, INT64_MAX, &whole_read, NULL),
                         STATUS_OK);
        assert_true(read == written && whole_read == whole);
        json_close(doc);
        memory_free(text);
        json_free(node);
    }
}

static void a_copy_outlives_what_it_was_copied_from(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root, source;
    assert_int_equal(parse(profile, &doc, &root, NULL), STATUS_OK);
    source = json_member(&root, "levels");
    struct json absent = json_member(&root, "absent");
    struct json_node *node = json_new_object();
    json_add_copy(node, "copied", &source);
    json_add_copy(node, "absent", &absent);
    json_close(doc);
    char *text = json_print_compact(node);
    assert_string_equal(text, "{\"copied\":[{\"kb\":32,\"rate\":25},{\"kb\":-4,\"rate\":\"fast\"}],"
                              "\"absent\":null}");
    memory_free(text);
    json_free(node);
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    for (int n = 1; status != STATUS_OK; n++) {
        struct json_doc *doc = NULL;
        struct json root;
        memory_fail_after(n);
        status = parse(profile, &doc, &root, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        assert_int_equal(status == STATUS_OK, doc != NULL);
        json_close(doc);
        assert_true(n < 1000);
    }
    char *text = NULL, *whole = NULL;
    for (int n = 1; text == NULL; n++) {
        memory_fail_after(n);
        struct json_node *root = build();
        text = json_print(root);
        memory_fail_after(-1);
        json_free(root);
        assert_true(n < 1000);
    }
    struct json_node *root = build();
    whole = json_print(root);
    assert_string_equal(text, whole); /* never a text with a part missing */
    json_free(root);
    memory_free(text);
    memory_free(whole);
}

static void a_file_is_named_in_the_error(void **state)
{
    (void)state;
    struct json_doc *doc = NULL;
    struct json root;
    struct err err;
    assert_int_equal(file_write("test_json.tmp", "{\n\"a\": }", NULL), STATUS_OK);
    assert_int_equal(json_open("test_json.tmp", &doc, &root, &err), STATUS_INPUT);
    assert_string_equal(err.message, "test_json.tmp: line 2, column 6: expected a value");
    assert_int_equal(file_write("test_json.tmp", "{\"a\": 1}", NULL), STATUS_OK);
    assert_int_equal(json_open("test_json.tmp", &doc, &root, &err), STATUS_OK);
    json_close(doc);
    remove("test_json.tmp");
    assert_int_equal(json_open("test_json.tmp", &doc, &root, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "'test_json.tmp'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_by_key_index_and_walk),
        cmocka_unit_test(a_content_error_names_the_path),
        cmocka_unit_test(defaults_stand_in_for_absent_and_null_only),
        cmocka_unit_test(unknown_keys_are_refused_with_the_nearest_known_one),
        cmocka_unit_test(what_is_built_prints_as_expected),
        cmocka_unit_test(numbers_survive_printing_and_reading),
        cmocka_unit_test(a_copy_outlives_what_it_was_copied_from),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_file_is_named_in_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
