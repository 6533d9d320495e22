/* What is no JSON is refused with its place, whatever the bytes. */
#include "tests/json_fixture.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/stats.h"

static void assert_refused(const char *text, const char *message)
{
    struct json_doc *doc = NULL;
    struct json root;
    struct err err = {""};
    assert_int_equal(parse(text, &doc, &root, &err), STATUS_INPUT);
    assert_string_equal(err.message, message);
    assert_null(doc);
}

static void a_syntax_error_names_line_column_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "t: line 1, column 1: expected a value, found the end of the text"},
        {" \n\t", "t: line 2, column 2: expected a value, found the end of the text"},
        {"{\"a\" 1}", "t: line 1, column 6: expected ':'"},
        {"{\"a\": 1\n \"b\": 2}", "t: line 2, column 2: expected ',' or '}'"},
        {"{\n  \"a\": [1, 2,\n  ]}", "t: line 3, column 3: expected a value"},
        {"[1 2]", "t: line 1, column 4: expected ',' or ']'"},
        {"{\"a\": 1,}", "t: line 1, column 9: expected a key in '\"'"},
        {"{a: 1}", "t: line 1, column 2: expected a key in '\"'"},
        {"[1", "t: line 1, column 3: expected ',' or ']', found the end of the text"},
        {"\"abc", "t: line 1, column 1: a string without its closing '\"'"},
        {"{} {}", "t: line 1, column 4: expected the end of the text"},
        {"1 x", "t: line 1, column 3: expected the end of the text"},
        {"NaN", "t: line 1, column 1: expected a value"},
        {"[Infinity]", "t: line 1, column 2: expected a value"},
        {"[-Infinity]", "t: line 1, column 3: expected a digit"},
        {"[1e999]", "t: line 1, column 2: a number too large for a double"},
        {"[-1e999]", "t: line 1, column 2: a number too large for a double"},
        {"[01]", "t: line 1, column 2: a number cannot start with 0"},
        {"[+1]", "t: line 1, column 2: expected a value"},
        {"[.5]", "t: line 1, column 2: expected a value"},
        {"[1.]", "t: line 1, column 4: expected a digit"},
        {"[1111111111111111111111111111111111111111111111111111111111111]",
         "t: line 1, column 2: a number longer than 60 characters"},
        {"[1e]", "t: line 1, column 4: expected a digit"},
        {"[0x10]", "t: line 1, column 3: expected ',' or ']'"},
        {"'a'", "t: line 1, column 1: expected a value"},
        {"[tru]", "t: line 1, column 2: expected a value"},
        {"[1] // no", "t: line 1, column 5: expected the end of the text"},
        {"\"a\nb\"", "t: line 1, column 3: a control character in a string"},
        {"\"\\x\"", "t: line 1, column 2: unknown escape in a string"},
        {"\"\\u12g4\"", "t: line 1, column 2: expected four hexadecimal digits after \\u"},
        {"\"\\u0000\"", "t: line 1, column 2: \\u0000 in a string"},
        {"\"\\ud800\"", "t: line 1, column 2: half of a surrogate pair"},
        {"\"\\ud800\\u0041\"", "t: line 1, column 2: half of a surrogate pair"},
        {"\"\\udc00\"", "t: line 1, column 2: half of a surrogate pair"},
        {"\"\xff\"", "t: line 1, column 2: a string that is not UTF-8"},
        {"\"\xc0\x80\"", "t: line 1, column 2: a string that is not UTF-8"},
        {"\"\xed\xa0\x80\"", "t: line 1, column 2: a string that is not UTF-8"},
        {"\"\xf4\x90\x80\x80\"", "t: line 1, column 2: a string that is not UTF-8"},
        {"\"\xe2\x82\"", "t: line 1, column 2: a string that is not UTF-8"},
        /* a column counts characters, not bytes */
        {"[\"\xc2\xb5\xe2\x82\xac\xf0\x9f\x98\x80\" 1]",
         "t: line 1, column 8: expected ',' or ']'"},
        {"\xef\xbb\xbf[1 2]", "t: line 1, column 4: expected ',' or ']'"},
        {"{\"a\":1,\"b\":{\"c\":1,\"d\":2,\"c\":3}}", "t: $.b: key 'c' is given twice"},
        {"[0,{\"x\":1,\"x\":1}]", "t: $[1]: key 'x' is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i].text, cases[i].message);
}

