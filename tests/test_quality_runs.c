/* Tables of runs: what is read, and one clear line for what cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "base/file.h"
#include "quality/runs.h"
#include "tests/quality_fixture.h"
#include "tests/temporary_folder.h"

#define HEADER \
    "recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,val_loss\n"
#define MINE "mine,512,16,8,8,64,1536,32000,"

static struct quality_law law;
static char folder[TEMPORARY_MOST];

static int setup(void **state)
{
    (void)state;
    read_shipped_law(&law);
    return temporary_make(folder);
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static enum status read_text(const char *text, enum quality_purpose purpose,
                             struct quality_runs *runs, struct text *notes, struct err *err)
{
    const char *const path = temporary_path(folder, "x.csv");
    *runs = (struct quality_runs){0};
    *notes = (struct text){0};
    assert_int_equal(file_write(path, text, NULL), STATUS_OK);
    const char *const paths[] = {path};
    enum status status = quality_runs_read(paths, 1, purpose, &law, runs, notes, err);
    remove(path);
    return status;
}

/* Reading to fit leaves `n` runs (0: an error) and says `message`. */
static void expect(const char *text, size_t n, const char *message)
{
    struct quality_runs runs;
    struct text notes;
    struct err err = {""};
    enum status status = read_text(text, QUALITY_TO_FIT, &runs, &notes, &err);
    assert_int_equal(status == STATUS_OK, n > 0);
    if (n > 0)
        assert_int_equal(runs.n, n);
    const char *said = notes.data == NULL ? "" : notes.data;
    if (strstr(said, message) == NULL && strstr(err.message, message) == NULL)
        fail_msg("'%s' and '%s' do not say '%s'", said, err.message, message);
    quality_runs_release(&runs);
    text_release(&notes);
}

static void test_reads(void **state)
{
    struct quality_runs runs;
    struct text notes;
    struct err err = {""};
    (void)state;
    assert_int_equal(read_text("train_tokens,val_loss_nats,recipe,config,vocab,tied\n"
                               "2e9,3.5,mine,mobilellm-125m,,\n"
                               "4e9,3.4,mine,mobilellm-350m,,no\n",
                               QUALITY_TO_FIT, &runs, &notes, &err),
                     STATUS_OK);
    assert_int_equal(runs.n, 2);
    assert_true(runs.items[0].shape.n_layers == 30 && runs.items[0].shape.tied);
    assert_false(runs.items[1].shape.tied);
    assert_null(notes.data);
    quality_runs_release(&runs);
    assert_int_equal(read_text(HEADER "morph,544,8,,,,,50432,2e9,4.9\n"
                                      "misfitting,512,8,,,,,50432,2e9,3.9\n",
                               QUALITY_TO_PREDICT, &runs, &notes, &err),
                     STATUS_OK);
    assert_true(runs.items[0].shape.n_heads * runs.items[0].shape.d_head == 544);
    assert_true(runs.items[0].shape.gated && runs.items[0].shape.d_ff == 1536);
    assert_true(!runs.items[1].shape.gated && runs.items[1].shape.d_ff == 2048);
    quality_runs_release(&runs);
    text_release(&notes);
}

static void test_columns(void **state)
{
    (void)state;
    expect("recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,train_tokens,val_loss\n"
           "mine,512,16,8,8,64,2e9,3.4\n",
           0, "no columns 'd_ff', 'vocab'");
    expect("recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,val_loss\n" MINE "3.4\n",
           0, "no column 'train_tokens'");
    expect("recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,avg\n" MINE
           "2e9,44\n",
           0, "'avg' are accuracies");
    expect("recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens,val_"
           "bits\n" MINE "2e9,4\n",
           0, "'val_bits' is in bits");
    expect("recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,train_tokens\n" MINE
           "2e9\n",
           0, "no column 'val_loss'");
}

static void test_values(void **state)
{
    (void)state;
    const char *two = HEADER MINE "2e9,3.60\n" MINE "4e9,3.50\n";
    char text[1024];
    expect(HEADER MINE "2e9,44.1\n" MINE "4e9,45.2\n", 0, "an accuracy or a perplexity?");
    expect(HEADER MINE "2e9,0.441\n" MINE "4e9,0.452\n", 0, "an accuracy, or bits a byte?");
    expect(HEADER MINE "2,3.6\n" MINE "4,3.5\n", 0, "in billions? give tokens");
    expect(HEADER MINE "2e9,5.05\n" MINE "4e9,4.90\n", 0, "in bits?");
    expect(HEADER MINE "2e9,0.98\n" MINE "4e9,0.95\n", 0, "bits a byte?");
    expect(HEADER MINE "2e9,3.6\n", 0, "one run of recipe 'mine' where two are needed");
    expect(HEADER MINE "2e9,3.6\n" MINE "2e9,3.61\n", 0, "where two are needed");
    expect(HEADER MINE "2e8,3.6\n", 0, "below 1e9 tokens");
    snprintf(text, sizeof text, "%smine,512,16,8,8,64,1536,50304,8e9,3.4\n", two);
    expect(text, 2, "vocabulary 50304 under recipe 'mine', which has 32000");
    snprintf(text, sizeof text, "%s" MINE "8e9,3.4\n" MINE "8e9,3.0\n", two);
    expect(text, 2, "a loss of 3.4 contradicts 3 of the same run in line 5");
    snprintf(text, sizeof text, "%s" MINE "8e9,\n" MINE "many,3\n", two);
    expect(text, 2, "expected a number, got 'many'");
    snprintf(text, sizeof text, "%s" MINE "8e9\n" MINE "8e9,3.4,more\n", two);
    expect(text, 2, "line 4: another number of fields than the header");
    snprintf(text, sizeof text, "%smine,512,16,8,3,64,1536,32000,8e9,3.4\n", two);
    expect(text, 2, "n_kv_heads: 3 KV heads do not divide 8 heads");
    snprintf(text, sizeof text, "%smine,512,16,8,16,64,1536,32000,8e9,3.4\n", two);
    expect(text, 2, "n_kv_heads: 16 KV heads do not divide 8 heads");
    snprintf(text, sizeof text, "%smine,512,1.5,8,8,64,1536,32000,8e9,3.4\n", two);
    expect(text, 2, "n_layers: 1.5 is no whole number");
    snprintf(text, sizeof text, "%smine,512,0,8,8,64,1536,32000,8e9,3.4\n", two);
    expect(text, 2, "n_layers: 0 is outside");
    expect(HEADER "gemstones,512,16,4,2,128,2048,32000,2e10,3.1\n", 0,
           "vocabulary 32000 under recipe 'gemstones', which has 50304");
}

