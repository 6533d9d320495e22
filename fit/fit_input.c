#include "fit/fit_input.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "fit/fit_csv.h"
#include "fit/llama_bench.h"

enum { MAX_FILE_BYTES = 64 << 20 };

static bool starts_with(const char *text, const char *word)
{
    size_t i = 0;
    while (word[i] != '\0' && toupper((unsigned char)text[i]) == word[i])
        i++;
    return word[i] == '\0';
}

enum status fit_read(const char *path, const struct fit_aliases *aliases, struct fit_rows *rows,
                     struct text *notes, struct err *err)
{
    char *text = NULL;
    int64_t length;
    enum status status = file_read(path, MAX_FILE_BYTES, &text, &length, err);
    if (status != STATUS_OK)
        return status;
    size_t before = rows->n, noted = notes->length;
    const char *start = text + strspn(text, " \t\r\n");
    bool is_bench = *start == '[' || *start == '{' || starts_with(start, "CREATE TABLE") ||
                    starts_with(start, "INSERT INTO");
    status = is_bench ? fit_read_llama_bench(path, text, length, aliases, rows, notes, err)
                      : fit_read_csv(path, text, length, aliases, rows, notes, err);
    if (status == STATUS_OK && rows->n == before) {
        const char *why = notes->data == NULL ? "" : notes->data + noted;
        status = err_set(err, STATUS_INPUT, "'%s' has no row that can be used%s%.*s", path,
                         *why == '\0' ? "" : ": ", (int)strcspn(why, "\n"), why);
    }
    memory_free(text);
    return status;
}
