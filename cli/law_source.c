#include "cli/law_source.h"

#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"

enum { MAX_LAW_BYTES = 64 << 20 };

static enum status law_path(const struct args *args, char *path, size_t size, struct err *err)
{
    if (!args_given(args, "law"))
        return file_data_path("quality/law.json", path, size, err);
    snprintf(path, size, "%s", args_text(args, "law"));
    return STATUS_OK;
}

enum status open_law(const struct args *args, struct quality_law **law, struct quality_runs *own,
                     char **text, struct err *err)
{
    char path[4096], *bytes = NULL;
    int64_t length;
    enum status status = law_path(args, path, sizeof path, err);
    *law = memory_new(1, sizeof **law);
    if (status == STATUS_OK && *law == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    if (status == STATUS_OK)
        status = file_read(path, MAX_LAW_BYTES, &bytes, &length, err);
    if (status == STATUS_OK)
        status = quality_law_parse(path, bytes, *law, own, err);
    if (text != NULL)
        *text = bytes;
    else
        memory_free(bytes);
    return status;
}