/* Several files are one table: what contradicts stands in two of them, and two runs may too. */
static void test_several_files(void **state)
{
    const char *const paths[] = {temporary_path(folder, "a.csv"), temporary_path(folder, "b.csv")};
    struct quality_runs runs = {0};
    struct text notes = {0};
    struct err err = {""};
    (void)state;
    assert_int_equal(file_write(paths[0], HEADER MINE "2e9,3.6\n", NULL), STATUS_OK);
    assert_int_equal(file_write(paths[1], HEADER MINE "4e9,3.5\n", NULL), STATUS_OK);
    assert_int_equal(quality_runs_read(paths, 2, QUALITY_TO_FIT, &law, &runs, &notes, &err),
                     STATUS_OK);
    assert_int_equal(runs.n, 2);
    assert_null(notes.data);
    quality_runs_release(&runs);
    assert_int_equal(file_write(paths[1],
                                HEADER "mine,512,16,8,8,64,1536,50257,4e9,3.5\n" MINE
                                       "2e9,3.0\n" MINE "8e9,3.4\n" MINE "16e9,3.3\n",
                                NULL),
                     STATUS_OK);
    assert_int_equal(quality_runs_read(paths, 2, QUALITY_TO_FIT, &law, &runs, &notes, &err),
                     STATUS_OK);
    assert_int_equal(runs.n, 2);
    assert_non_null(strstr(notes.data, "b.csv: line 2: vocabulary 50257 under recipe "
                                       "'mine', which has 32000"));
    assert_non_null(strstr(notes.data, "b.csv: line 3: a loss of 3 contradicts 3.6 of the same run "
                                       "in "));
    assert_non_null(strstr(notes.data, "a.csv, line 2"));
    quality_runs_release(&runs);
    text_release(&notes);
    remove(paths[0]);
    remove(paths[1]);
}

/* Accuracies say how networks of a recipe differ; where there are losses they are none. */
static void test_accuracies(void **state)
{
    const char *const header = "recipe,d_model,n_layers,n_heads,n_kv_heads,head_dim,d_ff,vocab,"
                               "train_tokens,val_loss,accuracy\n";
    char text[1024];
    (void)state;
    snprintf(text, sizeof text, "%s" MINE "2e9,,43\n" MINE "4e9,,44\n", header);
    expect(text, 2, "");
    snprintf(text, sizeof text, "%s" MINE "2e9,3.6,\n" MINE "4e9,3.5,44\n" MINE "8e9,,45\n",
             header);
    expect(text, 2, "line 4: an accuracy where a loss is asked: recipe 'mine' has losses");
    snprintf(text, sizeof text, "%sgemstones,512,16,4,2,128,2048,50304,2e10,,45\n", header);
    expect(text, 0, "recipe 'gemstones' has losses");
}

/* Rows to be predicted keep their place, whatever is wrong with them. */
static void test_rows_stay(void **state)
{
    struct quality_runs runs;
    struct text notes;
    struct err err = {""};
    (void)state;
    assert_int_equal(read_text(HEADER MINE "2e9,3.6\n" MINE "4,3.5\n" MINE "8e9,44\n" MINE
                                           "1e8,4.4\n" MINE "16e9,\n",
                               QUALITY_TO_PREDICT, &runs, &notes, &err),
                     STATUS_OK);
    assert_int_equal(runs.n, 5);
    assert_true(runs.items[0].tokens == 2e9 && runs.items[0].loss == 3.6);
    assert_true(isnan(runs.items[1].tokens));
    assert_true(runs.items[2].tokens == 8e9 && isnan(runs.items[2].loss));
    assert_true(runs.items[3].tokens == 1e8);
    assert_true(isnan(runs.items[4].loss));
    quality_runs_release(&runs);
    text_release(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),      cmocka_unit_test(test_columns),
        cmocka_unit_test(test_values),     cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_accuracies), cmocka_unit_test(test_rows_stay),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
