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

enum status quality_read_operands(const struct args *args, enum quality_purpose purpose,
                                  const struct quality_law *law, struct quality_runs *runs,
                                  struct text *notes, struct err *err)
{
    size_t n = (size_t)args_n_operands(args) - 1;
    const char **paths = memory_new(n, sizeof *paths);
    if (paths == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        paths[i] = args_operand(args, (int)i + 1);
    enum status status = quality_runs_read(paths, n, purpose, law, runs, notes, err);
    memory_free(paths);
    return status;
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
