/* Benchmark files: what llama-bench printed in three formats, tables, and what is wrong with
 * others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "fit/fit_input.h"

struct read_result {
    enum status status;
    struct fit_rows rows;
    struct text notes;
    struct err err;
};

static void release(struct read_result *r)
{
    fit_rows_release(&r->rows);
    text_release(&r->notes);
}

static struct read_result read_path(const char *path)
{
    struct read_result r = {0};
    r.status = fit_read(path, NULL, &r.rows, &r.notes, &r.err);
    return r;
}

static struct read_result read_text(const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "fit_input_%ld.txt", (long)getpid());
    assert_int_equal(file_write(path, text, NULL), STATUS_OK);
    struct read_result r = read_path(path);
    unlink(path);
    return r;
}

static struct read_result recorded(const char *ending)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/data/llama-bench.%s", LATHE_TESTS_DIR, ending);
    return read_path(path);
}

static void the_three_formats_of_llama_bench_are_read_alike(void **state)
{
    (void)state;
    const char *const endings[] = {"json", "jsonl", "sql"};
    for (int k = 0; k < 3; k++) {
        struct read_result r = recorded(endings[k]);
        if (r.status != STATUS_OK)
            fail_msg("%s: %s", endings[k], r.err.message);
        assert_int_equal(r.rows.n, 8); /* four models, a prompt and a generation each */
        assert_true(r.notes.data == NULL || strstr(r.notes.data, "left out") == NULL);
        for (size_t i = 0; i < r.rows.n; i++) {
            const struct fit_row *row = &r.rows.items[i];
            assert_int_equal(row->threads, 2);
            assert_true(isnan(row->decode_ns) != isnan(row->prefill_ns));
            assert_int_equal(isnan(row->decode_ns) ? row->prompt : row->context,
                             isnan(row->decode_ns) ? 16 : 7);
            assert_int_equal(row->net.kv_dtype, DTYPE_F16);
        }
        assert_string_equal(r.rows.items[0].net.name, "mobilellm-125m");
        assert_int_equal(r.rows.items[0].net.block_dtype, DTYPE_Q8_0);
        assert_int_equal(r.rows.items[0].net.head_dtype, DTYPE_Q8_0);
        assert_string_equal(r.rows.items[4].net.name, "mobilellm-r1-140m");
        assert_int_equal(r.rows.items[4].net.block_dtype, DTYPE_Q4_0);
        assert_int_equal(r.rows.items[4].net.head_dtype, DTYPE_Q6_K);
        release(&r);
    }
}

#define TEST_OF(file, type, params, prompt, gen, extra) \
    "{\"cpu_info\":\"c\",\"gpu_info\":\"\",\"backends\":\"CPU\",\"model_filename\":\"" file \
    "\",\"model_type\":\"llama " type "\",\"model_n_params\":" params \
    ",\"n_threads\":2,\"type_k\":\"f16\",\"n_prompt\":" prompt ",\"n_gen\":" gen extra \
    ",\"avg_ns\":64000000,\"stddev_ns\":640000}"
#define GOOD TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "64", "")

static void the_time_is_the_median_of_the_samples(void **state)
{
    (void)state;
    struct read_result r = read_text(
        "[" TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "64",
                    ",\"n_depth\":512,\"samples_ns\":[640000000, 32000000, 33000000]") "]");
    assert_int_equal(r.status, STATUS_OK);
    assert_true(fabs(r.rows.items[0].decode_ns - 33e6 / 64) < 1);
    assert_int_equal(r.rows.items[0].context, 512 + 31);
    release(&r);
}

static void without_samples_the_time_is_the_average(void **state)
{
    (void)state;
    struct read_result r = read_text("[" GOOD "]");
    assert_int_equal(r.status, STATUS_OK);
    assert_true(fabs(r.rows.items[0].decode_ns - 1e6) < 1);
    assert_true(fabs(r.rows.items[0].decode_noise_frac - 0.01) < 1e-9);
    release(&r);
}

