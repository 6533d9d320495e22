#include "cli/quality_parts.h"

#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"

enum status quality_data_folder(const struct args *args, char path[QUALITY_PATH], struct err *err)
{
    if (!args_given(args, "data"))
        return file_data_path("quality", path, QUALITY_PATH, err);
    snprintf(path, QUALITY_PATH, "%s", args_text(args, "data"));
    return STATUS_OK;
}

enum status quality_open_law(const struct args *args, struct quality_law **law,
                             struct quality_runs *own, struct err *err)
{
    char path[QUALITY_PATH];
    *law = memory_new(1, sizeof **law);
    if (*law == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    if (args_given(args, "law"))
        return quality_law_read(args_text(args, "law"), *law, own, err);
    enum status status = file_data_path("quality/law.json", path, sizeof path, err);
    return status == STATUS_OK ? quality_law_read(path, *law, own, err) : status;
}

struct json_node *quality_json_root(const struct quality_law *law)
{
    struct json_node *root = json_new_object();
    json_add_string(root, "name", law->name);
    json_add_string(root, "kind", law->form->name);
    json_add_string(root, "formula", law->form->formula);
    return root;
}

enum status quality_print(const struct args *args, const struct quality_law *law,
                          const struct section *sections, int n, FILE *stream, struct err *err)
{
    if (args_flag(args, "json"))
        return sections_print_json(sections, n, quality_json_root(law), stream, err);
    return sections_print(sections, n, stream, err);
}
