#include "cli/sections.h"

void sections_release(struct section *sections, int n)
{
    for (int i = 0; i < n; i++)
        listing_release(&sections[i].listing);
}

enum status sections_print(const struct section *sections, int n, FILE *stream, struct err *err)
{
    const char *between = "";
    for (int i = 0; i < n; i++) {
        if (sections[i].json_only)
            continue;
        fputs(between, stream);
        between = "\n";
        enum status status = listing_print(&sections[i].listing, stream, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status sections_print_json(const struct section *sections, int n, struct json_node *root,
                                FILE *stream, struct err *err)
{
    for (int i = 0; i < n; i++) {
        const struct listing *listing = &sections[i].listing;
        if (sections[i].key == NULL)
            continue;
        if (listing->failed) {
            json_free(root);
            return err_set(err, STATUS_NOMEM, "out of memory");
        }
        listing_rows_json(listing, json_add_array(root, sections[i].key));
    }
    return print_json(root, stream, err);
}
