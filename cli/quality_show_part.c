#include <stdio.h>

#include "base/memory.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"

static enum status show_json(const struct quality_law *law, const struct section *sections, int n,
                             struct err *err)
{
    struct json_node *root = quality_json_root(law);
    json_add_int(root, "rows", law->rows);
    json_add_number(root, "held_out_error_frac", law->held_out_error_frac);
    json_add_number(root, "held_out_cover_frac", law->held_out_cover_frac);
    struct json_node *untold = json_add_array(root, "untold");
    for (const char *const *line = quality_untold; *line != NULL; line++)
        json_add_string(untold, NULL, *line);
    return sections_print_json(sections, n, root, stdout, err);
}

static enum status show(const struct quality_law *law, const struct section *sections, int n,
                        struct err *err)
{
    printf("%s, of %d losses; rows kept back: error %.2f %%, %.0f %% in the 90 %% interval\n"
           "%s\n\n",
           law->name, law->rows, 100 * law->held_out_error_frac, 100 * law->held_out_cover_frac,
           law->form->formula);
    enum status status = sections_print(sections, n, stdout, err);
    if (status != STATUS_OK)
        return status;
    printf("\nno data tell:\n");
    for (const char *const *line = quality_untold; *line != NULL; line++)
        printf("  %s\n", *line);
    return STATUS_OK;
}

enum status quality_show_part(const struct args *args, struct text *notes, struct err *err)
{
    enum { N_SECTIONS = 3 };
    struct quality_law *law = NULL;
    struct section sections[N_SECTIONS] = {
        {.key = "recipes"}, {.key = "coefficients"}, {.key = "terms"}};
    (void)notes;
    enum status status = open_law(args, &law, NULL, NULL, err);
    if (status != STATUS_OK)
        goto out;
    list_quality_recipes(&sections[0].listing, law);
    list_quality_coefficients(&sections[1].listing, law);
    list_quality_prior(&sections[1].listing, law);
    list_quality_terms(&sections[2].listing, law);
    status = args_flag(args, "json") ? show_json(law, sections, N_SECTIONS, err)
                                     : show(law, sections, N_SECTIONS, err);
out:
    sections_release(sections, N_SECTIONS);
    memory_free(law);
    return status;
}
