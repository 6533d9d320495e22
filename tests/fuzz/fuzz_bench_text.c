/* libFuzzer: any bytes as the output of a benchmark. What is found must be whole tests, and reading
 * must end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fit/bench_tests.h"
#include "fit/bench_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status use(void *self, const struct json *test, int number, struct err *err)
{
    int *used = self;
    (void)err;
    if (test->item == NULL || number != ++*used)
        abort();
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int used = 0;
    struct bench_tests tests = {.name = "fuzz", .use = use, .self = &used};
    int64_t length = (int64_t)size;
    char *text = memory_new(size + 1, 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    if (bench_text_to_utf8(&text, &length, NULL) == STATUS_OK) {
        if (strlen(text) != (size_t)length)
            abort();
        if (bench_tests_read(&tests, text, NULL) == STATUS_OK && tests.n_tests != used)
            abort();
    }
    memory_free(text);
    return 0;
}
