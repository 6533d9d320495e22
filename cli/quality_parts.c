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

enum status quality_print_sections(struct quality_section *sections, int n, struct json_node *root,
                                   FILE *out, struct err *err)
{
    enum status status = STATUS_OK;
    bool first = true;
    for (int i = 0; i < n; i++) {
        struct listing *listing = &sections[i].listing;
        if (root != NULL && sections[i].key != NULL) {
            struct json_node *array = json_add_array(root, sections[i].key);
            for (size_t row = 0; row < listing_rows(listing); row++)
                listing_row_json(listing, row, json_add_object(array, NULL));
        } else if (root == NULL && !sections[i].json_only && status == STATUS_OK) {
            if (!first)
                fprintf(out, "\n");
            status = listing_print(listing, out, err);
            first = false;
        }
    }
    for (int i = 0; i < n; i++)
        listing_release(&sections[i].listing);
    return root != NULL ? print_json(root, out, err) : status;
}

struct json_node *quality_json_root(const struct args *args, const struct quality_law *law)
{
    if (!args_flag(args, "json"))
        return NULL;
    struct json_node *root = json_new_object();
    json_add_string(root, "name", law->name);
    json_add_string(root, "kind", law->form->name);
    json_add_string(root, "formula", law->form->formula);
    return root;
}
