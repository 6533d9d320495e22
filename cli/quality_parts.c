#include "cli/quality_parts.h"

#include <stdio.h>

#include "base/file.h"

enum status quality_data_folder(const struct args *args, char path[QUALITY_PATH], struct err *err)
{
    if (!args_given(args, "data"))
        return file_data_path("quality", path, QUALITY_PATH, err);
    snprintf(path, QUALITY_PATH, "%s", args_text(args, "data"));
    return STATUS_OK;
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
