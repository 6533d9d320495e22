/* A reader that is at a place in the bytes, and what is taken from there in order: header, keys,
 * tensors. */
#include "model/gguf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/gguf_index.h"
#include "model/gguf_types.h"

enum {
    MAX_NESTING = 4,
    MAX_KEY_LENGTH = 65535,
    MAX_TENSOR_NAME_LENGTH = 64,
    DEFAULT_ALIGNMENT = 32,
    HEADER_BYTES = 24,
    SMALLEST_KEY_BYTES = 8 + 1 + 4 + 1,            /* a name of one letter, a bool */
    SMALLEST_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8, /* the same, one dimension */
};

/* A place in the file that only moves forward over bytes that are there. */
struct reader {
    struct gguf *file;
    int64_t at;
    struct err *err;
};

static int64_t left(const struct reader *reader)
{
    return reader->file->length - reader->at;
}

static enum status truncated(const struct reader *reader, const char *what)
{
    return gguf_error(reader->file, STATUS_INPUT, reader->err,
                      "at byte %" PRId64 ": the file ends in %s", reader->at, what);
}

static uint64_t load(const uint8_t *from, int64_t bytes)
{
    uint64_t value = 0;
    for (int64_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

static enum status take_u32(struct reader *reader, const char *what, uint32_t *out)
{
    if (left(reader) < 4)
        return truncated(reader, what);
    *out = (uint32_t)load(reader->file->base + reader->at, 4);
    reader->at += 4;
    return STATUS_OK;
}

static enum status take_u64(struct reader *reader, const char *what, uint64_t *out)
{
    if (left(reader) < 8)
        return truncated(reader, what);
    *out = load(reader->file->base + reader->at, 8);
    reader->at += 8;
    return STATUS_OK;
}

static enum status take_string(struct reader *reader, const char *what, struct gguf_string *out)
{
    uint64_t length = 0;
    int64_t start = reader->at;
    enum status status = take_u64(reader, what, &length);
    if (status != STATUS_OK)
        return status;
    if (length > (uint64_t)left(reader))
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": %s of %" PRIu64 " bytes is longer than the %" PRId64
                          " bytes left",
                          start, what, length, left(reader));
    *out = (struct gguf_string){(const char *)reader->file->base + reader->at, (int64_t)length};
    reader->at += (int64_t)length;
    return STATUS_OK;
}

/* Metadata keys and tensor names: what can be printed and compared as a C string. */
static enum status take_name(struct reader *reader, const char *what, int64_t max_length,
                             struct gguf_string *out)
{
    int64_t start = reader->at;
    enum status status = take_string(reader, what, out);
    if (status != STATUS_OK)
        return status;
    if (out->length < 1 || out->length > max_length)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": %s is %" PRId64
                          " bytes long, must be 1 to %" PRId64,
                          start, what, out->length, max_length);
    for (int64_t i = 0; i < out->length; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c < 0x20 || c == 0x7f)
            return gguf_error(reader->file, STATUS_INPUT, reader->err,
                              "at byte %" PRId64 ": %s has the control character 0x%02x",
                              reader->at - out->length + i, what, c);
    }
    return STATUS_OK;
}

static enum status take_type(struct reader *reader, enum gguf_type *out)
{
    uint32_t type = 0;
    int64_t start = reader->at;
    enum status status = take_u32(reader, "a value's type", &type);
    if (status != STATUS_OK)
        return status;
    if (type >= N_GGUF_TYPES)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": unknown value type %" PRIu32, start, type);
    *out = (enum gguf_type)type;
    return STATUS_OK;
}

