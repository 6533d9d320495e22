#include "paper/claim.h"

#include <math.h>

#include "base/memory.h"

enum status claims_add(struct claims *claims, const char *section, const char *unit,
                       struct claim **out, struct err *err)
{
    *out = NULL;
    enum status status = memory_grow((void **)&claims->items, &claims->capacity, claims->n + 1,
                                     sizeof *claims->items, err);
    if (status != STATUS_OK)
        return status;
    *out = &claims->items[claims->n++];
    **out = (struct claim){.section = section,
                           .unit = unit,
                           .paper = NAN,
                           .closed_form = NAN,
                           .simulator = NAN,
                           .measured = NAN};
    return STATUS_OK;
}

void claims_release(struct claims *claims)
{
    memory_free(claims->items);
    *claims = (struct claims){0};
}
