/* Private to the quality verb: its parts, and what they share. */
#ifndef LATHE_CLI_QUALITY_PARTS_H
#define LATHE_CLI_QUALITY_PARTS_H

#include "base/json.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/law_source.h"
#include "cli/sections.h"

/* The parts: `lathe quality fit` and so on. `notes`: lines to warn of at the end. */
enum status quality_fit_part(const struct args *args, struct text *notes, struct err *err);
enum status quality_validate_part(const struct args *args, struct text *notes, struct err *err);
enum status quality_show_part(const struct args *args, struct text *notes, struct err *err);
enum status quality_probe_part(const struct args *args, struct text *notes, struct err *err);
enum status quality_cost_part(const struct args *args, struct text *notes, struct err *err);

enum { QUALITY_PATH = 4096 };

/* The folder of --data, else the one that came along. */
enum status quality_data_folder(const struct args *args, char path[QUALITY_PATH], struct err *err);

/* The runs of the operands behind the part's name. Errors: those of quality_runs_read. */
enum status quality_read_operands(const struct args *args, enum quality_purpose purpose,
                                  const struct quality_law *law, struct quality_runs *runs,
                                  struct text *notes, struct err *err);

/* What every part's JSON begins with: the law that spoke. */
struct json_node *quality_json_root(const struct quality_law *law);
/* The sections as --json or its absence has it. */
enum status quality_print(const struct args *args, const struct quality_law *law,
                          const struct section *sections, int n, FILE *stream, struct err *err);

#endif