/* One row is good, the other names its fault, and where it is. */
static void a_bad_test_is_named_and_the_rest_is_used(void **state)
{
    (void)state;
    static const struct {
        const char *test, *why;
    } cases[] = {
        {TEST_OF("mobilellm-125m.gguf", "IQ1_S - 1.5625 bpw", "124635456", "0", "64", ""),
         "weight type"},
        {TEST_OF("nobody.gguf", "Q8_0", "124000000", "0", "64", ""), "unknown model"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "999635456", "0", "64", ""), "parameters"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "16", "64", ""), "told apart"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "0", ""), "neither"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "16", "0", ",\"n_depth\":9"), "depth"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "64", ",\"n_depth\":99999"),
         "ends at"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "64", ",\"flash_attn\":true"),
         "taken on"},
        {TEST_OF("mobilellm-125m.gguf", "Q8_0", "124635456", "0", "64", ",\"type_v\":\"q8_0\""),
         "two types"},
        {"{\"tokens_per_second\": 7}", "lacks"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        snprintf(text, sizeof text, "[%s,\n%s]", GOOD, cases[i].test);
        struct read_result r = read_text(text);
        assert_int_equal(r.status, STATUS_OK);
        assert_int_equal(r.rows.n, 1);
        if (r.notes.data == NULL || strstr(r.notes.data, cases[i].why) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].why, r.notes.data ? r.notes.data : "");
        assert_non_null(strstr(r.notes.data, "test 2"));
        release(&r);
    }
}

static void a_file_without_a_usable_row_is_an_error_that_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "no test"},
        {"[{\"mean\": 1}]", "lacks 'n_prompt'"},
        {"{\"results\": [1, 2]}", "lacks 'n_prompt'"},
        {"[{\"n_gen\":", "1 test, which is not whole"},
        {"CREATE TABLE IF NOT EXISTS test (\n a TEXT\n);\n", "no test"},
        {"INSERT INTO test (a, b) VALUES ('1');", "not whole"},
        {"INSERT INTO test (a, b) VALUES ('1', '2", "not whole"},
        {"INSERT INTO test (a, b) VALUES ('1', '2');", "lacks 'n_prompt'"},
        {"", ""},
        {"model,decode_tok_s\na,1\n", "type"},
        {"model,type,decode\na,q8_0,1\n", "decode_tok_s"},
        {"model,type,decode_tok_s\nnobody,q8_0,1\n", "unknown model"},
        {"model,type,decode_tok_s\nmobilellm-125m,q9,1\n", "'q9'"},
        {"model,type,decode_tok_s\nmobilellm-125m,q8_0,-1\n", "decode_tok_s"},
        {"model,type,decode_tok_s\nmobilellm-125m,q8_0,\n", "neither"},
        {"model,type,decode_tok_s,depth\nmobilellm-125m,q8_0,1,99999\n", "ends at"},
        {"# samples\n1 2 3\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct read_result r = read_text(cases[i].text);
        if (r.status == STATUS_OK || strstr(r.err.message, cases[i].why) == NULL)
            fail_msg("case %zu: '%s' is not in '%s'", i, cases[i].why, r.err.message);
        assert_int_equal(r.rows.n, 0);
        release(&r);
    }
}

#define TABLE \
    "| model | size | params | backend | ngl | test | t/s |\n" \
    "| --- | ---: | ---: | --- | --: | ---: | ---: |\n"
#define LINE_OF(backend, ngl, test, speed) \
    "| qwen2 1B Q8_0 | 500.79 MiB | 494.03 M | " backend " | " ngl " | " test " | " speed " |\n"

static void a_markdown_table_is_read_by_its_parameters(void **state)
{
    (void)state;
    struct read_result r = read_text(
        "ggml_init: found 1 device\n" TABLE LINE_OF("CPU", "0", "pp512", "512.00 ± 5.12")
            LINE_OF("CPU", "0", "tg128 @ d64", "50.00 ? 0.50") "\nbuild: c392e509 (4748)\n");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 2);
    assert_string_equal(r.rows.items[0].net.name, "qwen2.5-0.5b");
    assert_true(fabs(r.rows.items[0].prefill_ns - 1e9) < 1);
    assert_true(fabs(r.rows.items[1].decode_ns - 20e6) < 1);
    assert_true(fabs(r.rows.items[1].decode_noise_frac - 0.01) < 1e-9);
    assert_int_equal(r.rows.items[1].context, 64 + 63);
    release(&r);
}

