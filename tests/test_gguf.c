#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "tests/gguf_builder.h"
#include "tests/temporary_folder.h"

#include "base/memory.h"

static struct builder *new_builder(void)
{
    struct builder *b = calloc(1, sizeof *b);
    assert_non_null(b);
    return b;
}

static void free_builder(struct builder *b)
{
    build_release(b);
    free(b);
}

/* A file with a value of every type and two tensors. */
static struct builder *sample(void)
{
    struct builder *b = new_builder();
    const int16_t minus = -3;
    const double pi = 3.141592653589793;
    add_key_string(b, "general.architecture", "llama");
    add_key(b, "k.u8", GGUF_UINT8);
    add_bytes(&b->keys, &(uint8_t){200}, 1);
    add_key(b, "k.i8", GGUF_INT8);
    add_bytes(&b->keys, &(uint8_t){0xfb}, 1);
    add_key(b, "k.i16", GGUF_INT16);
    add_bytes(&b->keys, &minus, 2);
    add_key(b, "k.u64", GGUF_UINT64);
    add_u64(&b->keys, UINT64_MAX);
    add_key(b, "k.f64", GGUF_FLOAT64);
    add_bytes(&b->keys, &pi, 8);
    add_key_f32(b, "k.f32", 0.5f);
    add_key(b, "k.bool", GGUF_BOOL);
    add_bytes(&b->keys, &(uint8_t){1}, 1);
    add_key_array(b, "k.ints", GGUF_INT32, 3);
    for (uint32_t i = 0; i < 3; i++)
        add_u32(&b->keys, 7 * i);
    add_key_array(b, "k.strings", GGUF_STRING, 2);
    add_string(&b->keys, "one");
    add_string(&b->keys, "");
    add_key_array(b, "k.nested", GGUF_ARRAY, 2);
    for (int i = 0; i < 2; i++) {
        add_u32(&b->keys, GGUF_UINT8);
        add_u64(&b->keys, 2);
        add_bytes(&b->keys, "ab", 2);
    }
    add_tensor(b, "a.weight", 4, 3);
    add_tensor(b, "b.bias", 5, 0);
    build_file(b);
    return b;
}

static enum status parse(const struct builder *b, struct gguf *file, struct err *err)
{
    return gguf_parse("x.gguf", b->file, b->file_length, file, err);
}

static void values_of_every_type_are_found_by_name(void **state)
{
    (void)state;
    struct builder *b = sample();
    struct gguf file;
    struct err err;
    struct gguf_string string;
    int64_t integer = 0;
    double number = 0;
    bool flag = false;
    for (int version = 2; version <= 3; version++) {
        b->file[4] = (uint8_t)version;
        assert_int_equal(parse(b, &file, &err), STATUS_OK);
        assert_int_equal(gguf_get_string(&file, "general.architecture", &string, &err), STATUS_OK);
        assert_memory_equal(string.data, "llama", 5);
        assert_int_equal(string.length, 5);
        assert_int_equal(gguf_get_int(&file, "k.u8", 0, 255, &integer, &err), STATUS_OK);
        assert_int_equal(integer, 200);
        assert_int_equal(gguf_get_int(&file, "k.i8", -9, 9, &integer, &err), STATUS_OK);
        assert_int_equal(integer, -5);
        assert_int_equal(gguf_get_int(&file, "k.i16", -9, 9, &integer, &err), STATUS_OK);
        assert_int_equal(integer, -3);
        assert_int_equal(gguf_get_int_at(&file, "k.ints", 2, 0, 99, &integer, &err), STATUS_OK);
        assert_int_equal(integer, 14);
        assert_int_equal(gguf_get_int_at(&file, "k.u8", 2, 0, 255, &integer, &err), STATUS_OK);
        assert_int_equal(integer, 200);
        assert_int_equal(gguf_get_number_or(&file, "k.f64", 0, 9, 1, &number, &err), STATUS_OK);
        assert_true(number == 3.141592653589793);
        assert_int_equal(gguf_get_number_or(&file, "none", 0, 9, 7, &number, &err), STATUS_OK);
        assert_true(number == 7);
        assert_int_equal(gguf_get_bool_or(&file, "k.bool", false, &flag, &err), STATUS_OK);
        assert_true(flag);
        assert_int_equal(gguf_find_key(&file, "k.nested")->count, 2);
        assert_null(gguf_find_key(&file, "k.neste"));
        assert_int_equal(file.data_offset % 32, 0);
        const struct gguf_tensor *tensor = gguf_find_tensor(&file, "a.weight");
        assert_non_null(tensor);
        assert_int_equal(tensor->n_dims, 2);
        assert_int_equal(tensor->dims[0], 4);
        assert_int_equal(tensor->dims[1], 3);
        assert_int_equal(tensor->dims[2], 1);
        assert_int_equal(tensor->n_bytes, 24);
        assert_int_equal(tensor->dtype, DTYPE_F16);
        assert_ptr_equal(tensor->data, b->file + file.data_offset);
        assert_null(gguf_find_tensor(&file, "c"));
        gguf_close(&file);
    }
    free_builder(b);
}

