/* Types of files against what llama.cpp's quantizer wrote.
 *
 * tests/data/file_types.csv: networks of random weights that lathe wrote as GGUF, quantized by
 * llama_model_quantize of llama.cpp (2025-11-18, commit 10e9780), with an importance matrix of ones
 * for the types that need one; the type of every tensor and the sum of their bytes (ggml_nbytes).
 * tests/data/public_sizes.csv: sizes that people published of files they have, as llama.cpp prints
 * them, without metadata. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/text.h"
#include "costmodel/price.h"
#include "device/device.h"
#include "model/count.h"
#include "model/file_type.h"
#include "model/preset.h"
#include "model/tensors.h"

static struct csv *open_table(const char *name)
{
    char path[512];
    struct csv *csv = NULL;
    struct err err;
    snprintf(path, sizeof path, "%s/data/%s", LATHE_TESTS_DIR, name);
    if (csv_open(path, &csv, &err))
        fail_msg("%s", err.message);
    return csv;
}

static const char *text_at(const struct csv *csv, int row, const char *column)
{
    int at = csv_find_column(csv, column);
    assert_true(at >= 0);
    return csv_text(csv, row, at);
}

static int64_t int_at(const struct csv *csv, int row, const char *column)
{
    int64_t value = 0;
    assert_int_equal(csv_int(csv, row, csv_find_column(csv, column), 0, INT64_MAX, &value, NULL),
                     STATUS_OK);
    return value;
}

static void open_network(const struct csv *csv, int row, struct transformer *net)
{
    const char *family = text_at(csv, row, "family");
    transformer_init(net, int_at(csv, row, "d_model"), int_at(csv, row, "n_layers"),
                     int_at(csv, row, "n_heads"), int_at(csv, row, "n_kv_heads"),
                     int_at(csv, row, "d_head"), int_at(csv, row, "d_ff"),
                     int_at(csv, row, "vocab_size"));
    snprintf(net->family, sizeof net->family, "%s", family);
    net->tie_embeddings = int_at(csv, row, "tied") != 0;
    if (strcmp(family, "qwen2") == 0)
        net->biases = BIAS_QKV;
    if (strcmp(family, "qwen3") == 0)
        net->qk_norm = QK_NORM_WEIGHTED;
    if (strcmp(family, "gemma2") == 0)
        net->norm_placement = NORM_SANDWICH;
    if (strncmp(family, "gemma", 5) == 0)
        net->ffn = FFN_GEGLU;
}

static enum dtype type_in(const struct transformer *net, int64_t layer, enum tensor_role role)
{
    struct tensor_list list;
    tensors_of_layer(net, layer, &list);
    const struct tensor *tensor = tensor_find(&list, role);
    assert_non_null(tensor);
    return tensor->dtype;
}

/* "q4_k", or run by run "2*q6_k 3*q4_k". */
static void add_runs(const struct transformer *net, enum tensor_role role, struct text *out)
{
    int64_t n = net->schedule.n_layers;
    for (int64_t i = 0, end; i < n; i = end) {
        enum dtype type = type_in(net, i, role);
        for (end = i + 1; end < n && type_in(net, end, role) == type;)
            end++;
        if (end - i < n)
            text_addf(out, "%s%lld*", i > 0 ? " " : "", (long long)(end - i));
        text_add(out, dtype_name(type));
    }
}

static void check_types(const struct csv *csv, int row, const struct transformer *net)
{
    static const enum tensor_role roles[] = {TENSOR_Q,    TENSOR_K,  TENSOR_V,   TENSOR_O,
                                             TENSOR_GATE, TENSOR_UP, TENSOR_DOWN};
    struct tensor_list edges;
    tensors_before(net, &edges);
    assert_string_equal(dtype_name(tensor_find(&edges, TENSOR_EMBEDDING)->dtype),
                        text_at(csv, row, "token_embd"));
    tensors_after(net, &edges);
    if (!net->tie_embeddings)
        assert_string_equal(dtype_name(tensor_find(&edges, TENSOR_HEAD)->dtype),
                            text_at(csv, row, "output"));
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        struct text runs = {0};
        add_runs(net, roles[i], &runs);
        assert_string_equal(runs.data, text_at(csv, row, tensor_traits(roles[i])->gguf));
        text_release(&runs);
    }
}

