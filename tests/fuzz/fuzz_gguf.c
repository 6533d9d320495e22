/* libFuzzer: any bytes as a GGUF file. What opened must lie inside the file and be found by its
 * name; what is an architecture must pass its checks and count no more than the file holds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/count.h"
#include "model/gguf_architecture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_tensors(const struct gguf *file)
{
    int64_t end = 0;
    for (int64_t i = 0; i < file->n_tensors; i++) {
        const struct gguf_tensor *tensor = &file->tensors[i];
        char name[65] = "";
        memcpy(name, tensor->name.data, (size_t)tensor->name.length);
        if (gguf_find_tensor(file, name) != tensor)
            abort();
        if (tensor->offset < file->data_offset || tensor->n_bytes < 1 ||
            tensor->offset + tensor->n_bytes > file->length)
            abort();
        end += tensor->n_bytes;
    }
    if (end > file->length) /* then two of them overlap */
        abort();
}

static void use_keys(const struct gguf *file)
{
    for (int64_t i = 0; i < file->n_keys; i++) {
        const struct gguf_key *key = &file->keys[i];
        char name[256] = "";
        int64_t integer;
        double number;
        bool flag;
        struct gguf_string string;
        if (key->value + key->value_bytes > file->base + file->length)
            abort();
        if (key->name.length >= (int64_t)sizeof name)
            continue;
        memcpy(name, key->name.data, (size_t)key->name.length);
        if (gguf_find_key(file, name) != key)
            abort();
        gguf_get_int_at(file, name, key->count / 2, INT64_MIN, INT64_MAX, &integer, NULL);
        gguf_get_number_or(file, name, -1e300, 1e300, 0, &number, NULL);
        gguf_get_bool_or(file, name, false, &flag, NULL);
        if (gguf_get_string(file, name, &string, NULL) == STATUS_OK &&
            string.data + string.length > (const char *)file->base + file->length)
            abort();
    }
}

static void use_architecture(const struct gguf *file, const struct transformer *net)
{
    struct param_count count;
    int64_t n_elements = 0;
    if (transformer_check(net, NULL) != STATUS_OK)
        abort();
    transformer_count(net, &count);
    for (int64_t i = 0; i < file->n_tensors; i++)
        n_elements += file->tensors[i].n_elements;
    if (count.total < 1 || count.total > n_elements)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gguf file;
    struct err err = {""};
    enum status status = gguf_parse("fuzz.gguf", data, (int64_t)size, &file, &err);
    if (status == STATUS_OK) {
        struct transformer net;
        struct text warnings = {0};
        use_tensors(&file);
        use_keys(&file);
        status = gguf_architecture(&file, &net, &warnings, &err);
        if (status == STATUS_OK) {
            use_architecture(&file, &net);
            transformer_release(&net);
        }
        text_release(&warnings);
    }
    if (status != STATUS_OK && (err.message[0] == '\0' || strchr(err.message, '\n') != NULL))
        abort();
    gguf_close(&file);
    return 0;
}
