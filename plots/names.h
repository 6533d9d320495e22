/* Private to page.c: the names and values written into a panel's plot. */
#ifndef LATHE_PLOTS_NAMES_H
#define LATHE_PLOTS_NAMES_H

#include "base/status.h"
#include "plots/sheet.h"

/* Does the note stand beside the plot, to the right of it? */
bool names_is_beside(const struct panel *panel, const struct note *note);

/* Writes all notes of the panel's figure. Errors: STATUS_NOMEM. */
enum status names_add(struct sheet *sheet, const struct panel *panel, struct err *err);

#endif