static void a_value_of_another_kind_or_range_is_an_error_that_names_the_key(void **state)
{
    (void)state;
    struct builder *b = sample();
    struct gguf file;
    struct gguf_string string;
    struct err err;
    int64_t integer = 0;
    double number = 0;
    bool flag = false;
    assert_int_equal(parse(b, &file, &err), STATUS_OK);
    assert_int_equal(gguf_get_int(&file, "k.u64", 0, INT64_MAX, &integer, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "'k.u64' is above 9223372036854775807"));
    assert_int_equal(gguf_get_int(&file, "k.u8", 0, 100, &integer, &err), STATUS_RANGE);
    assert_non_null(strstr(err.message, "'k.u8' is 200, must be 0 to 100"));
    assert_int_equal(gguf_get_int(&file, "k.f32", 0, 100, &integer, &err), STATUS_INPUT);
    assert_int_equal(gguf_get_int(&file, "k.ints", 0, 100, &integer, &err), STATUS_INPUT);
    assert_int_equal(gguf_get_int(&file, "absent", 0, 100, &integer, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "'absent' is missing"));
    assert_int_equal(gguf_get_int_at(&file, "k.ints", 3, 0, 99, &integer, &err), STATUS_RANGE);
    assert_int_equal(gguf_get_int_at(&file, "k.strings", 0, 0, 9, &integer, &err), STATUS_INPUT);
    assert_int_equal(gguf_get_string(&file, "k.u8", &string, &err), STATUS_INPUT);
    assert_int_equal(gguf_get_number_or(&file, "k.f64", 0, 3, 1, &number, &err), STATUS_RANGE);
    assert_int_equal(gguf_get_number_or(&file, "k.bool", 0, 3, 1, &number, &err), STATUS_INPUT);
    assert_int_equal(gguf_get_bool_or(&file, "k.u8", true, &flag, &err), STATUS_INPUT);
    gguf_close(&file);
    free_builder(b);
}

static void a_file_cut_short_at_any_byte_is_refused(void **state)
{
    (void)state;
    struct builder *b = sample();
    int64_t needed = b->file_length - 22; /* the last tensor is 10 bytes and 22 of padding */
    for (int64_t length = 0; length <= b->file_length; length++) {
        struct gguf file;
        struct err err = {""};
        uint8_t *copy = NULL;
        enum status status = parse_prefix(b->file, length, &file, &copy, &err);
        assert_int_equal(status, length < needed ? STATUS_INPUT : STATUS_OK);
        assert_true(length >= needed || strstr(err.message, "cannot read 'x.gguf': ") != NULL);
        assert_null(strchr(err.message, '\n'));
        gguf_close(&file);
        free(copy);
    }
    free_builder(b);
}

static void no_change_of_a_byte_leads_outside_the_file(void **state)
{
    (void)state;
    struct builder *b = sample();
    const uint8_t changes[] = {0x01, 0x20, 0x80, 0xff};
    for (int64_t at = 0; at < b->file_length; at++) {
        for (size_t c = 0; c < sizeof changes; c++) {
            struct gguf file;
            uint8_t *copy = NULL;
            b->file[at] ^= changes[c];
            if (parse_prefix(b->file, b->file_length, &file, &copy, NULL) == STATUS_OK) {
                for (int64_t i = 0; i < file.n_tensors; i++) {
                    const struct gguf_tensor *tensor = &file.tensors[i];
                    assert_true(tensor->offset >= 0 && tensor->n_bytes > 0);
                    assert_true(tensor->offset + tensor->n_bytes <= file.length);
                }
                for (int64_t i = 0; i < file.n_keys; i++)
                    assert_true(file.keys[i].value + file.keys[i].value_bytes <=
                                file.base + file.length);
            }
            b->file[at] ^= changes[c];
            gguf_close(&file);
            free(copy);
        }
    }
    free_builder(b);
}

static void assert_refused(struct builder *b, const char *expected)
{
    struct gguf file;
    struct err err = {""};
    uint8_t *copy = NULL;
    enum status status = parse_prefix(b->file, b->file_length, &file, &copy, &err);
    if (status != STATUS_INPUT || strstr(err.message, expected) == NULL)
        fail_msg("status %d, message '%s', expected '%s'", (int)status, err.message, expected);
    assert_null(strchr(err.message, '\n'));
    gguf_close(&file);
    free(copy);
}

static void put_u64_at(struct builder *b, int64_t at, uint64_t value)
{
    memcpy(b->file + at, &value, sizeof value);
}