static void all_layers_offloaded_are_not_none(void **state)
{
    (void)state;
    struct read_result r = read_text(TABLE LINE_OF("CUDA", "0", "tg128", "5 ± 0") LINE_OF(
        "CUDA", "-1", "tg128", "50 ± 0") LINE_OF("CUDA", "99", "tg128", "51 ± 0"));
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 1);
    /* -1 and 99 are one kind: one line says both */
    assert_non_null(strstr(r.notes.data, "test 2 and 1 more: taken on"));
    assert_null(strstr(r.notes.data, "test 3"));
    release(&r);
}

static void forms_follow_one_another_among_logs_and_cuts(void **state)
{
    (void)state;
    struct read_result r = read_text(
        "\xef\xbb\xbfload: loaded backend\r\n[\r\n  " GOOD ",\r\nwarning: slow\r\n  " GOOD
        "\r\n]\r\n[\n" GOOD "]\n{\"n_prompt\": 3, \"n_g\n[\n" GOOD "\n]\n"
        "model_filename,model_type,n_threads,n_prompt,n_gen,avg_ns,stddev_ns\n"
        "\"mobilellm-125m.gguf\",\"llama ?B Q8_0\",\"2\",\"0\",\"64\",\"64000000\",\"0\"\n"
        "\"mobilellm-125m.gguf\",\"llama ?B Q8_0\",\"2\",\"0\",\"6");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 4); /* the table tells no processor: another machine */
    assert_non_null(strstr(r.notes.data, "taken on"));
    assert_non_null(strstr(r.notes.data, "left out: 2 tests, which are not whole"));
    release(&r);
}

static void utf16_is_read(void **state)
{
    (void)state;
    const char *text = GOOD;
    static char wide[4096];
    size_t n = strlen(text);
    wide[0] = (char)0xff;
    wide[1] = (char)0xfe;
    for (size_t i = 0; i < n; i++)
        wide[2 + 2 * i] = text[i];
    FILE *file = fopen("fit_input_wide.json", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(wide, 1, 2 + 2 * n + 1, file), 2 + 2 * n + 1); /* half a character */
    fclose(file);
    struct read_result r = read_path("fit_input_wide.json");
    unlink("fit_input_wide.json");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 1);
    release(&r);
}

static void a_size_that_contradicts_the_type_is_told(void **state)
{
    (void)state;
    struct read_result r = read_text(TEST_OF("D:\\\\m\\\\mobilellm-125m-q8_0.gguf", "Q8_0",
                                             "124635456", "0", "64", ",\"model_size\":250000000"));
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 1);
    assert_non_null(strstr(r.notes.data, "is 250 MB there"));
    release(&r);
}

static void one_line_a_kind_is_told_whatever_the_model_is_called(void **state)
{
    (void)state;
    struct read_result r = read_text("model,type,decode_tok_s\nqwen2.5-1.5b,q8_0,2.5\n"
                                     "my first,q8_0,3\nother-7.gguf,q8_0,4\nqwen2.5-1.5b,zz,4\n");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 1);
    assert_non_null(strstr(r.notes.data, "line 3 and 1 more: unknown model 'my first'"));
    assert_null(strstr(r.notes.data, "line 4"));
    assert_non_null(strstr(r.notes.data, "line 5: unknown weight type 'zz'"));
    release(&r);
}

static void a_table_of_prompts_needs_no_column_of_decodes(void **state)
{
    (void)state;
    struct read_result r = read_text("model,type,prefill_tok_s\nqwen2.5-1.5b,q8_0,25\n");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 1);
    assert_true(isnan(r.rows.items[0].decode_ns));
    release(&r);
}

