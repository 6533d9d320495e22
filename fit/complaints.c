#include "fit/complaints.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* Past what is quoted or a figure, so that these do not tell two texts apart. The quote of "file's"
 * opens nothing. */
static const char *next_of_kind(const char *text, const char *at)
{
    for (;;) {
        const char *close = NULL;
        if (*at == '\'' && (at == text || strchr(" (", at[-1]) != NULL))
            close = strchr(at + 1, '\'');
        if (close != NULL)
            at = close + 1;
        else if (isdigit((unsigned char)*at))
            at += strspn(at, "0123456789.");
        else
            return at;
    }
}

static bool same_kind(const char *a, const char *b)
{
    const char *at_a = next_of_kind(a, a), *at_b = next_of_kind(b, b);
    while (*at_a != '\0' && *at_a == *at_b) {
        at_a = next_of_kind(a, at_a + 1);
        at_b = next_of_kind(b, at_b + 1);
    }
    return *at_a == *at_b;
}

enum status complaints_add(struct complaints *complaints, int at, const char *text, struct err *err)
{
    for (size_t i = 0; i < complaints->n; i++)
        if (same_kind(complaints->items[i].text, text)) {
            complaints->items[i].n++;
            return STATUS_OK;
        }
    enum status status = memory_grow((void **)&complaints->items, &complaints->capacity,
                                     complaints->n + 1, sizeof *complaints->items, err);
    if (status != STATUS_OK)
        return status;
    struct complaint *new = &complaints->items[complaints->n++];
    *new = (struct complaint){.first = at, .n = 1};
    snprintf(new->text, sizeof new->text, "%s", text);
    return STATUS_OK;
}

void complaints_print(const struct complaints *complaints, const char *path, const char *unit,
                      struct text *notes)
{
    for (size_t i = 0; i < complaints->n; i++) {
        const struct complaint *c = &complaints->items[i];
        text_addf(notes, "%s: %s %d", path, unit, c->first);
        if (c->n > 1)
            text_addf(notes, " and %d more", c->n - 1);
        text_addf(notes, ": %s\n", c->text);
    }
}

void complaints_release(struct complaints *complaints)
{
    memory_free(complaints->items);
    *complaints = (struct complaints){0};
}