static void every_tensor_has_the_type_and_size_that_the_quantizer_gives_it(void **state)
{
    (void)state;
    struct csv *csv = open_table("file_types.csv");
    assert_true(csv_n_rows(csv) >= 200);
    for (int row = 0; row < csv_n_rows(csv); row++) {
        struct transformer net;
        struct weight_bytes bytes;
        enum dtype file;
        open_network(csv, row, &net);
        assert_int_equal(weight_type_parse(text_at(csv, row, "file_type"), &file, NULL), STATUS_OK);
        assert_true(is_file_type(file));
        assert_int_equal(transformer_set_weights(&net, file, NULL), STATUS_OK);
        assert_int_equal(transformer_check(&net, NULL), STATUS_OK);
        check_types(csv, row, &net);
        transformer_weight_bytes(&net, &bytes);
        if (bytes.total != int_at(csv, row, "bytes"))
            fail_msg("line %d: %lld bytes", csv_line(csv, row), (long long)bytes.total);
        assert_string_equal(transformer_dtype_name(&net), text_at(csv, row, "file_type"));
        transformer_release(&net);
    }
    csv_close(csv);
}

/* To the last digit that was printed. */
static void public_files_have_the_sizes_that_people_see(void **state)
{
    (void)state;
    struct csv *csv = open_table("public_sizes.csv");
    for (int row = 0; row < csv_n_rows(csv); row++) {
        struct transformer net;
        struct weight_bytes bytes;
        enum dtype file;
        double size = 0;
        struct err err;
        if (preset_open(text_at(csv, row, "model"), &net, &err))
            fail_msg("%s", err.message);
        assert_int_equal(weight_type_parse(text_at(csv, row, "file_type"), &file, NULL), STATUS_OK);
        assert_int_equal(transformer_set_weights(&net, file, NULL), STATUS_OK);
        transformer_weight_bytes(&net, &bytes);
        assert_int_equal(csv_number(csv, row, csv_find_column(csv, "size"), 0, 1e9, &size, NULL),
                         STATUS_OK);
        double unit = strcmp(text_at(csv, row, "unit"), "GiB") == 0 ? 0x1p30 : 0x1p20;
        double rounded = round(100 * (double)bytes.total / unit) / 100;
        if (fabs(rounded - size) > 1e-6)
            fail_msg("line %d: %.2f", csv_line(csv, row), rounded);
        transformer_release(&net);
    }
    csv_close(csv);
}

static void names_in_capitals_are_of_files(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int type; /* -1: none */
    } names[] = {
        {"q4_0", DTYPE_Q4_0},     {"Q4_0", FILE_Q4_0},     {"q4_k", DTYPE_Q4_K},
        {"Q4_K", FILE_Q4_K_M},    {"Q4_K_M", FILE_Q4_K_M}, {"q4_k_m", FILE_Q4_K_M},
        {"iq4_xs", DTYPE_IQ4_XS}, {"IQ4_XS", FILE_IQ4_XS}, {"iq3_m", FILE_IQ3_M},
        {"Q3_k_L", FILE_Q3_K_L},  {"iQ4_xs", -1},          {"q8_1", -1},
        {"mxfp4", DTYPE_MXFP4},   {"bf16", DTYPE_BF16},    {"BF16", FILE_BF16},
    };
    enum dtype type;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum status status = weight_type_parse(names[i].name, &type, NULL);
        assert_int_equal(status, names[i].type < 0 ? STATUS_USAGE : STATUS_OK);
        if (names[i].type >= 0)
            assert_int_equal(type, names[i].type);
    }
    for (int i = 0; i < N_WEIGHT_TYPES; i++) {
        assert_int_equal(weight_type_parse(dtype_name((enum dtype)i), &type, NULL), STATUS_OK);
        assert_int_equal(type, i);
    }
    assert_int_equal(dtype_parse("Q4_K_M", &type, NULL), STATUS_USAGE);
}

static void a_row_that_256_does_not_divide_gets_another_type(void **state)
{
    (void)state;
    assert_int_equal(dtype_for_row(DTYPE_Q4_K, 512), DTYPE_Q4_K);
    assert_int_equal(dtype_for_row(DTYPE_Q4_K, 896), DTYPE_Q5_0);
    assert_int_equal(dtype_for_row(DTYPE_Q6_K, 896), DTYPE_Q8_0);
    assert_int_equal(dtype_for_row(DTYPE_Q4_K, 900), DTYPE_F16);
    assert_int_equal(dtype_for_row(DTYPE_Q8_0, 900), DTYPE_Q8_0); /* padded */
    struct transformer net;
    struct weight_bytes bytes;
    transformer_init(&net, 96, 3, 3, 3, 32, 256, 1000);
    transformer_set_dtype(&net, DTYPE_Q4_K);
    transformer_weight_bytes(&net, &bytes);
    int64_t fallback = (4 * 96 + 2 * 256) * 96 / 32 * 22, down = 96 * 144, norms = 2 * 96 * 4;
    assert_int_equal(bytes.blocks, 3 * (fallback + down + norms));
}