static void lying_counts_are_refused_with_the_byte_they_stand_at(void **state)
{
    (void)state;
    const uint64_t lies[] = {UINT64_C(1) << 63, UINT64_MAX, INT64_MAX, UINT64_C(1) << 40, 1 << 20};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct builder *b = sample();
        put_u64_at(b, 8, lies[i]);
        assert_refused(b, "at byte 8: tensor count ");
        put_u64_at(b, 8, 2);
        put_u64_at(b, 16, lies[i]);
        assert_refused(b, "at byte 16: metadata count ");
        put_u64_at(b, 16, b->n_keys);
        put_u64_at(b, 24, lies[i]);
        assert_refused(b, "at byte 24: a metadata key of ");
        put_u64_at(b, 24, 20);
        put_u64_at(b, 24 + 8 + 20 + 4, lies[i]);
        assert_refused(b, "at byte 56: a string of ");
        free_builder(b);

        for (uint32_t type = 0; type < N_GGUF_TYPES; type++) {
            b = new_builder();
            add_key_array(b, "a", type, lies[i]);
            build_file(b);
            assert_refused(b, "need more than the ");
            free_builder(b);
        }
    }
}

static void counts_that_fit_the_file_but_are_wrong_end_at_its_end(void **state)
{
    (void)state;
    struct builder *b = new_builder();
    add_tensor(b, "a", 1000, 4);
    build_file(b);
    put_u64_at(b, 8, 30);
    assert_refused(b, "a tensor's name is 0 bytes long");
    put_u64_at(b, 8, 1);
    put_u64_at(b, 16, 30);
    assert_refused(b, "at byte ");
    free_builder(b);
}

static void shapes_and_places_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const struct {
        uint32_t type;
        uint64_t offset, x, y, z;
        const char *expected;
    } cases[] = {
        {1, 0, UINT64_C(1) << 63, 1, 0, "dimension 0 of tensor 't' is 9223372036854775808"},
        {1, 0, UINT64_MAX, 1, 0, "dimension 0 of tensor 't' is"},
        {1, 0, INT64_MAX, 2, 0, "the shape of tensor 't' overflows"},
        {0, 0, UINT64_C(1) << 62, 1, 0, "the bytes of tensor 't' overflow"},
        {1, 0, UINT64_C(1) << 31, UINT64_C(1) << 31, 2, "the shape of tensor 't' overflows"},
        {1, 0, 0, 0, 0, "dimension 0 of tensor 't' is 0"},
        {1, 0, 64, 64, 0, "8192 bytes of tensor 't' run past the end of the file"},
        {1, UINT64_C(1) << 63, 4, 0, 0, "starts at 9223372036854775808 in the data, past the end"},
        {1, 96, 4, 0, 0, "run past the end of the file"},
        {1, 64, 4, 0, 0, "8 bytes of tensor 't' run past the end of the file"},
        {1, 7, 4, 0, 0, "starts at 7, not a multiple of the alignment 32"},
        {1, 0, 4, 0, 0, "tensors 'first' and 't' overlap"},
        {8, 32, 33, 0, 0, "rows of tensor 't' have 33 elements, not a multiple of the 32"},
        {4, 32, 32, 0, 0, "tensor 't' has the unknown type 4"},
        {77, 32, 32, 0, 0, "tensor 't' has the unknown type 77"},
        {UINT32_MAX, 32, 32, 0, 0, "tensor 't' has the unknown type 4294967295"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct builder *b = new_builder();
        add_info(b, "first", 1, 0, 16, 2, 0);
        add_info(b, "t", cases[i].type, cases[i].offset, cases[i].x, cases[i].y, cases[i].z);
        b->data_bytes = 64;
        build_file(b);
        assert_refused(b, cases[i].expected);
        free_builder(b);
    }
}

static void malformed_names_and_values_are_refused(void **state)
{
    (void)state;
    char long_name[66];
    memset(long_name, 'n', 65);
    long_name[65] = '\0';
    struct builder *b = new_builder();
    add_tensor(b, "same", 16, 0);
    add_tensor(b, "same", 16, 0);
    build_file(b);
    assert_refused(b, "tensor 'same' is there twice");
    free_builder(b);

    b = new_builder();
    add_key_u32(b, "same", 1);
    add_key_f32(b, "same", 1);
    build_file(b);
    assert_refused(b, "metadata key 'same' is there twice");
    free_builder(b);

    b = new_builder();
    add_tensor(b, long_name, 16, 0);
    build_file(b);
    assert_refused(b, "a tensor's name is 65 bytes long, must be 1 to 64");
    free_builder(b);

    b = new_builder();
    add_tensor(b, "a\nb", 16, 0);
    build_file(b);
    assert_refused(b, "control character 0x0a");
    free_builder(b);

    b = new_builder();
    add_key(b, "flag", GGUF_BOOL);
    add_bytes(&b->keys, &(uint8_t){2}, 1);
    build_file(b);
    assert_refused(b, "a bool is 0 or 1, not 2");
    free_builder(b);

    b = new_builder();
    add_key(b, "odd", 13);
    build_file(b);
    assert_refused(b, "at byte 35: unknown value type 13");
    free_builder(b);
}

