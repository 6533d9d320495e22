/* A user's program as a predictor (search/judged_stacks.h).
 *
 * For each stack it reads one line of JSON: the keys of a candidate that say what it is (`lathe show
 * --json`), with `layers` as runs of equal blocks. It answers a line with a number: the score, the more the
 * better. */
#ifndef LATHE_SEARCH_PREDICTOR_COMMAND_H
#define LATHE_SEARCH_PREDICTOR_COMMAND_H

#include "base/line_process.h"
#include "base/status.h"
#include "search/judged_stacks.h"

struct predictor_command {
    const char *command; /* borrowed */
    double timeout_s;    /* of one answer */
    struct line_process *process;
    size_t answered;
};
/* Errors: those of line_process_start. */
enum status predictor_command_start(const char *command, double timeout_s,
                                    struct predictor_command *out, struct err *err);
void predictor_command_end(struct predictor_command *predictor);

/* user: struct predictor_command. Errors, with the command: those of line_process_ask, STATUS_INPUT (an
 * answer that is no finite number). */
stack_score_callback predictor_command_score;

#endif
