/* A priced network as a record: what `predict` and `simulate` print, and the store keeps. */
#ifndef LATHE_CLI_PREDICTED_ROW_H
#define LATHE_CLI_PREDICTED_ROW_H

#include "contract/prediction_fields.h"
#include "costmodel/price.h"

/* Texts are borrowed from `net` and `machine`. The clock, the ids and the loss are
 * unknown. */
void predicted_row_make(const struct transformer *net, const struct machine *machine,
                        const struct workload *workload, const struct price *price,
                        struct prediction_row *out);

#endif