static void a_zero_byte_is_no_end(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root;
    static const char text[] = "[1]\0[2]";
    assert_int_equal(json_parse("t", text, sizeof text - 1, &doc, &root, NULL), STATUS_INPUT);
    assert_int_equal(json_parse("t", "[\"a\0b\"]", 7, &doc, &root, NULL), STATUS_INPUT);
    assert_int_equal(json_parse("t", "[1]]]]", 3, &doc, &root, NULL), STATUS_OK);
    json_close(doc);
}

static void nesting_is_refused_beyond_64(void **state)
{
    (void)state;
    char *text = memory_new(200001, 1);
    assert_non_null(text);
    for (int depth = 63; depth <= 66; depth++) {
        memset(text, 0, 200);
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        struct json_doc *doc = NULL;
        struct json root;
        assert_int_equal(parse(text, &doc, &root, NULL), depth <= 64 ? STATUS_OK : STATUS_INPUT);
        json_close(doc);
    }
    memset(text, '[', 200000);
    assert_refused(text, "t: line 1, column 65: nested deeper than 64");
    for (int i = 0; i < 200000; i++)
        text[i] = "{\"a\":"[i % 5];
    assert_refused(text, "t: line 1, column 321: nested deeper than 64");
    memory_free(text);
}

static void no_prefix_of_a_document_is_a_document(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct json root;
    for (size_t n = 0; n < strlen(profile); n++) {
        char *exact = memory_new(n + 1, 1); /* so that a read beyond the end is seen */
        assert_non_null(exact);
        memcpy(exact, profile, n);
        assert_int_equal(json_parse("t", exact, (int64_t)n, &doc, &root, NULL), STATUS_INPUT);
        memory_free(exact);
    }
    assert_int_equal(parse(profile, &doc, &root, NULL), STATUS_OK);
    json_close(doc);
}

/* Whatever the bytes: an answer, no crash, and never "out of memory", which is what the tree
 * builder disagreeing with the check would look like. */
static void damaged_documents_are_taken_or_refused_cleanly(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 9);
    size_t length = strlen(profile);
    for (int round = 0; round < 20000; round++) {
        char text[sizeof profile];
        memcpy(text, profile, sizeof profile);
        for (int64_t hits = rng_between(&rng, 1, 3); hits > 0; hits--) {
            static const char likely[] = "{}[]\",:\\0123456789eE+-.utfn \n";
            size_t at = (size_t)rng_between(&rng, 0, (int64_t)length - 1);
            text[at] = rng_uniform(&rng) < 0.8
                           ? likely[rng_between(&rng, 0, (int64_t)sizeof likely - 2)]
                           : (char)rng_between(&rng, -128, 127);
        }
        struct json_doc *doc = NULL;
        struct json root;
        struct err err = {""};
        enum status status = json_parse("t", text, (int64_t)length, &doc, &root, &err);
        assert_true(status == STATUS_OK || status == STATUS_INPUT);
        assert_int_equal(status == STATUS_OK, doc != NULL);
        assert_int_equal(status == STATUS_OK, err.message[0] == '\0');
        json_close(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_syntax_error_names_line_column_and_what_was_expected),
        cmocka_unit_test(a_zero_byte_is_no_end),
        cmocka_unit_test(nesting_is_refused_beyond_64),
        cmocka_unit_test(no_prefix_of_a_document_is_a_document),
        cmocka_unit_test(damaged_documents_are_taken_or_refused_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
