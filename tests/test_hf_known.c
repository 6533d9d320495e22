/* Configurations of real models, as public copies have them: none is counted wrong in silence.
 *
 * tests/data/hf/known.csv has a row for each: true_params (a count to the last parameter, or a
 * figure as printed: "1.28B"; empty where none was found), what lathe does with the file, and a
 * part of what it says. docs/models.md ends with the same tables; LATHE_WRITE_DOCS=1 writes that
 * part anew. */
#include "tests/hf_config_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/memory.h"
#include "model/gguf_writable.h"
#include "model/hf_family.h"
#include "model/preset.h"
#include "runtime/weights.h"

enum column {
    MODEL,
    FILE_NAME,
    MODEL_TYPE,
    TRUE_PARAMS,
    GRADE,
    VERDICT,
    SAYS,
    HOW,
    CONFIG_SOURCE,
    COUNT_SOURCE,
    N_COLUMNS,
};

static const char *const column_names[N_COLUMNS] = {
    "model",   "file", "model_type", "true_params",   "grade",
    "verdict", "says", "how",        "config_source", "count_source",
};

struct known {
    struct csv *csv;
    int columns[N_COLUMNS];
};

static int open_known(void **state)
{
    static struct known known;
    const char *path = LATHE_TESTS_DIR "/data/hf/known.csv";
    assert_int_equal(csv_open(path, &known.csv, &err), STATUS_OK);
    for (int c = 0; c < N_COLUMNS; c++)
        assert_int_equal(csv_column(known.csv, column_names[c], &known.columns[c], &err),
                         STATUS_OK);
    *state = &known;
    return 0;
}

static int close_known(void **state)
{
    csv_close(((struct known *)*state)->csv);
    return 0;
}

static const char *field(const struct known *known, int row, enum column column)
{
    return csv_text(known->csv, row, known->columns[column]);
}

static bool field_is(const struct known *known, int row, enum column column, const char *value)
{
    return strcmp(field(known, row, column), value) == 0;
}

static enum status read_known(const struct known *known, int row, struct transformer *net,
                              struct text *warnings)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/data/hf/known/%s.json", LATHE_TESTS_DIR,
             field(known, row, FILE_NAME));
    err.message[0] = '\0';
    return hf_config_read(path, net, warnings, &err);
}

/* "1.28B": half a unit of the last digit on either side. */
static bool rounds_to(int64_t params, const char *printed)
{
    char *end = NULL;
    double value = strtod(printed, &end);
    double unit = *end == 'B' ? 1e9 : *end == 'M' ? 1e6 : 0;
    const char *point = strchr(printed, '.');
    double digit = point != NULL ? pow(10, -(double)(end - point - 1)) : 1;
    return unit > 0 && fabs((double)params / unit - value) <= digit / 2 * (1 + 1e-9);
}

static bool is_true(int64_t params, const char *true_params)
{
    char *end = NULL;
    long long exact = strtoll(true_params, &end, 10);
    return *true_params == '\0' ||
           (*end == '\0' ? params == exact : rounds_to(params, true_params));
}

static const char *verdict_of(enum status status, const struct text *warnings)
{
    if (status != STATUS_OK)
        return "refuses";
    return warnings->length > 0 ? "warns" : "reads";
}

static void no_count_is_wrong_in_silence(void **state)
{
    const struct known *known = *state;
    int wrong = 0, compared = 0;
    for (int row = 0; row < csv_n_rows(known->csv); row++) {
        const char *name = field(known, row, MODEL), *published = field(known, row, TRUE_PARAMS);
        struct transformer net = {0};
        struct text warnings = {0};
        enum status status = read_known(known, row, &net, &warnings);
        const char *said = status != STATUS_OK ? err.message : warnings.length ? warnings.data : "";
        const char *verdict = verdict_of(status, &warnings);
        bool counts = status == STATUS_OK && *published;
        compared += counts;
        if (counts && !is_true(count(&net), published)) {
            print_message("%s: %lld, published %s\n", name, (long long)count(&net), published);
            wrong++;
        }
        if (!field_is(known, row, VERDICT, verdict) || !strstr(said, field(known, row, SAYS))) {
            print_message("%s: %s, not %s: '%s'\n", name, verdict, field(known, row, VERDICT),
                          said);
            wrong++;
        }
        text_release(&warnings);
        transformer_release(&net);
    }
    assert_int_equal(wrong, 0);
    assert_true(compared >= 60);
}

static void grades_say_what_was_compared(void **state)
{
    const struct known *known = *state;
    for (int row = 0; row < csv_n_rows(known->csv); row++) {
        const char *published = field(known, row, TRUE_PARAMS);
        bool is_exact = *published && strspn(published, "0123456789") == strlen(published);
        const char *grade = !*published ? "unconfirmed" : is_exact ? "gold" : "silver";
        assert_string_equal(field(known, row, GRADE), grade);
        assert_true(*published == '\0' || field(known, row, COUNT_SOURCE)[0]);
        assert_true(field(known, row, CONFIG_SOURCE)[0]);
    }
}

/* A network of the family: of the list, else a preset. */
static bool find_example(const struct known *known, const char *model_type, struct transformer *out)
{
    for (int row = 0; row < csv_n_rows(known->csv); row++) {
        if (read_known(known, row, out, NULL) != STATUS_OK)
            continue;
        if (strcmp(out->family, model_type) == 0)
            return true;
        transformer_release(out);
    }
    struct preset_list list;
    bool found = false;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    for (size_t i = 0; i < list.n && !found; i++) {
        assert_int_equal(preset_open(list.items[i].name, out, &err), STATUS_OK);
        found = strcmp(out->family, model_type) == 0;
        if (!found)
            transformer_release(out);
    }
    preset_list_release(&list);
    return found;
}

