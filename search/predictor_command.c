#include "search/predictor_command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/stack_json.h"

enum status predictor_command_start(const char *command, double timeout_s,
                                    struct predictor_command *out, struct err *err)
{
    *out = (struct predictor_command){.command = command, .timeout_s = timeout_s};
    return line_process_start(command, &out->process, err);
}

void predictor_command_end(struct predictor_command *predictor)
{
    line_process_end(predictor->process);
    predictor->process = NULL;
}

static void add_frame(struct json_node *line, const struct transformer *net)
{
    json_add_int(line, "n_layers", net->schedule.n_layers);
    json_add_string(line, "sharing", sharing_name(net->schedule.sharing));
    if (net->schedule.sharing == SHARING_BY_BLOCK) /* `layers` has them */
        json_add_null(line, "repeats");
    else
        json_add_int(line, "repeats", net->schedule.repeats);
    json_add_bool(line, "share_ffn", net->schedule.share_ffn);
    json_add_int(line, "d_model", net->d_model);
    json_add_int(line, "vocab_size", net->vocab_size);
    json_add_bool(line, "tie_embeddings", net->tie_embeddings);
    json_add_string(line, "ffn_kind", ffn_kind_name(net->ffn));
    json_add_string(line, "dtype", dtype_name(net->block_dtype));
    json_add_string(line, "kv_dtype", dtype_name(net->kv_dtype));
}

static enum status add_layers(struct json_node *line, const struct transformer *net,
                              struct err *err)
{
    struct json_doc *doc;
    struct json root;
    char *layers = stack_print(&net->stack, net->schedule.n_layers);
    if (!layers)
        return err_set(err, STATUS_NOMEM, "out of memory for a stack");
    enum status status = json_parse("layers", layers, (int64_t)strlen(layers), &doc, &root, err);
    if (!status) {
        json_add_copy(line, "layers", &root);
        json_close(doc);
    }
    memory_free(layers);
    return status;
}

/* One line. */
static enum status add_stack(const struct stack_problem *problem, const int *class_of_place,
                             struct text *out, struct err *err)
{
    struct transformer net;
    enum status status = stack_network(problem, class_of_place, &net, err);
    if (status)
        return status;
    struct json_node *line = json_new_object();
    add_frame(line, &net);
    status = add_layers(line, &net, err);
    char *text = json_print_compact(line);
    if (text) {
        text_add(out, text);
        text_add(out, "\n");
    }
    if (!status && (!text || out->failed))
        status = err_set(err, STATUS_NOMEM, "out of memory for a stack");
    memory_free(text);
    json_free(line);
    transformer_release(&net);
    return status;
}

/* The lines of `answers` as numbers; they are cut apart. */
static enum status read_answers(const struct predictor_command *predictor, char *answers, size_t n,
                                double *score, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        char *line_end = strchr(answers, '\n'), *end;
        *line_end = '\0';
        score[i] = strtod(answers, &end);
        if (end == answers || end[strspn(end, " \t\r")] != '\0' || !isfinite(score[i]))
            return err_set(err, STATUS_INPUT, "answer %zu: expected a finite number, got '%.100s'",
                           predictor->answered + i + 1, answers);
        answers = line_end + 1;
    }
    return STATUS_OK;
}

enum status predictor_command_score(void *user, const struct stack_problem *problem,
                                    const int *class_of_place, size_t n, double *score,
                                    struct err *err)
{
    struct predictor_command *predictor = user;
    struct text lines = {0}, answers = {0};
    size_t width = (size_t)problem->frame->schedule.n_layers;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && !status; i++)
        status = add_stack(problem, class_of_place + i * width, &lines, err);
    if (!status && n > 0) {
        status = line_process_ask(predictor->process, lines.data, n, predictor->timeout_s,
                                  problem->stop, &answers, err);
        if (!status)
            status = read_answers(predictor, answers.data, n, score, err);
        if (status && status != STATUS_INTERRUPTED)
            err_prefix(err, status, "predictor '%.200s': ", predictor->command);
    }
    predictor->answered += n;
    text_release(&lines);
    text_release(&answers);
    return status;
}
