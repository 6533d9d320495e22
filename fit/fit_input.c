#include "fit/fit_input.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "fit/bench_text.h"
#include "fit/fit_csv.h"
#include "fit/llama_bench.h"

enum { MAX_FILE_BYTES = 64 << 20 };

/* JSON and SQL are never a table of ours, even where they hold no test. */
static bool is_table(const char *text)
{
    const char *start = text + strspn(text, " \t\r\n");
    return *start != '[' && *start != '{' && *start != '|' &&
           strncmp(start, "CREATE TABLE", 12) != 0;
}

enum status fit_read(const char *path, const struct fit_aliases *aliases, struct fit_rows *rows,
                     struct text *notes, struct err *err)
{
    char *text = NULL;
    int64_t length;
    bool is_bench = false;
    size_t before = rows->n, noted = notes->length;
    enum status status = file_read(path, MAX_FILE_BYTES, &text, &length, err);
    if (status == STATUS_OK)
        status = bench_text_to_utf8(&text, &length, err);
    if (status == STATUS_OK)
        status = fit_read_llama_bench(path, text, aliases, rows, notes, &is_bench, err);
    if (status == STATUS_OK && !is_bench)
        status = is_table(text)
                     ? fit_read_csv(path, text, length, aliases, rows, notes, err)
                     : err_set(err, STATUS_INPUT, "'%s' holds no test of llama-bench", path);
    if (status == STATUS_OK && rows->n == before) {
        const char *why = notes->data == NULL ? "" : notes->data + noted;
        status = err_set(err, STATUS_INPUT, "'%s' has no row that can be used%s%.*s", path,
                         *why == '\0' ? "" : ": ", (int)strcspn(why, "\n"), why);
    }
    memory_free(text);
    return status;
}