/* Walks over `count` values. Each takes at least a byte, so the work is bounded by the file. */
static enum status skip_values(struct reader *reader, enum gguf_type type, uint64_t count,
                               int nesting)
{
    enum status status = STATUS_OK;
    int64_t start = reader->at, each = gguf_type_bytes(type);
    int64_t smallest = each > 0 ? each : type == GGUF_STRING ? 8 : 12;
    if (count > (uint64_t)(left(reader) / smallest))
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": %" PRIu64
                          " values of type %s need more than the %" PRId64 " bytes left",
                          start, count, gguf_type_name(type), left(reader));
    if (each > 0) {
        for (uint64_t i = 0; type == GGUF_BOOL && i < count; i++) {
            if (reader->file->base[start + (int64_t)i] > 1)
                return gguf_error(reader->file, STATUS_INPUT, reader->err,
                                  "at byte %" PRId64 ": a bool is 0 or 1, not %u",
                                  start + (int64_t)i, reader->file->base[start + (int64_t)i]);
        }
        reader->at += (int64_t)count * each;
        return STATUS_OK;
    }
    if (type == GGUF_ARRAY && nesting >= MAX_NESTING)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": arrays nested deeper than %d", start, MAX_NESTING);
    for (uint64_t i = 0; i < count && status == STATUS_OK; i++) {
        if (type == GGUF_STRING) {
            struct gguf_string ignored;
            status = take_string(reader, "a string", &ignored);
        } else {
            enum gguf_type element = GGUF_UINT8;
            uint64_t n = 0;
            if ((status = take_type(reader, &element)) == STATUS_OK &&
                (status = take_u64(reader, "an array's length", &n)) == STATUS_OK)
                status = skip_values(reader, element, n, nesting + 1);
        }
    }
    return status;
}

static enum status take_key(struct reader *reader, struct gguf_key *key)
{
    uint64_t count = 1;
    key->at = reader->at;
    enum status status = take_name(reader, "a metadata key", MAX_KEY_LENGTH, &key->name);
    if (status != STATUS_OK || (status = take_type(reader, &key->type)) != STATUS_OK)
        return status;
    if (key->type == GGUF_ARRAY) {
        key->is_array = true;
        if ((status = take_type(reader, &key->type)) != STATUS_OK ||
            (status = take_u64(reader, "an array's length", &count)) != STATUS_OK)
            return status;
    }
    key->value = reader->file->base + reader->at;
    int64_t start = reader->at;
    status = skip_values(reader, key->type, count, 1);
    key->count = (int64_t)count;
    key->value_bytes = reader->at - start;
    return status;
}

/* Shape to elements and bytes. Errors name the tensor; `at` is where its info starts. */
static enum status measure(struct reader *reader, int64_t at, const struct gguf_tensor_type *type,
                           struct gguf_tensor *tensor)
{
    char shown[64];
    int64_t elems = type->block_elems, n = 1;
    gguf_shown(tensor->name, shown);
    for (int i = 0; i < tensor->n_dims; i++) {
        if (tensor->dims[i] < 1)
            return gguf_error(reader->file, STATUS_INPUT, reader->err,
                              "at byte %" PRId64 ": dimension %d of tensor '%s' is %" PRIu64, at, i,
                              shown, (uint64_t)tensor->dims[i]);
        if (__builtin_mul_overflow(n, tensor->dims[i], &n))
            return gguf_error(reader->file, STATUS_INPUT, reader->err,
                              "at byte %" PRId64 ": the shape of tensor '%s' overflows", at, shown);
    }
    if (tensor->dims[0] % elems != 0)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": rows of tensor '%s' have %" PRId64
                          " elements, not a multiple of the %" PRId64 " in a block of %s",
                          at, shown, tensor->dims[0], elems, type->name);
    tensor->n_elements = n;
    if (__builtin_mul_overflow(n / elems, type->block_bytes, &tensor->n_bytes) ||
        __builtin_add_overflow(tensor->n_bytes, type->tensor_bytes, &tensor->n_bytes))
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": the bytes of tensor '%s' overflow", at, shown);
    return STATUS_OK;
}

