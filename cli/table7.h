/* The paper's Table 7 beside what was measured. */
#ifndef LATHE_CLI_TABLE7_H
#define LATHE_CLI_TABLE7_H

#include "cli/measured_rows.h"

/* The models that Table 7 has, by parameters and executed layers: load, init and execution as
 * published and as here (one decoded token), and execution relative to the first of them. Errors:
 * STATUS_NOT_FOUND (no data folder), STATUS_INPUT, STATUS_NOMEM. */
enum status table7_print(const struct measured_rows *rows, FILE *stream, struct err *err);

#endif
