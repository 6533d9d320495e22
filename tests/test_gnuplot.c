#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/stats.h"
#include "plots/gnuplot.h"
#include "tests/temporary_folder.h"

static char folder[TEMPORARY_MOST];

static int make_folder(void **state)
{
    (void)state;
    return temporary_make(folder);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a test left a file behind */
}

static const char *path_in_folder(const char *name)
{
    return temporary_path(folder, name);
}

static void the_ending_chooses_the_format(void **state)
{
    (void)state;
    enum plot_format format = PLOT_SVG;
    struct err err;
    assert_int_equal(plot_format_of("a.b/x.PNG", &format, &err), STATUS_OK);
    assert_int_equal(format, PLOT_PNG);
    assert_int_equal(plot_format_of("x.svg", &format, &err), STATUS_OK);
    assert_int_equal(format, PLOT_SVG);
    assert_int_equal(plot_format_of("x.pdf", &format, &err), STATUS_OK);
    assert_int_equal(format, PLOT_PDF);
    assert_int_equal(plot_format_of("-", &format, &err), STATUS_OK);
    assert_int_equal(format, PLOT_TERMINAL);
    assert_int_equal(plot_format_of("x.gif", &format, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, ".svg, .png or .pdf"));
    assert_int_equal(plot_format_of("svg", &format, &err), STATUS_USAGE);
}

/* gnuplot itself reads the quoted text and prints it back. */
static void any_text_reads_back_as_itself(void **state)
{
    (void)state;
    static const char letters[] = "'\"\\_^{}@&~$`#%!;,()[] aZ9\xc2\xb5";
    struct rng rng;
    rng_init(&rng, 5);
    struct text script = {0}, want = {0}, got = {0};
    struct err err = {{0}};
    text_add(&script, "set encoding utf8\nset print '-'\n");
    for (int i = 0; i < 1000; i++) {
        char word[24];
        int length = (int)rng_between(&rng, 1, 20);
        for (int j = 0; j < length; j++)
            word[j] = letters[rng_between(&rng, 0, (int64_t)sizeof letters - 4)];
        word[length] = 0;
        text_add(&script, "print ");
        gnuplot_quote(&script, word);
        text_add(&script, "\n");
        text_addf(&want, "%s\n", word);
    }
    text_add(&script, "print ");
    gnuplot_quote(&script, "line\nbreak\x01 \xc2\xb5s");
    text_add(&script, "\n");
    text_add(&want, "line break  \xc2\xb5s\n");
    enum status status = gnuplot_capture(script.data, &got, NULL, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, STATUS_OK);
    assert_string_equal(got.data, want.data);
    text_release(&script);
    text_release(&want);
    text_release(&got);
}

static void a_percent_sign_in_a_tic_label_stays(void **state)
{
    (void)state;
    struct text script = {0}, svg = {0}, warnings = {0};
    gnuplot_add_terminal(&script, PLOT_SVG, 300, 200);
    text_add(&script, "set xtics (");
    gnuplot_quote_tic(&script, "5% of_it");
    text_add(&script, " 1)\nplot [0:2] x notitle\n");
    assert_int_equal(gnuplot_capture(script.data, &svg, &warnings, NULL), STATUS_OK);
    assert_non_null(strstr(svg.data, "5% of_it"));
    assert_null(warnings.data);
    text_release(&script);
    text_release(&svg);
    text_release(&warnings);
}

/* A bare machine has no locale, and a German one writes 0,5: neither may show or make a warning.
 * The tests after this one run in the last of these locales. */
static void a_figure_is_the_same_in_every_locale(void **state)
{
    (void)state;
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LANG"};
    static const char *const locales[] = {"C.UTF-8",     "",      "C", "POSIX",
                                          "de_DE.UTF-8", "xx_YY", NULL};
    static const char title[] = "90\xc2\xb0 \xc2\xb1 1.5 \xc2\xb5s \xe2\x80\x93 2 \xc3\x97 3";
    struct text script = {0}, first = {0};
    gnuplot_add_terminal(&script, PLOT_SVG, 300, 200);
    text_addf(&script, "set title '%s'\nset xtics 0.25\nplot [0:1] x notitle\n", title);

    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        struct text svg = {0}, warnings = {0};
        for (size_t v = 0; v < sizeof variables / sizeof *variables; v++) {
            if (locales[i])
                assert_int_equal(setenv(variables[v], locales[i], 1), 0);
            else
                assert_int_equal(unsetenv(variables[v]), 0);
        }
        assert_int_equal(gnuplot_capture(script.data, &svg, &warnings, NULL), STATUS_OK);
        assert_string_equal(warnings.data ? warnings.data : "", "");
        assert_non_null(strstr(svg.data, title));
        assert_non_null(strstr(svg.data, "0.25"));
        if (i == 0)
            text_add(&first, svg.data);
        assert_string_equal(svg.data, first.data);
        text_release(&svg);
        text_release(&warnings);
    }
    text_release(&script);
    text_release(&first);
}

