/* Networks written to GGUF files in memory. */
#ifndef LATHE_TESTS_WRITTEN_GGUF_H
#define LATHE_TESTS_WRITTEN_GGUF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/gguf.h"
#include "model/gguf_write.h"

static const struct gguf_write_options expanding = {.seed = 1, .expand_shared = true};
/* The types that can be written. */
static const enum dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0, DTYPE_Q4_0};
enum { N_TYPES = sizeof types / sizeof types[0] };

/* A network in memory as gguf_write makes it. */
struct written {
    char *bytes;
    size_t length;
    struct gguf file;
};

static inline void write_to_memory(const struct transformer *net,
                                   const struct gguf_write_options *options, struct text *warnings,
                                   struct written *out)
{
    struct err err = {""};
    FILE *stream = open_memstream(&out->bytes, &out->length);
    assert_non_null(stream);
    if (gguf_write_stream(net, stream, options, warnings, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(fclose(stream), 0);
    if (gguf_parse("x", out->bytes, (int64_t)out->length, &out->file, &err) != STATUS_OK)
        fail_msg("%s", err.message);
}

static inline void release(struct written *written)
{
    gguf_close(&written->file);
    free(written->bytes);
}

static inline struct transformer small(void)
{
    struct transformer net;
    transformer_init(&net, 64, 3, 4, 2, 16, 96, 300);
    return net;
}

#endif
