#include <stdio.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "kernels/cpu.h"
#include "model/model_arg.h"
#include "runtime/generate.h"
#include "runtime/runner.h"

struct text_of_tokens {
    int32_t *tokens;
    int64_t n;
};

static enum status read_prompt(const struct args *args, struct text_of_tokens *prompt,
                               struct err *err)
{
    int64_t n = args_count(args, "tokens");
    if (n == 0)
        return err_set(err, STATUS_USAGE, "'generate' needs --tokens, like 1,2,3");
    prompt->tokens = memory_new((size_t)n, sizeof *prompt->tokens);
    if (prompt->tokens == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (; prompt->n < n; prompt->n++) {
        const char *text = args_nth(args, "tokens", (int)prompt->n);
        int used = 0;
        if (sscanf(text, "%9d%n", &prompt->tokens[prompt->n], &used) != 1 || text[used] != '\0')
            return err_set(err, STATUS_USAGE, "--tokens '%s': expected the number of a token",
                           text);
    }
    return STATUS_OK;
}

static enum status print(const struct args *args, const struct transformer *net,
                         const struct generated *made, int64_t n, struct err *err)
{
    if (args_flag(args, "json")) {
        struct json_node *root = json_new_object();
        json_add_string(root, "model", net->name);
        struct json_node *tokens = json_add_array(root, "tokens");
        struct json_node *margins = json_add_array(root, "margins");
        for (int64_t i = 0; i < n; i++) {
            json_add_int(tokens, NULL, made[i].token);
            json_add_number(margins, NULL, (double)made[i].margin);
        }
        return print_json(root, stdout, err);
    }
    for (int64_t i = 0; i < n; i++)
        printf("%s%d", i > 0 ? " " : "", made[i].token);
    printf("\n");
    return STATUS_OK;
}

static enum status generate(const struct args *args, const struct transformer *net,
                            const struct weights *weights, struct err *err)
{
    struct text_of_tokens prompt = {0};
    struct runner *runner = NULL;
    struct generated *made = NULL;
    int64_t n = args_int(args, "count", 0), done = 0;
    enum status status = read_prompt(args, &prompt, err);
    if (status != STATUS_OK)
        goto out;
    struct runner_options options = {.n_threads = (int)args_int(args, "threads", 1),
                                     .max_context = prompt.n + n};
    if ((status = cpu_isa(args_text(args, "isa"), &options.isa, err)) ||
        (status = runner_create(net, weights, &options, &runner, err)))
        goto out;
    made = memory_new((size_t)n, sizeof *made);
    if (made == NULL) {
        status = err_set(err, STATUS_NOMEM, "out of memory");
        goto out;
    }
    status =
        generate_greedy(runner, prompt.tokens, prompt.n, n, made, &done, interrupt_flag(), err);
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        enum status printed = print(args, net, made, done, err);
        status = status == STATUS_OK ? printed : status;
    }
out:
    memory_free(made);
    runner_free(runner);
    memory_free(prompt.tokens);
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    const char *model = args_operand(args, 0);
    struct transformer net;
    struct weights weights = {0};
    enum status status = open_model(args, model, &net, err);
    if (status != STATUS_OK)
        return status;
    status = model_arg_is_gguf(model)
                 ? weights_open_gguf(model, &net, &weights, err)
                 : weights_random(&net, (uint64_t)args_int(args, "seed", 1), 1, &weights, err);
    if (status == STATUS_OK)
        status = generate(args, &net, &weights, err);
    weights_release(&weights);
    transformer_release(&net);
    return status;
}

static const struct option options[] = {
    ROW(OPTION_LIST, "tokens", "T[,T2]", NULL, NULL, "the prompt, as numbers of tokens"),
    ROW_RANGE(OPTION_COUNT, "count", "N", "32", 1, 1 << 24, "tokens to generate"),
    ROW_RANGE(OPTION_INT, "threads", "N", "1", 1, 1024, "threads"),
    ROW_RANGE(OPTION_COUNT, "seed", "N", "1", 0, INT64_MAX,
              "of the random weights that a model without weights gets"),
    ROW(OPTION_CHOICE, "isa", "SET", NULL, "best portable avx2 avx512 neon",
        "use only kernels of this instruction set and those below it"),
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe generate tiny.gguf --tokens 1,15043,3186 --count 16",
     "sixteen tokens, each the likeliest"},
    {"lathe generate tiny.gguf --tokens 1,2 --json", "how sure, as well"},
    {NULL, NULL},
};

const struct command cmd_generate = {
    .name = "generate",
    .summary = "run a network here and print the likeliest next tokens",
    .operands = "MODEL",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .examples = examples,
    .about =
        "Greedy, with the weights of a GGUF file or random ones. Tokens are numbers: text is the "
        "business of a tokeniser. Meant for holding this runtime against another on the same file; "
        "'margins' in the JSON is by how much each token's logit beat the next best.",
    .run = run,
};