/* A pass reads what is stored, whatever the types, and costs what its bytes cost. */
static void layers_of_several_types_are_priced_by_their_bytes(void **state)
{
    (void)state;
    struct transformer net;
    struct operator_list list;
    struct op_totals totals;
    struct weight_bytes bytes;
    transformer_init(&net, 256, 16, 4, 1, 64, 512, 1000);
    assert_int_equal(transformer_set_weights(&net, FILE_Q4_K_M, NULL), STATUS_OK);
    transformer_weight_bytes(&net, &bytes);
    assert_int_equal(ops_decode(&net, 10, &list, NULL), STATUS_OK);
    assert_int_equal(list.n_classes, 2);
    ops_totals(&list, &totals);
    int64_t row = dtype_row_bytes(DTYPE_Q6_K, 256);
    assert_int_equal(totals.distinct_weight_bytes, bytes.total + row);
    ops_release(&list);
    transformer_set_dtype(&net, DTYPE_F16); /* one type again */
    assert_int_equal(ops_decode(&net, 10, &list, NULL), STATUS_OK);
    assert_int_equal(list.n_classes, 1);
    ops_release(&list);
    transformer_release(&net);
}

static void a_type_without_a_rate_takes_its_relatives(void **state)
{
    (void)state;
    static const char profile[] =
        "{\"name\": \"d\", \"kind\": \"phone\", \"unit\": \"cpu\", \"basis\": \"datasheet\","
        " \"levels\": [{\"name\": \"dram\", \"capacity_bytes\": 4000000000, \"read_gbps\": 10},"
        " {\"name\": \"flash\", \"read_gbps\": 1}], \"peak_gflops\": {\"f16\": 100, \"q4_0\": 50},"
        " \"stream_frac\": {\"q4_0\": 0.5, \"q4_k\": 0.25}}";
    struct device device;
    struct machine m;
    struct err err;
    struct json_doc *doc = NULL;
    struct json root;
    if (json_parse("d", profile, (int64_t)strlen(profile), &doc, &root, &err) ||
        device_parse(&root, &device, &err))
        fail_msg("%s", err.message);
    json_close(doc);
    assert_int_equal(machine_resolve(&device, 0, &m, NULL), STATUS_OK);
    static const struct {
        enum dtype type, rated_as;
        double gbps;
    } rates[] = {
        {DTYPE_Q4_0, DTYPE_Q4_0, 5},   {DTYPE_IQ4_NL, DTYPE_Q4_0, 5},
        {DTYPE_Q5_1, DTYPE_Q4_0, 5},   {DTYPE_Q5_K, DTYPE_Q4_K, 2.5},
        {DTYPE_Q6_K, DTYPE_Q4_K, 2.5}, {DTYPE_IQ2_XS, DTYPE_Q4_K, 2.5},
        {DTYPE_Q8_0, DTYPE_Q8_0, 10},  {DTYPE_F16, DTYPE_F16, 10},
    };
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        assert_int_equal(m.rated_as[rates[i].type], rates[i].rated_as);
        assert_true(fabs(m.weight_gbps[rates[i].type][m.dram] - rates[i].gbps) < 1e-12);
    }
    assert_true(fabs(m.peak_gflops[DTYPE_Q5_0] - 50) < 1e-12);
    assert_true(fabs(m.peak_gflops[DTYPE_Q5_K] - 100) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tensor_has_the_type_and_size_that_the_quantizer_gives_it),
        cmocka_unit_test(public_files_have_the_sizes_that_people_see),
        cmocka_unit_test(names_in_capitals_are_of_files),
        cmocka_unit_test(a_row_that_256_does_not_divide_gets_another_type),
        cmocka_unit_test(layers_of_several_types_are_priced_by_their_bytes),
        cmocka_unit_test(a_type_without_a_rate_takes_its_relatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
