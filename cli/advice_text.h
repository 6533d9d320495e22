/* Advice in words, and as JSON. */
#ifndef LATHE_CLI_ADVICE_TEXT_H
#define LATHE_CLI_ADVICE_TEXT_H

#include "base/json.h"
#include "base/text.h"
#include "search/advised.h"

enum { ADVICE_LABEL = 9 }; /* columns before the words of a line */

/* Five lines on one device: what to train, its cost, the runner-up, how sure, what would settle it. */
void advice_words(const struct advise_question *question, int device, const struct advised *advised,
                  struct text *out);
/* What suits all devices, and what it loses on each. */
void compromise_words(const struct advise_question *question, const struct advised *on,
                      const struct advised_all *all, struct text *out);

/* The whole answer; on: [n_devices]. print_json takes it. */
struct json_node *advice_json(const struct advise_question *question, const struct advised *on,
                              const struct advised_all *all);

#endif
