#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/options.h"

static enum status run_nothing(const struct args *args, struct err *err)
{
    (void)args;
    (void)err;
    return STATUS_OK;
}

static const struct option options[] = {
    ROW_DEVICE,
    ROW_DTYPE,
    ROW_THREADS,
    ROW_PROMPT,
    ROW_DB,
    ROW_JSON,
    ROW(OPTION_TEXTS, "where", "EXPR", NULL, NULL, "filter"),
    ROW(OPTION_CHOICE, "format", "F", NULL, "svg png", "picture"),
    ROWS_END,
};
static const struct example examples[] = {{NULL, NULL}};
static const struct command command = {
    .name = "verb",
    .summary = "a verb",
    .operands = "A [B]",
    .min_operands = 1,
    .max_operands = 2,
    .options = options,
    .examples = examples,
    .about = "",
    .run = run_nothing,
};

enum { MAX_WORDS = 16 };

/* Parses words with spaces between. */
static enum status parse(const char *line, struct args **args, struct err *err)
{
    static char copy[512];
    char *words[MAX_WORDS], *rest = NULL;
    int n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL && n < MAX_WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    return args_parse(&command, n, words, args, err);
}

static void values_follow_a_space_or_an_equals_sign_anywhere(void **state)
{
    (void)state;
    const char *const lines[] = {"a --threads 4 --db x.db --json b",
                                 "--threads=4 a b --json --db=x.db",
                                 "--json --threads 2 --threads 4 --db x.db -- a b"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct args *args = NULL;
        assert_int_equal(parse(lines[i], &args, NULL), STATUS_OK);
        assert_int_equal(args_n_operands(args), 2);
        assert_string_equal(args_operand(args, 0), "a");
        assert_string_equal(args_operand(args, 1), "b");
        assert_int_equal(args_int(args, "threads", 0), 4);
        assert_string_equal(args_text(args, "db"), "x.db");
        assert_true(args_flag(args, "json"));
        assert_false(args_given(args, "prompt"));
        args_free(args);
    }
}

static void what_is_not_given_has_the_fallback_of_the_table(void **state)
{
    (void)state;
    struct args *args = NULL;
    enum dtype dtype = DTYPE_Q4_0;
    assert_int_equal(parse("a", &args, NULL), STATUS_OK);
    assert_int_equal(args_int(args, "prompt", 7), 128);
    assert_int_equal(args_int(args, "threads", 7), 7);
    assert_string_equal(args_text(args, "db"), "lathe.db");
    assert_null(args_text(args, "format"));
    assert_null(args_nth(args, "device", 0));
    assert_false(args_dtype(args, "dtype", &dtype));
    assert_int_equal(dtype, DTYPE_Q4_0);
    args_free(args);
}

static void lists_are_cut_at_commas_and_texts_are_not(void **state)
{
    (void)state;
    struct args *args = NULL;
    assert_int_equal(parse("a --device x,y --where p,q --device z --where r", &args, NULL),
                     STATUS_OK);
    assert_int_equal(args_count(args, "device"), 3);
    assert_string_equal(args_nth(args, "device", 0), "x");
    assert_string_equal(args_nth(args, "device", 2), "z");
    assert_null(args_nth(args, "device", 3));
    assert_int_equal(args_count(args, "where"), 2);
    assert_string_equal(args_nth(args, "where", 0), "p,q");
    args_free(args);
}