static void a_missing_gnuplot_is_named_with_its_package(void **state)
{
    (void)state;
    struct err err = {{0}};
    char *path = memory_strdup(getenv("PATH"));
    static const char *const places[] = {"", "/nonexistent", "/dev/null"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(setenv("PATH", places[i], 1), 0);
        assert_int_equal(gnuplot_draw("plot x\n", path_in_folder("x.svg"), NULL, &err),
                         STATUS_NOT_FOUND);
        assert_non_null(strstr(err.message, "gnuplot-nox"));
        assert_null(strchr(err.message, '\n'));
        assert_false(file_exists(path_in_folder("x.svg")));
    }
    setenv("PATH", path, 1);
    memory_free(path);
}

/* A stand-in for gnuplot, first in PATH, that is the shell script `body`. */
static void draw_with(const char *body, enum status want, const char *want_message)
{
    char program[TEMPORARY_MOST + 8], *path = memory_strdup(getenv("PATH"));
    struct text first = {0};
    struct err err = {{0}};
    snprintf(program, sizeof program, "%s/gnuplot", folder);
    text_addf(&first, "%s:%s", folder, path);
    assert_int_equal(file_write(program, body, NULL), STATUS_OK);
    assert_int_equal(chmod(program, 0755), 0);
    assert_int_equal(setenv("PATH", first.data, 1), 0);
    enum status status = gnuplot_draw("plot x\n", path_in_folder("x.svg"), NULL, &err);
    setenv("PATH", path, 1);
    memory_free(path);
    text_release(&first);
    unlink(program);
    assert_int_equal(status, want);
    assert_non_null(strstr(err.message, want_message));
    assert_false(file_exists(path_in_folder("x.svg")));
}

static void how_gnuplot_ended_is_said(void **state)
{
    (void)state;
    draw_with("#!/bin/sh\nkill -KILL $$\n", STATUS_IO, "ended by signal 9");
    draw_with("#!/bin/sh\nexit 3\n", STATUS_IO, "status 3: it did not say why");
    draw_with("#!/bin/sh\necho '  no  ' >&2; exit 4\n", STATUS_IO, "status 4: no");
    draw_with("#!/bin/sh\nexit 127\n", STATUS_NOT_FOUND, "gnuplot-nox");
}

static void a_failed_script_keeps_the_old_picture(void **state)
{
    (void)state;
    struct err err = {{0}};
    const char *path = path_in_folder("kept.svg");
    assert_int_equal(file_write(path, "old", NULL), STATUS_OK);
    assert_int_equal(gnuplot_draw("set terminal svg\nplot x\nplot nonsense(x)\n", path, NULL, &err),
                     STATUS_IO);
    assert_non_null(strstr(err.message, "nonsense"));
    assert_null(strchr(err.message, '\n'));
    char *text = NULL;
    int64_t length = 0;
    assert_int_equal(file_read(path, 100, &text, &length, NULL), STATUS_OK);
    assert_string_equal(text, "old");
    memory_free(text);
    assert_int_equal(unlink(path), 0);
}

static void a_script_that_draws_nothing_leaves_nothing(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_int_equal(gnuplot_draw("a = 1\n", path_in_folder("none.png"), NULL, &err), STATUS_IO);
    assert_false(file_exists(path_in_folder("none.png")));
}

static void a_terminal_that_gnuplot_lacks_is_said(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_int_equal(
        gnuplot_draw("set terminal nosuchterminal\n", path_in_folder("t.svg"), NULL, &err),
        STATUS_UNSUPPORTED);
    assert_non_null(strstr(err.message, "gnuplot-nox"));
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct err err = {{0}};
    assert_int_equal(gnuplot_draw("plot x\n", path_in_folder("no/x.svg"), NULL, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "no/x.svg"));
}

static void warnings_are_handed_on(void **state)
{
    (void)state;
    struct text warnings = {0}, out = {0};
    assert_int_equal(gnuplot_capture("set terminal svg\nplot '-' with lines\n1 1\n1 2\ne\n", &out,
                                     &warnings, NULL),
                     STATUS_OK);
    assert_non_null(warnings.data);
    text_release(&warnings);
    text_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ending_chooses_the_format),
        cmocka_unit_test(any_text_reads_back_as_itself),
        cmocka_unit_test(a_percent_sign_in_a_tic_label_stays),
        cmocka_unit_test(a_figure_is_the_same_in_every_locale),
        cmocka_unit_test(a_missing_gnuplot_is_named_with_its_package),
        cmocka_unit_test(how_gnuplot_ended_is_said),
        cmocka_unit_test(a_failed_script_keeps_the_old_picture),
        cmocka_unit_test(a_script_that_draws_nothing_leaves_nothing),
        cmocka_unit_test(a_terminal_that_gnuplot_lacks_is_said),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(warnings_are_handed_on),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
