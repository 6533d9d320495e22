#include "model/stack_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

void block_write(struct json_node *object, const struct block *block)
{
    json_add_string(object, "mixer", mixer_traits(block->mixer)->name);
    if (block->mixer == MIXER_ATTENTION) {
        json_add_int(object, "n_heads", block->n_heads);
        json_add_int(object, "n_kv_heads", block->n_kv_heads);
        json_add_int(object, "d_head", block->d_head);
        json_add_int(object, "window", block->window);
        if (block->is_unturned)
            json_add_bool(object, "rope", false);
    }
    json_add_int(object, "d_ff", block->d_ff);
    if (block->reruns > 0)
        json_add_int(object, "repeats", 1 + block->reruns);
    if (block->n_experts > 0) {
        json_add_int(object, "n_experts", block->n_experts);
        json_add_int(object, "n_experts_used", block->n_experts_used);
        json_add_int(object, "d_shared", block->d_shared);
    }
}

enum status block_read(const struct json *at, struct block *out, struct err *err)
{
    const char *mixer = NULL;
    char known[128];
    bool is_turned = true;
    int64_t repeats = 1;
    enum status status = STATUS_OK;
    if ((status =
             json_get_string_or(at, "mixer", mixer_traits(MIXER_ATTENTION)->name, &mixer, err)) ||
        (status = json_get_int_or(at, "n_heads", 0, 1 << 14, 0, &out->n_heads, err)) ||
        (status = json_get_int_or(at, "n_kv_heads", 0, 1 << 14, 0, &out->n_kv_heads, err)) ||
        (status = json_get_int_or(at, "d_head", 0, 1 << 14, 0, &out->d_head, err)) ||
        (status = json_get_int_or(at, "window", 0, INT32_MAX, 0, &out->window, err)) ||
        (status = json_get_bool_or(at, "rope", true, &is_turned, err)) ||
        (status = json_get_int(at, "d_ff", 1, 1 << 24, &out->d_ff, err)) ||
        (status = json_get_int_or(at, "repeats", 1, 1 + MAX_RERUNS, 1, &repeats, err)) ||
        (status = json_get_int_or(at, "n_experts", 0, MOST_EXPERTS, 0, &out->n_experts, err)) ||
        (status = json_get_int_or(at, "n_experts_used", 0, MOST_EXPERTS, 0, &out->n_experts_used,
                                  err)) ||
        (status = json_get_int_or(at, "d_shared", 0, 1 << 24, 0, &out->d_shared, err)))
        return status;
    out->is_unturned = !is_turned;
    out->reruns = repeats - 1;
    if (mixer_parse(mixer, &out->mixer))
        return STATUS_OK;
    return json_error(at, err, "a mixer '%s' is not known (known: %s)", mixer, mixer_names(known));
}

char *stack_print(const struct stack *stack, int64_t n_layers)
{
    struct json_node *runs = json_new_array();
    for (int64_t i = 0, n = 0; i < n_layers; i += n) {
        struct json_node *run = json_add_object(runs, NULL);
        n = stack_run(stack, n_layers, i);
        json_add_int(run, "n", n);
        block_write(run, stack_block(stack, i));
    }
    char *text = json_print_compact(runs);
    json_free(runs);
    return text;
}

static enum status read_run(const struct json *at, int64_t left, struct block *blocks,
                            int64_t *count, struct err *err)
{
    static const char *const known[] = {
        "n",    "mixer",     "n_heads",        "n_kv_heads", "d_head",  "window", "rope",
        "d_ff", "n_experts", "n_experts_used", "d_shared",   "repeats", NULL};
    struct block block;
    enum status status = STATUS_OK;
    if ((status = json_only_keys(at, known, err)) ||
        (status = json_get_int(at, "n", 1, INT32_MAX, count, err)) ||
        (status = block_read(at, &block, err)))
        return status;
    if (*count > left)
        return json_error(at, err, "%" PRId64 " blocks where %" PRId64 " are left", *count, left);
    for (int64_t i = 0; i < *count; i++)
        blocks[i] = block;
    return STATUS_OK;
}

static enum status read_runs(const struct json *runs, int64_t n_layers, struct block *blocks,
                             struct err *err)
{
    int64_t at = 0, count = 0;
    if (!json_is_array(runs))
        return json_error(runs, err, "expected an array of runs");
    for (struct json run = json_first(runs); run.item; run = json_next(&run), at += count) {
        enum status status = read_run(&run, n_layers - at, blocks + at, &count, err);
        if (status != STATUS_OK)
            return status;
    }
    if (at != n_layers)
        return json_error(runs, err, "%" PRId64 " blocks, expected %" PRId64, at, n_layers);
    return STATUS_OK;
}

enum status stack_parse(const char *name, const char *text, int64_t n_layers, struct stack *out,
                        struct err *err)
{
    struct json_doc *doc = NULL;
    struct json runs;
    enum status status = json_parse(name, text, (int64_t)strlen(text), &doc, &runs, err);
    if (status != STATUS_OK)
        return status;
    struct block *blocks = memory_new((size_t)n_layers, sizeof *blocks);
    *out = (struct stack){0};
    if (blocks == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " blocks", n_layers);
    else
        status = read_runs(&runs, n_layers, blocks, err);
    if (status == STATUS_OK)
        status = stack_set(out, blocks, n_layers, err);
    memory_free(blocks);
    json_close(doc);
    return status;
}
