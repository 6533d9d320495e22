#include "search/network_name.h"

#include <inttypes.h>
#include <stdio.h>

/* "30x2m", "30b" where each block has its own repeats, and "f" where one FFN serves all. */
static void name_schedule(const struct schedule *schedule, char *buffer, size_t size)
{
    char repeats[24] = "";
    if (schedule->sharing == SHARING_BY_BLOCK)
        snprintf(repeats, sizeof repeats, "%c", sharing_letter(schedule->sharing));
    else if (schedule->sharing != SHARING_NONE)
        snprintf(repeats, sizeof repeats, "x%" PRId64 "%c", schedule->repeats,
                 sharing_letter(schedule->sharing));
    snprintf(buffer, size, "%" PRId64 "%s%s", schedule->n_layers, repeats,
             schedule->share_ffn ? "f" : "");
}

/* "h9x64-kv3-f1536", "h9x64-kv3-w256-f1536", "f1536" without attention; where layers differ the number of classes and a hash of their sequence. */
static void name_stack(const struct stack *stack, int64_t n_layers, char *buffer, size_t size)
{
    const struct block *block = &stack->first;
    if (!stack_is_uniform(stack))
        snprintf(buffer, size, "c%d-%016" PRIx64, stack_n_classes(stack),
                 stack_hash(stack, n_layers));
    else if (block->mixer == MIXER_NONE)
        snprintf(buffer, size, "f%" PRId64, block->d_ff);
    else if (block->window > 0)
        snprintf(buffer, size, "h%" PRId64 "x%" PRId64 "-kv%" PRId64 "-w%" PRId64 "-f%" PRId64,
                 block->n_heads, block->d_head, block->n_kv_heads, block->window, block->d_ff);
    else
        snprintf(buffer, size, "h%" PRId64 "x%" PRId64 "-kv%" PRId64 "-f%" PRId64, block->n_heads,
                 block->d_head, block->n_kv_heads, block->d_ff);
}

void name_network(struct transformer *net)
{
    char schedule[48], stack[96];
    name_schedule(&net->schedule, schedule, sizeof schedule);
    name_stack(&net->stack, net->schedule.n_layers, stack, sizeof stack);
    snprintf(net->name, sizeof net->name, "d%" PRId64 "-l%.24s-%.40s-v%" PRId64 "%s", net->d_model,
             schedule, stack, net->vocab_size, net->tie_embeddings ? "" : "-untied");
}