static enum status take_tensor(struct reader *reader, struct gguf_tensor *tensor)
{
    int64_t at = reader->at;
    uint32_t n_dims = 0, number = 0;
    uint64_t offset = 0;
    struct gguf_tensor_type type;
    char shown[64];
    enum status status =
        take_name(reader, "a tensor's name", MAX_TENSOR_NAME_LENGTH, &tensor->name);
    if (status != STATUS_OK || (status = take_u32(reader, "a tensor's info", &n_dims)))
        return status;
    gguf_shown(tensor->name, shown);
    if (n_dims < 1 || n_dims > GGUF_MAX_DIMS)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": tensor '%s' has %" PRIu32
                          " dimensions, must be 1 to %d",
                          at, shown, n_dims, GGUF_MAX_DIMS);
    tensor->n_dims = (int)n_dims;
    for (int i = 0; i < GGUF_MAX_DIMS; i++) {
        uint64_t dim = 1;
        if (i < tensor->n_dims && (status = take_u64(reader, "a tensor's shape", &dim)))
            return status;
        tensor->dims[i] = (int64_t)dim; /* 2^63 and above turn negative and are refused as such */
    }
    if ((status = take_u32(reader, "a tensor's type", &number)) ||
        (status = take_u64(reader, "a tensor's offset", &offset)))
        return status;
    if (number > INT_MAX || !gguf_tensor_type((int)number, &type))
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": tensor '%s' has the unknown type %" PRIu32, at,
                          shown, number);
    tensor->ggml_type = (int)number;
    tensor->has_dtype = dtype_of_ggml(tensor->ggml_type, &tensor->dtype);
    if ((status = measure(reader, at, &type, tensor)))
        return status;
    if (offset > (uint64_t)reader->file->length)
        return gguf_error(reader->file, STATUS_INPUT, reader->err,
                          "at byte %" PRId64 ": tensor '%s' starts at %" PRIu64
                          " in the data, past the end of the file (%" PRId64 " bytes)",
                          at, shown, offset, reader->file->length);
    tensor->offset = (int64_t)offset; /* in the data section, until it is known where that starts */
    return STATUS_OK;
}

/* Where data starts, then where each tensor lies in the file. */
static enum status place_tensors(struct reader *reader)
{
    struct gguf *file = reader->file;
    int64_t alignment = file->alignment;
    file->data_offset = (reader->at + alignment - 1) / alignment * alignment;
    for (int64_t i = 0; i < file->n_tensors; i++) {
        struct gguf_tensor *tensor = &file->tensors[i];
        char shown[64];
        gguf_shown(tensor->name, shown);
        if (tensor->offset % alignment != 0)
            return gguf_error(file, STATUS_INPUT, reader->err,
                              "data of tensor '%s' starts at %" PRId64
                              ", not a multiple of the alignment %" PRId64,
                              shown, tensor->offset, alignment);
        tensor->offset += file->data_offset;
        if (tensor->offset > file->length || tensor->n_bytes > file->length - tensor->offset)
            return gguf_error(file, STATUS_INPUT, reader->err,
                              "at byte %" PRId64 ": %" PRId64
                              " bytes of tensor '%s' run past the end of the file (%" PRId64
                              " bytes)",
                              tensor->offset, tensor->n_bytes, shown, file->length);
        tensor->data = file->base + tensor->offset;
    }
    return STATUS_OK;
}

static enum status take_header(struct reader *reader, uint64_t *n_keys, uint64_t *n_tensors)
{
    struct gguf *file = reader->file;
    if (file->length < HEADER_BYTES)
        return gguf_error(file, STATUS_INPUT, reader->err,
                          "%" PRId64 " bytes are too few for the header of a GGUF file",
                          file->length);
    if (memcmp(file->base, "GGUF", 4) != 0)
        return gguf_error(file, STATUS_INPUT, reader->err,
                          "at byte 0: not a GGUF file: it does not start with 'GGUF'");
    reader->at = 4;
    enum status status = take_u32(reader, "the header", &file->version);
    if (status != STATUS_OK)
        return status;
    if (file->version == 0x03000000 || file->version == 0x02000000)
        return gguf_error(file, STATUS_INPUT, reader->err, "at byte 4: the file is big-endian");
    if (file->version != 2 && file->version != 3)
        return gguf_error(file, STATUS_INPUT, reader->err,
                          "at byte 4: GGUF version %" PRIu32 ", known are 2 and 3", file->version);
    if ((status = take_u64(reader, "the header", n_tensors)) ||
        (status = take_u64(reader, "the header", n_keys)))
        return status;
    uint64_t room = (uint64_t)left(reader);
    if (*n_tensors > room / SMALLEST_TENSOR_BYTES)
        return gguf_error(file, STATUS_INPUT, reader->err,
                          "at byte 8: tensor count %" PRIu64 " needs more than the file's %" PRId64
                          " bytes",
                          *n_tensors, file->length);
    if (*n_keys > room / SMALLEST_KEY_BYTES)
        return gguf_error(file, STATUS_INPUT, reader->err,
                          "at byte 16: metadata count %" PRIu64
                          " needs more than the file's %" PRId64 " bytes",
                          *n_keys, file->length);
    return STATUS_OK;
}

