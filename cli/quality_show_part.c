#include <stdio.h>

#include "base/memory.h"
#include "cli/quality_listing.h"
#include "cli/quality_parts.h"

static void head_json(struct json_node *root, const struct quality_law *law)
{
    json_add_int(root, "rows", law->rows);
    json_add_number(root, "held_out_error_frac", law->held_out_error_frac);
    json_add_number(root, "held_out_cover_frac", law->held_out_cover_frac);
    struct json_node *untold = json_add_array(root, "untold");
    for (const char *const *line = quality_untold; *line != NULL; line++)
        json_add_string(untold, NULL, *line);
}

static void print_head(const struct quality_law *law)
{
    printf("%s, of %d losses; rows kept back: error %.2f %%, %.0f %% in the 90 %% interval\n"
           "%s\n\n",
           law->name, law->rows, 100 * law->held_out_error_frac, 100 * law->held_out_cover_frac,
           law->form->formula);
}

static void print_untold(void)
{
    printf("\nno data tell:\n");
    for (const char *const *line = quality_untold; *line != NULL; line++)
        printf("  %s\n", *line);
}

enum status quality_show_part(const struct args *args, struct text *notes, struct err *err)
{
    struct quality_law *law = NULL;
    struct quality_section sections[] = {
        {.key = "recipes"}, {.key = "coefficients"}, {.key = "terms"}};
    const bool people = !args_flag(args, "json");
    (void)notes;
    enum status status = quality_open_law(args, &law, NULL, err);
    if (status != STATUS_OK)
        goto out;
    struct json_node *root = quality_json_root(args, law);
    if (people)
        print_head(law);
    else
        head_json(root, law);
    list_quality_recipes(&sections[0].listing, law);
    list_quality_coefficients(&sections[1].listing, law);
    list_quality_terms(&sections[2].listing, law);
    status = quality_print_sections(sections, 3, root, stdout, err);
    if (people && status == STATUS_OK)
        print_untold();
out:
    memory_free(law);
    return status;
}