static void a_table_gives_speed_prompt_and_load_with_the_noise_of_its_digits(void **state)
{
    (void)state;
    struct read_result r =
        read_text("model,type,prompt,depth,threads,prefill_tok_s,decode_tok_s,load_s\n"
                  "qwen2.5-1.5b,Q4_K_M,512,64,4,20,2.5,1.5\n");
    assert_int_equal(r.status, STATUS_OK);
    const struct fit_row *row = &r.rows.items[0];
    assert_true(fabs(row->decode_ns - 0.4e9) < 1);
    assert_true(fabs(row->prefill_ns - 25.6e9) < 100);
    assert_true(fabs(row->load_ns - 1.5e9) < 1);
    assert_true(fabs(row->decode_noise_frac - 0.1 / sqrt(12) / 2.5) < 1e-9);
    assert_int_equal(row->net.block_dtype, DTYPE_Q4_K);
    assert_int_equal(row->net.head_dtype, DTYPE_Q6_K);
    assert_int_equal(row->context, 64);
    assert_int_equal(row->threads, 4);
    release(&r);
}

static void a_table_may_bring_shapes_of_its_own_layer_by_layer(void **state)
{
    (void)state;
    struct read_result r =
        read_text("model,type,n_layers,d_model,n_heads,n_kv_heads,d_head,d_ff,vocab_size,"
                  "tie_embeddings,ffn,decode_tok_s\n"
                  "plain,q8_0,4,512,8,2,64,1024,32000,1,gelu,30\n"
                  "skips,q8_0,3,512,8 0 8,2,64,1024 2048 512,32000,0,swiglu,30\n"
                  "short,q8_0,3,512,8 8,2,64,1024,32000,0,swiglu,30\n");
    assert_int_equal(r.status, STATUS_OK);
    assert_int_equal(r.rows.n, 2);
    assert_int_equal(r.rows.items[0].net.ffn, FFN_GELU);
    assert_int_equal(transformer_block(&r.rows.items[1].net, 1)->mixer, MIXER_NONE);
    assert_int_equal(transformer_block(&r.rows.items[1].net, 2)->d_ff, 512);
    assert_non_null(strstr(r.notes.data, "line 4"));
    release(&r);
}

static void a_name_of_the_file_is_what_the_alias_says(void **state)
{
    (void)state;
    const struct fit_alias alias[] = {{"Our Model", "smollm2-135m"}, {"x.gguf", "opt-125m"}};
    const struct fit_aliases aliases = {alias, 2};
    struct transformer net;
    bool has_types;
    assert_int_equal(fit_model("Our Model", &aliases, &net, &has_types, NULL), STATUS_OK);
    assert_string_equal(net.name, "smollm2-135m");
    transformer_release(&net);
    assert_int_equal(fit_model("some/x.gguf", &aliases, &net, &has_types, NULL), STATUS_OK);
    assert_string_equal(net.name, "opt-125m");
    transformer_release(&net);
    assert_int_equal(fit_model("a/Qwen2.5-1.5B-Q4_K_M.gguf", &aliases, &net, &has_types, NULL),
                     STATUS_OK);
    assert_string_equal(net.name, "qwen2.5-1.5b");
    transformer_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_formats_of_llama_bench_are_read_alike),
        cmocka_unit_test(the_time_is_the_median_of_the_samples),
        cmocka_unit_test(without_samples_the_time_is_the_average),
        cmocka_unit_test(a_bad_test_is_named_and_the_rest_is_used),
        cmocka_unit_test(a_file_without_a_usable_row_is_an_error_that_says_why),
        cmocka_unit_test(a_markdown_table_is_read_by_its_parameters),
        cmocka_unit_test(all_layers_offloaded_are_not_none),
        cmocka_unit_test(forms_follow_one_another_among_logs_and_cuts),
        cmocka_unit_test(utf16_is_read),
        cmocka_unit_test(a_size_that_contradicts_the_type_is_told),
        cmocka_unit_test(one_line_a_kind_is_told_whatever_the_model_is_called),
        cmocka_unit_test(a_table_of_prompts_needs_no_column_of_decodes),
        cmocka_unit_test(a_table_gives_speed_prompt_and_load_with_the_noise_of_its_digits),
        cmocka_unit_test(a_table_may_bring_shapes_of_its_own_layer_by_layer),
        cmocka_unit_test(a_name_of_the_file_is_what_the_alias_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