static enum status take_alignment(struct reader *reader)
{
    struct gguf *file = reader->file;
    static const char name[] = "general.alignment";
    file->alignment = DEFAULT_ALIGNMENT;
    for (int64_t i = 0; i < file->n_keys; i++) {
        const struct gguf_key *key = &file->keys[i];
        if (key->name.length != sizeof name - 1 || memcmp(key->name.data, name, sizeof name - 1))
            continue;
        uint64_t value = key->type == GGUF_UINT32 && !key->is_array ? load(key->value, 4) : 0;
        if (value == 0 || (value & (value - 1)) != 0 || value > 1 << 30)
            return gguf_error(file, STATUS_INPUT, reader->err,
                              "at byte %" PRId64
                              ": general.alignment must be a u32 and a power of two up to 2^30",
                              key->at);
        file->alignment = (uint32_t)value;
    }
    return STATUS_OK;
}

/* The lists grow with what has been read, not with what the header claims. */
static enum status take_all(struct reader *reader)
{
    struct gguf *file = reader->file;
    uint64_t n_keys = 0, n_tensors = 0;
    size_t key_room = 0, tensor_room = 0;
    enum status status = take_header(reader, &n_keys, &n_tensors);
    while (status == STATUS_OK && (uint64_t)file->n_keys < n_keys) {
        void *keys = file->keys;
        status = memory_grow(&keys, &key_room, (size_t)file->n_keys + 1, sizeof *file->keys,
                             reader->err);
        file->keys = keys;
        if (status == STATUS_OK)
            status = take_key(reader, &file->keys[file->n_keys]);
        if (status == STATUS_OK)
            file->n_keys++;
    }
    if (status == STATUS_OK)
        status = take_alignment(reader);
    while (status == STATUS_OK && (uint64_t)file->n_tensors < n_tensors) {
        void *tensors = file->tensors;
        status = memory_grow(&tensors, &tensor_room, (size_t)file->n_tensors + 1,
                             sizeof *file->tensors, reader->err);
        file->tensors = tensors;
        if (status == STATUS_OK)
            status = take_tensor(reader, &file->tensors[file->n_tensors]);
        if (status == STATUS_OK)
            file->n_tensors++;
    }
    if (status == STATUS_OK)
        status = place_tensors(reader);
    return status == STATUS_OK ? gguf_index(file, reader->err) : status;
}

enum status gguf_parse(const char *name, const void *bytes, int64_t length, struct gguf *out,
                       struct err *err)
{
    *out = (struct gguf){.base = bytes, .length = length};
    snprintf(out->name, sizeof out->name, "%s", name);
    struct reader reader = {.file = out, .err = err};
    return take_all(&reader);
}

enum status gguf_open(const char *path, struct gguf *out, struct err *err)
{
    *out = (struct gguf){0};
    struct stat info;
    void *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot read '%s'", path);
    enum status status = STATUS_OK;
    if (fstat(fd, &info) != 0) {
        status = err_errno(err, "cannot read '%s'", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = err_set(err, STATUS_IO, "cannot read '%s': not a regular file", path);
    } else if (info.st_size == 0) {
        status = err_set(err, STATUS_INPUT, "cannot read '%s': the file is empty", path);
    } else {
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            status = err_errno(err, "cannot map '%s'", path);
    }
    close(fd);
    if (status != STATUS_OK)
        return status;
    status = gguf_parse(path, bytes, (int64_t)info.st_size, out, err);
    out->is_mapped = true;
    return status;
}

void gguf_close(struct gguf *file)
{
    memory_free(file->keys);
    memory_free(file->tensors);
    memory_free(file->keys_by_name);
    memory_free(file->tensors_by_name);
    if (file->is_mapped)
        munmap((void *)(uintptr_t)file->base, (size_t)file->length);
    *file = (struct gguf){0};
}
