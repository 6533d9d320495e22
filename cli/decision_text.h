/* What helps to decide on a front, in words, and as JSON. */
#ifndef LATHE_CLI_DECISION_TEXT_H
#define LATHE_CLI_DECISION_TEXT_H

#include "base/json.h"
#include "base/text.h"
#include "cli/decision.h"

/* Why the first and not the second: "against 1:456: half the KV heads, 30 layers for 12: 6.1 % faster, loss
 * 0.004 nats higher". The dimensions are the two that search/contrast.h has first. */
void decision_why(const struct objectives *objectives, const struct candidate *candidate,
                  const struct candidate *other, struct text *out);

/* Lines of at most 80 columns. */
void decision_words(const struct decision *decision, struct text *out);
/* The whole; print_json takes it. */
struct json_node *decision_json(const struct decision *decision);

#endif
