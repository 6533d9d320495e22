#include "model/gguf_index.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_strings(const struct gguf_string *a, const struct gguf_string *b)
{
    int64_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->data, b->data, (size_t)shorter);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* What qsort sees: no context argument, so what is compared travels with the index. */
struct ranked {
    struct gguf_string name;
    int64_t offset, index;
};

static int by_name(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return compare_strings(&x->name, &y->name);
}

static int by_offset(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static enum status out_of_memory(const struct gguf *file, struct err *err)
{
    return gguf_error(file, STATUS_NOMEM, err, "out of memory");
}

/* Sorts the names, refusing two that are equal, into `*out`. `ranks` keeps its order. */
static enum status index_names(const struct gguf *file, struct ranked *ranks, int64_t n,
                               const char *what, int64_t **out, struct err *err)
{
    *out = memory_new((size_t)n, sizeof **out);
    if (*out == NULL)
        return out_of_memory(file, err);
    qsort(ranks, (size_t)n, sizeof *ranks, by_name);
    for (int64_t i = 0; i < n; i++) {
        (*out)[i] = ranks[i].index;
        if (i > 0 && compare_strings(&ranks[i - 1].name, &ranks[i].name) == 0) {
            char shown[64];
            return gguf_error(file, STATUS_INPUT, err, "%s '%s' is there twice", what,
                              gguf_shown(ranks[i].name, shown));
        }
    }
    return STATUS_OK;
}

static enum status refuse_overlap(const struct gguf *file, struct ranked *ranks, struct err *err)
{
    qsort(ranks, (size_t)file->n_tensors, sizeof *ranks, by_offset);
    for (int64_t i = 1; i < file->n_tensors; i++) {
        const struct gguf_tensor *a = &file->tensors[ranks[i - 1].index];
        const struct gguf_tensor *b = &file->tensors[ranks[i].index];
        if (a->offset + a->n_bytes > b->offset) {
            char one[64], other[64];
            return gguf_error(file, STATUS_INPUT, err,
                              "at byte %" PRId64 ": tensors '%s' and '%s' overlap", b->offset,
                              gguf_shown(a->name, one), gguf_shown(b->name, other));
        }
    }
    return STATUS_OK;
}

enum status gguf_index(struct gguf *file, struct err *err)
{
    int64_t n = file->n_keys > file->n_tensors ? file->n_keys : file->n_tensors;
    struct ranked *ranks = memory_new((size_t)n, sizeof *ranks);
    if (ranks == NULL)
        return out_of_memory(file, err);
    for (int64_t i = 0; i < file->n_keys; i++)
        ranks[i] = (struct ranked){file->keys[i].name, 0, i};
    enum status status =
        index_names(file, ranks, file->n_keys, "metadata key", &file->keys_by_name, err);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < file->n_tensors; i++)
            ranks[i] = (struct ranked){file->tensors[i].name, file->tensors[i].offset, i};
        status = index_names(file, ranks, file->n_tensors, "tensor", &file->tensors_by_name, err);
    }
    if (status == STATUS_OK)
        status = refuse_overlap(file, ranks, err);
    memory_free(ranks);
    return status;
}