static void arrays_nest_four_deep_and_no_deeper(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 6; depth++) {
        struct builder *b = new_builder();
        add_key_array(b, "nested", depth > 1 ? GGUF_ARRAY : GGUF_UINT8, 1);
        for (int i = 2; i <= depth; i++) {
            add_u32(&b->keys, i < depth ? GGUF_ARRAY : GGUF_UINT8);
            add_u64(&b->keys, 1);
        }
        add_bytes(&b->keys, "x", 1);
        build_file(b);
        struct gguf file;
        struct err err;
        assert_int_equal(parse(b, &file, &err), depth <= 4 ? STATUS_OK : STATUS_INPUT);
        assert_true(depth <= 4 || strstr(err.message, "nested deeper than 4") != NULL);
        gguf_close(&file);
        free_builder(b);
    }
}

static void alignment_is_a_power_of_two_and_rules_the_offsets(void **state)
{
    (void)state;
    const uint32_t wrong[] = {0, 3, 33, UINT32_C(1) << 31};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct builder *b = new_builder();
        add_key_u32(b, "general.alignment", wrong[i]);
        build_file(b);
        assert_refused(b, "at byte 24: general.alignment must be");
        free_builder(b);
    }
    struct builder *b = new_builder();
    add_key_u32(b, "general.alignment", 64);
    add_info(b, "t", 1, 32, 4, 0, 0);
    b->data_bytes = 256;
    build_file(b);
    assert_refused(b, "not a multiple of the alignment 64");
    free_builder(b);
}

static void other_files_and_versions_are_refused(void **state)
{
    (void)state;
    struct builder *b = sample();
    const uint8_t versions[] = {0, 1, 4, 255};
    for (size_t i = 0; i < sizeof versions; i++) {
        b->file[4] = versions[i];
        assert_refused(b, "at byte 4: GGUF version ");
    }
    memcpy(b->file + 4, "\0\0\0\3", 4);
    assert_refused(b, "at byte 4: the file is big-endian");
    b->file[0] = 'g';
    assert_refused(b, "at byte 0: not a GGUF file");
    free_builder(b);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    struct builder *b = sample();
    enum status status = STATUS_NOMEM;
    for (int64_t n = 1; status == STATUS_NOMEM; n++) {
        struct gguf file;
        memory_fail_after(n);
        status = parse(b, &file, NULL);
        memory_fail_after(-1);
        gguf_close(&file);
        assert_true(n < 1000);
    }
    assert_int_equal(status, STATUS_OK);
    free_builder(b);
}

static void what_is_no_file_is_refused_by_name(void **state)
{
    (void)state;
    struct gguf file;
    struct err err;
    char folder[TEMPORARY_MOST];
    assert_int_equal(temporary_make(folder), 0);
    const char *path = temporary_path(folder, "x.gguf");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(gguf_open("no-such-file.gguf", &file, &err), STATUS_IO);
    gguf_close(&file);
    assert_int_equal(gguf_open(".", &file, &err), STATUS_IO);
    gguf_close(&file);
    assert_int_equal(gguf_open(path, &file, &err), STATUS_INPUT);
    assert_non_null(strstr(err.message, "the file is empty"));
    gguf_close(&file);

    struct builder *b = sample();
    assert_true(write(fd, b->file, (size_t)b->file_length) == b->file_length);
    assert_int_equal(gguf_open(path, &file, &err), STATUS_OK);
    assert_int_equal(file.n_tensors, 2);
    gguf_close(&file);
    free_builder(b);
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_type_are_found_by_name),
        cmocka_unit_test(a_value_of_another_kind_or_range_is_an_error_that_names_the_key),
        cmocka_unit_test(a_file_cut_short_at_any_byte_is_refused),
        cmocka_unit_test(no_change_of_a_byte_leads_outside_the_file),
        cmocka_unit_test(lying_counts_are_refused_with_the_byte_they_stand_at),
        cmocka_unit_test(counts_that_fit_the_file_but_are_wrong_end_at_its_end),
        cmocka_unit_test(shapes_and_places_that_cannot_be_are_refused),
        cmocka_unit_test(malformed_names_and_values_are_refused),
        cmocka_unit_test(arrays_nest_four_deep_and_no_deeper),
        cmocka_unit_test(alignment_is_a_power_of_two_and_rules_the_offsets),
        cmocka_unit_test(other_files_and_versions_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
        cmocka_unit_test(what_is_no_file_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