static void every_slip_is_a_usage_error_that_names_it(void **state)
{
    (void)state;
    static const struct {
        const char *line, *expected;
    } cases[] = {
        {"", "needs A"},
        {"a b c", "'c'"},
        {"a --thread 4", "'--threads'"},
        {"a --nonsense", "'--nonsense'"},
        {"a --threads", "--threads N"},
        {"a --db --json", "--db FILE"},
        {"a --threads 0", "'0'"},
        {"a --threads four", "'four'"},
        {"a --threads -1", "'-1'"},
        {"a --threads 99999999999999999999", "99999999999999999999"},
        {"a --prompt 0", "'0'"},
        {"a --json=yes", "no value"},
        {"a --format pgn", "'png'"},
        {"a --dtype q9", "--dtype"},
        {"a --device x,,y", "empty"},
        {"a -j", "'-j'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct args *args = NULL;
        struct err err = {""};
        assert_int_equal(parse(cases[i].line, &args, &err), STATUS_USAGE);
        if (strstr(err.message, cases[i].expected) == NULL)
            fail_msg("'%s' gave '%s'", cases[i].line, err.message);
        assert_null(args);
    }
}

static void help_wins_over_every_slip(void **state)
{
    (void)state;
    struct args *args = NULL;
    assert_int_equal(parse("--nonsense --help", &args, NULL), STATUS_OK);
    assert_true(args_help(args));
    args_free(args);
}

static void the_line_of_the_store_reads_back_in_a_shell(void **state)
{
    (void)state;
    struct args *args = NULL;
    char *words[] = {"a", "--where", "it's < 20"};
    assert_int_equal(args_parse(&command, 3, words, &args, NULL), STATUS_OK);
    assert_string_equal(args_line(args), "verb a --where 'it'\\''s < 20'");
    args_free(args);
}

static void running_out_of_memory_is_an_error_and_no_leak(void **state)
{
    (void)state;
    enum status status = STATUS_NOMEM;
    int64_t n = 1;
    for (; n < 1000 && status != STATUS_OK; n++) {
        struct args *args = NULL;
        memory_fail_after(n);
        status = parse("a --device x,y --format svg --threads 2", &args, NULL);
        memory_fail_after(-1);
        assert_true(status == STATUS_OK || status == STATUS_NOMEM);
        args_free(args);
    }
    assert_true(n > 3 && n < 1000);
}

static void every_verb_explains_itself_and_shows_an_example(void **state)
{
    (void)state;
    for (const struct command *const *verb = all_commands; *verb != NULL; verb++) {
        assert_true(strlen((*verb)->summary) > 10);
        assert_true(strlen((*verb)->summary) <= 72);
        assert_non_null((*verb)->examples->command);
        assert_non_null(strstr((*verb)->examples->command, (*verb)->name));
        assert_true((*verb)->max_operands >= (*verb)->min_operands);
        assert_ptr_equal(find_command((*verb)->name, NULL), *verb);
        for (const struct option *option = (*verb)->options; option->name != NULL; option++) {
            assert_non_null(option->help);
            assert_true((option->argument == NULL) == (option->kind == OPTION_FLAG));
            if (option->kind == OPTION_CHOICE)
                assert_non_null(option->values);
        }
    }
}

/* Words of `text`, one after another; false at the end. */
static bool next_word(const char **text, char *word, size_t size)
{
    size_t length = strcspn(*text, " ");
    snprintf(word, size, "%.*s", (int)length, *text);
    *text += length + strspn(*text + length, " ");
    return length > 0;
}

static bool takes(const struct command_kind *kind, const char *option)
{
    char word[64];
    const char *rest = kind->options;
    while (next_word(&rest, word, sizeof word))
        if (strcmp(word, option) == 0)
            return true;
    return false;
}

static bool has_option(const struct command *verb, const char *name)
{
    for (const struct option *option = verb->options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return true;
    return false;
}

/* Every kind of every verb takes options that there are, and refuses the others. */
static void a_kind_refuses_the_options_that_it_would_ignore(void **state)
{
    (void)state;
    for (const struct command *const *verb = all_commands; *verb != NULL; verb++) {
        const struct command_kind *kind = (*verb)->kinds;
        for (; kind != NULL && kind->name != NULL; kind++) {
            char word[64];
            const char *rest = kind->options;
            while (next_word(&rest, word, sizeof word))
                assert_true(has_option(*verb, word));
        }
        for (const struct option *option = (*verb)->options; option->name != NULL; option++) {
            bool taken = (*verb)->kinds == NULL;
            for (kind = (*verb)->kinds; kind != NULL && kind->name != NULL; kind++) {
                char slip[80], expected[160], name[64], model[] = "model";
                char *words[] = {name, model, slip};
                struct args *args = NULL;
                struct err err = {""};
                taken = taken || takes(kind, option->name);
                if (takes(kind, option->name) || option->kind != OPTION_FLAG)
                    continue;
                snprintf(name, sizeof name, "%s", kind->name);
                snprintf(slip, sizeof slip, "--%s", option->name);
                assert_int_equal(args_parse(*verb, 3, words, &args, &err), STATUS_USAGE);
                snprintf(expected, sizeof expected, "'%s' takes no --%s: leave it out", kind->name,
                         option->name);
                assert_string_equal(err.message, expected);
            }
            assert_true(taken); /* by some kind, else it would not be there */
        }
    }
}

static void a_misspelt_verb_finds_its_neighbour(void **state)
{
    (void)state;
    const char *near = NULL;
    assert_null(find_command("hepl", &near));
    assert_string_equal(near, "help");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_a_space_or_an_equals_sign_anywhere),
        cmocka_unit_test(what_is_not_given_has_the_fallback_of_the_table),
        cmocka_unit_test(lists_are_cut_at_commas_and_texts_are_not),
        cmocka_unit_test(every_slip_is_a_usage_error_that_names_it),
        cmocka_unit_test(help_wins_over_every_slip),
        cmocka_unit_test(the_line_of_the_store_reads_back_in_a_shell),
        cmocka_unit_test(running_out_of_memory_is_an_error_and_no_leak),
        cmocka_unit_test(every_verb_explains_itself_and_shows_an_example),
        cmocka_unit_test(a_kind_refuses_the_options_that_it_would_ignore),
        cmocka_unit_test(a_misspelt_verb_finds_its_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
