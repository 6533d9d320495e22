/* GGUF files made in memory, byte by byte, right and wrong ones. */
#ifndef LATHE_TESTS_GGUF_BUILDER_H
#define LATHE_TESTS_GGUF_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/gguf.h"

/* Metadata and tensor infos are collected apart and joined by build_file. */
struct part {
    uint8_t bytes[1 << 16];
    size_t length;
};
struct builder {
    struct part keys, infos;
    uint64_t n_keys, n_tensors, data_bytes;
    uint8_t *file; /* of the last build_file; freed by the next and by build_release */
    int64_t file_length;
};

static inline void add_bytes(struct part *part, const void *bytes, size_t n)
{
    assert_true(part->length + n <= sizeof part->bytes);
    memcpy(part->bytes + part->length, bytes, n);
    part->length += n;
}

static inline void add_u32(struct part *part, uint32_t value)
{
    add_bytes(part, &value, sizeof value);
}

static inline void add_u64(struct part *part, uint64_t value)
{
    add_bytes(part, &value, sizeof value);
}

static inline void add_string(struct part *part, const char *text)
{
    add_u64(part, strlen(text));
    add_bytes(part, text, strlen(text));
}

static inline void add_key(struct builder *b, const char *name, uint32_t type)
{
    add_string(&b->keys, name);
    add_u32(&b->keys, type);
    b->n_keys++;
}

static inline void add_key_u32(struct builder *b, const char *name, uint32_t value)
{
    add_key(b, name, GGUF_UINT32);
    add_u32(&b->keys, value);
}

static inline void add_key_f32(struct builder *b, const char *name, float value)
{
    add_key(b, name, GGUF_FLOAT32);
    add_bytes(&b->keys, &value, sizeof value);
}

static inline void add_key_string(struct builder *b, const char *name, const char *value)
{
    add_key(b, name, GGUF_STRING);
    add_string(&b->keys, value);
}

static inline void add_key_array(struct builder *b, const char *name, uint32_t type, uint64_t n)
{
    add_key(b, name, GGUF_ARRAY);
    add_u32(&b->keys, type);
    add_u64(&b->keys, n);
}

/* Any info, true or not. Dimensions that are 0 from the end on are left out. */
static inline void add_info(struct builder *b, const char *name, uint32_t type, uint64_t offset,
                            uint64_t x, uint64_t y, uint64_t z)
{
    uint32_t n_dims = z ? 3 : y ? 2 : 1;
    add_string(&b->infos, name);
    add_u32(&b->infos, n_dims);
    add_u64(&b->infos, x);
    if (n_dims > 1)
        add_u64(&b->infos, y);
    if (n_dims > 2)
        add_u64(&b->infos, z);
    add_u32(&b->infos, type);
    add_u64(&b->infos, offset);
    b->n_tensors++;
}

/* An f16 tensor [y, x] at the end of the data; y 0: a vector. */
static inline void add_tensor(struct builder *b, const char *name, uint64_t x, uint64_t y)
{
    add_info(b, name, 1, b->data_bytes, x, y, 0);
    b->data_bytes += (2 * x * (y ? y : 1) + 31) / 32 * 32;
}

static inline void build_release(struct builder *b)
{
    free(b->file);
    b->file = NULL;
}

static inline void build_file(struct builder *b)
{
    size_t head = 24 + b->keys.length + b->infos.length, start = (head + 31) / 32 * 32;
    struct part header = {.length = 0};
    build_release(b);
    b->file_length = (int64_t)(start + b->data_bytes);
    b->file = calloc(1, (size_t)b->file_length);
    assert_non_null(b->file);
    add_bytes(&header, "GGUF", 4);
    add_u32(&header, 3);
    add_u64(&header, b->n_tensors);
    add_u64(&header, b->n_keys);
    memcpy(b->file, header.bytes, header.length);
    memcpy(b->file + 24, b->keys.bytes, b->keys.length);
    memcpy(b->file + 24 + b->keys.length, b->infos.bytes, b->infos.length);
}

/* Parses the first `length` bytes, copied to where nothing is readable behind them. */
static inline enum status parse_prefix(const uint8_t *bytes, int64_t length, struct gguf *file,
                                       uint8_t **copy, struct err *err)
{
    *copy = malloc(length > 0 ? (size_t)length : 1);
    assert_non_null(*copy);
    memcpy(*copy, bytes, (size_t)length);
    return gguf_parse("x.gguf", *copy, length, file, err);
}

#endif