static void describe_families(const struct known *known, struct text *out)
{
    const struct hf_family *family;
    text_add(out, "| model_type | class | reads | runs | written as GGUF |\n| --- | --- | --- | "
                  "--- | --- |\n");
    for (int i = 0; (family = hf_family_row(i)) != NULL; i++) {
        struct transformer net;
        const struct gguf_layout *layout = NULL;
        if (!find_example(known, family->model_type, &net))
            fail_msg("no model of the family '%s' is known", family->model_type);
        bool runs = weights_can_run(&net, NULL) == STATUS_OK;
        bool is_written = gguf_writable(&net, true, &layout, NULL, NULL) == STATUS_OK;
        text_addf(out, "| %s | %s | yes | %s | %s |\n", family->model_type, family->architecture,
                  runs ? "yes" : "priced only", is_written ? layout->architecture : "no");
        transformer_release(&net);
    }
}

static void add_grouped(struct text *out, int64_t value)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);
    for (int d = 0; d < n; d++)
        text_addf(out, "%s%c", d > 0 && (n - d) % 3 == 0 ? "," : "", digits[d]);
}

static void add_published(struct text *out, const char *published)
{
    char *end = NULL;
    long long exact = strtoll(published, &end, 10);
    if (*published && *end == '\0')
        add_grouped(out, exact);
    else
        text_add(out, published);
}

static void describe_counts(const struct known *known, struct text *out)
{
    text_add(out, "| model | file | published | ours | grade | configuration | count |\n"
                  "| --- | --- | ---: | ---: | --- | --- | --- |\n");
    for (int row = 0; row < csv_n_rows(known->csv); row++) {
        struct transformer net = {0};
        if (read_known(known, row, &net, NULL) != STATUS_OK)
            continue;
        text_addf(out, "| %s | %s | ", field(known, row, MODEL), field(known, row, FILE_NAME));
        add_published(out, field(known, row, TRUE_PARAMS));
        text_add(out, " | ");
        add_grouped(out, count(&net));
        text_addf(out, " | %s | %s: %s | %s |\n", field(known, row, GRADE), field(known, row, HOW),
                  field(known, row, CONFIG_SOURCE), field(known, row, COUNT_SOURCE));
        transformer_release(&net);
    }
}

static void describe_refusals(const struct known *known, struct text *out)
{
    text_add(out, "| model | model_type | names | published | configuration |\n"
                  "| --- | --- | --- | ---: | --- |\n");
    for (int row = 0; row < csv_n_rows(known->csv); row++) {
        if (!field_is(known, row, VERDICT, "refuses"))
            continue;
        text_addf(out, "| %s | %s | %s | ", field(known, row, MODEL), field(known, row, MODEL_TYPE),
                  field(known, row, SAYS));
        add_published(out, field(known, row, TRUE_PARAMS));
        text_addf(out, " | %s: %s |\n", field(known, row, HOW), field(known, row, CONFIG_SOURCE));
    }
}

static const char manual_path[] = LATHE_SOURCE_DIR "/docs/models.md";
static const char heading[] = "## Real models\n";

static void describe(const struct known *known, struct text *out)
{
    text_addf(out,
              "%s\nThis part is written by `tests/test_hf_known.c` from the families and from "
              "`tests/data/hf/known.csv`.\n\n### Families\n\n",
              heading);
    describe_families(known, out);
    text_add(out, "\n### Counts\n\nFiles are in `tests/data/hf/known`. seen: the text of the "
                  "hub's file was in the source; rebuilt: its fields were.\nOf a model that is "
                  "more than its text the text is counted, with a warning.\n\n");
    describe_counts(known, out);
    text_add(out, "\n### Refused\n\nWith an error that names the model_type or the key.\n\n");
    describe_refusals(known, out);
}

static void the_manual_lists_them(void **state)
{
    const struct known *known = *state;
    static char manual[1 << 17];
    struct text wanted = {0};
    FILE *file = fopen(manual_path, "r");
    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = 0;
    fclose(file);
    char *part = strstr(manual, heading);
    assert_non_null(part);
    describe(known, &wanted);
    if (strcmp(part, wanted.data) != 0 && getenv("LATHE_WRITE_DOCS") != NULL) {
        file = fopen(manual_path, "w");
        assert_non_null(file);
        fprintf(file, "%.*s%s", (int)(part - manual), manual, wanted.data);
        fclose(file);
    } else {
        assert_string_equal(part, wanted.data);
    }
    text_release(&wanted);
}

static void a_printed_figure_is_met_by_half_a_unit(void **state)
{
    (void)state;
    assert_true(rounds_to(1279391488, "1.28B") && rounds_to(1279391488, "1.3B"));
    assert_false(rounds_to(1279391488, "1.27B") || rounds_to(1279391488, "1.2B"));
    assert_true(rounds_to(134515008, "135M") && !rounds_to(134515008, "134M"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_figure_is_met_by_half_a_unit),
        cmocka_unit_test(no_count_is_wrong_in_silence),
        cmocka_unit_test(grades_say_what_was_compared),
        cmocka_unit_test(the_manual_lists_them),
    };
    return cmocka_run_group_tests(tests, open_known, close_known);
}
