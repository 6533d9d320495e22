#include "model/hf_layers.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "model/stack_json.h"

/* Takes `blocks`. */
static enum status set_blocks(struct transformer *net, struct block *blocks, struct err *err)
{
    enum status status = stack_set(&net->stack, blocks, net->schedule.n_layers, err);
    memory_free(blocks);
    return status;
}

static enum status new_blocks(const struct transformer *net, struct block **out, struct err *err)
{
    size_t n = (size_t)net->schedule.n_layers;
    *out = memory_new(n, sizeof **out);
    return *out ? STATUS_OK : err_set(err, STATUS_NOMEM, "out of memory for %zu blocks", n);
}

/* Windows */

/* `local` names the layers with a window, `global` those without. */
static enum status apply_names(const struct json *names, const char *local, const char *global,
                               int64_t window, struct block *blocks, int64_t n, struct err *err)
{
    if (!json_is_array(names) || json_length(names) != n)
        return json_error(names, err,
                          "expected an array with one name for each of %" PRId64 " layers", n);
    int64_t i = 0;
    for (struct json at = json_first(names); at.item; at = json_next(&at), i++) {
        const char *name = NULL;
        enum status status = json_string(&at, &name, err);
        if (status != STATUS_OK)
            return status;
        if (strcmp(name, local) != 0 && strcmp(name, global) != 0)
            return json_error(&at, err, "a layer of type '%s' is not known (known: %s, %s)", name,
                              local, global);
        blocks[i].window = strcmp(name, local) == 0 ? window : 0;
    }
    return STATUS_OK;
}

/* attention_types: [[["global", "local"], 6]] is that pair six times. */
static enum status apply_neo_types(const struct json *types, int64_t window, struct block *blocks,
                                   int64_t n, struct err *err)
{
    int64_t i = 0;
    for (struct json group = json_first(types); group.item; group = json_next(&group)) {
        struct json names = json_element(&group, 0), count = json_element(&group, 1);
        int64_t repeats = 0, each = json_length(&names);
        enum status status = json_int(&count, 0, 1 << 16, &repeats, err);
        if (status != STATUS_OK)
            return status;
        if (each == 0 || repeats * each > n - i)
            return json_error(&group, err, "does not fit %" PRId64 " layers", n);
        for (int64_t r = 0; r < repeats; r++, i += each) {
            status = apply_names(&names, "local", "global", window, blocks + i, each, err);
            if (status != STATUS_OK)
                return status;
        }
    }
    if (i != n)
        return json_error(types, err, "names %" PRId64 " of %" PRId64 " layers", i, n);
    return STATUS_OK;
}

static enum status apply_neo(struct hf_reader *reader, int64_t window, struct block *blocks,
                             int64_t n, struct err *err)
{
    struct json layers = hf_find(reader, "attention_layers");
    struct json types = hf_find(reader, "attention_types");
    if (!json_is_null(&layers))
        return apply_names(&layers, "local", "global", window, blocks, n, err);
    if (!json_is_null(&types))
        return apply_neo_types(&types, window, blocks, n, err);
    for (int64_t i = 0; i < n; i++)
        blocks[i].window = i % 2 == 1 ? window : 0;
    return STATUS_OK;
}

/* A number, or letters: "LLLG" is three layers with a window and one without (EXAONE 4). */
static enum status read_period(struct hf_reader *reader, const struct hf_family *family,
                               int64_t *period, struct err *err)
{
    static const char keys[] = "sliding_window_pattern _sliding_window_pattern";
    struct json at = hf_find(reader, keys);
    const char *letters = NULL;
    if (json_is_null(&at) || json_string(&at, &letters, NULL) != STATUS_OK)
        return hf_int(reader, keys, 1, 1 << 16, family->window_period, period, err);
    size_t n = strlen(letters);
    if (n == 0 || strspn(letters, "L") != n - 1 || letters[n - 1] != 'G')
        return json_error(&at, err,
                          "'%s' is no pattern: expected L for layers with a window and one G, for "
                          "all that came before, at the end",
                          letters);
    *period = (int64_t)n;
    return STATUS_OK;
}

static enum status apply_rule(struct hf_reader *reader, const struct hf_family *family,
                              int64_t window, struct block *blocks, int64_t n, struct err *err)
{
    bool use = false;
    int64_t first = 0, period = 0;
    enum status status = STATUS_OK;
    switch (family->window) {
    case HF_WINDOW_QWEN:
        if ((status = hf_bool(reader, "use_sliding_window", false, &use, err)) ||
            (status = hf_int(reader, "max_window_layers", 0, INT32_MAX, 28, &first, err)))
            return status;
        for (int64_t i = 0; i < n; i++)
            blocks[i].window = use && i >= first ? window : 0;
        return STATUS_OK;
    case HF_WINDOW_PERIOD:
        status = read_period(reader, family, &period, err);
        if (status != STATUS_OK)
            return status;
        for (int64_t i = 0; i < n; i++) {
            bool sees_all = family->window_phase == 0 ? i % period == 0 : (i + 1) % period == 0;
            blocks[i].window = sees_all ? 0 : window;
        }
        return STATUS_OK;
    default:
        for (int64_t i = 0; i < n; i++)
            blocks[i].window = window;
        return STATUS_OK;
    }
}

enum status hf_read_windows(struct hf_reader *reader, const struct hf_family *family,
                            struct transformer *net, struct err *err)
{
    if (family->window == HF_WINDOW_NONE)
        return STATUS_OK;
    bool neo = family->window == HF_WINDOW_NEO;
    int64_t n = net->schedule.n_layers, window = 0;
    struct block *blocks = NULL;
    struct json width = hf_find(reader, neo ? "window_size" : "sliding_window");
    struct json types = hf_find(reader, "layer_types");
    enum status status = STATUS_OK;
    if (!width.item)
        window = family->window_absent;
    else if (!json_is_null(&width) && (status = json_int(&width, 0, INT32_MAX, &window, err)))
        return status;
    if ((status = new_blocks(net, &blocks, err)))
        return status;
    for (int64_t i = 0; i < n; i++)
        blocks[i] = *transformer_block(net, i);
    if (neo)
        status = apply_neo(reader, window, blocks, n, err);
    else
        status = apply_rule(reader, family, window, blocks, n, err);
    if (status == STATUS_OK && !neo && !json_is_null(&types))
        status = apply_names(&types, "sliding_attention", "full_attention", window, blocks, n, err);
    if (status == STATUS_OK)
        return set_blocks(net, blocks, err);
    memory_free(blocks);
    return status;
}

/* The first window there is: a family has one width for all its layers. */
static int64_t common_window(const struct transformer *net)
{
    for (int c = 0; c < stack_n_classes(&net->stack); c++) {
        if (stack_class(&net->stack, c)->window > 0)
            return stack_class(&net->stack, c)->window;
    }
    return 0;
}

static void add_layer_names(struct json_node *names, const struct transformer *net,
                            const char *local, const char *global)
{
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        json_add_string(names, NULL, transformer_block(net, i)->window > 0 ? local : global);
}

static void write_neo(struct json_node *out, const struct transformer *net)
{
    add_layer_names(json_add_array(out, "attention_layers"), net, "local", "global");
    struct json_node *group = json_add_array(json_add_array(out, "attention_types"), NULL);
    add_layer_names(json_add_array(group, NULL), net, "local", "global");
    json_add_int(group, NULL, 1);
}

void hf_write_windows(struct json_node *out, const struct hf_family *family,
                      const struct transformer *net)
{
    int64_t window = common_window(net);
    switch (family->window) {
    case HF_WINDOW_NONE:
        return;
    case HF_WINDOW_NEO:
        json_add_int(out, "window_size", window > 0 ? window : family->window_absent);
        write_neo(out, net);
        return;
    case HF_WINDOW_QWEN: {
        int64_t first = 0;
        while (first < net->schedule.n_layers && transformer_block(net, first)->window == 0)
            first++;
        json_add_bool(out, "use_sliding_window", window > 0);
        json_add_int(out, "max_window_layers", first);
        break;
    }
    default:
        break;
    }
    if (window > 0)
        json_add_int(out, "sliding_window", window);
    else
        json_add_null(out, "sliding_window");
    if (family->window == HF_WINDOW_PERIOD || (family->window == HF_WINDOW_QWEN && window > 0))
        add_layer_names(json_add_array(out, "layer_types"), net, "sliding_attention",
                        "full_attention");
}

/* Rotary positions */

/* no_rope_layers: 1 is with, 0 without, one a layer. */
static enum status apply_list(const struct json *list, struct block *blocks, int64_t n,
                              struct err *err)
{
    if (!json_is_array(list) || json_length(list) != n)
        return json_error(list, err, "expected an array with 0 or 1 for each of %" PRId64 " layers",
                          n);
    int64_t i = 0, is_turned = 0;
    for (struct json at = json_first(list); at.item; at = json_next(&at)) {
        enum status status = json_int(&at, 0, 1, &is_turned, err);
        if (status != STATUS_OK)
            return status;
        blocks[i++].is_unturned = is_turned == 0;
    }
    return STATUS_OK;
}

static enum status apply_listed(struct hf_reader *reader, int64_t interval, struct block *blocks,
                                int64_t n, struct err *err)
{
    struct json list = hf_find(reader, "no_rope_layers");
    enum status status =
        hf_int(reader, "no_rope_layer_interval", 0, 1 << 16, interval, &interval, err);
    if (status != STATUS_OK)
        return status;
    if (!json_is_null(&list) && json_length(&list) != 0)
        return apply_list(&list, blocks, n, err);
    for (int64_t i = 0; i < n; i++)
        blocks[i].is_unturned = interval > 0 && (i + 1) % interval == 0;
    return STATUS_OK;
}

static void apply_windowed(struct block *blocks, int64_t n)
{
    bool some = false;
    for (int64_t i = 0; i < n; i++)
        some = some || blocks[i].window > 0;
    for (int64_t i = 0; i < n; i++)
        blocks[i].is_unturned = some && blocks[i].window == 0;
}

enum status hf_read_turns(struct hf_reader *reader, const struct hf_family *family,
                          struct transformer *net, struct err *err)
{
    int64_t n = net->schedule.n_layers;
    struct block *blocks = NULL;
    enum status status = STATUS_OK;
    if (family->turn == HF_TURN_ALL)
        return STATUS_OK;
    if ((status = new_blocks(net, &blocks, err)))
        return status;
    for (int64_t i = 0; i < n; i++)
        blocks[i] = *transformer_block(net, i);
    if (family->turn == HF_TURN_LISTED)
        status = apply_listed(reader, family->turn_interval, blocks, n, err);
    else
        apply_windowed(blocks, n);
    if (status == STATUS_OK)
        return set_blocks(net, blocks, err);
    memory_free(blocks);
    return status;
}

void hf_write_turns(struct json_node *out, const struct hf_family *family,
                    const struct transformer *net)
{
    if (family->turn != HF_TURN_LISTED)
        return;
    struct json_node *list = json_add_array(out, "no_rope_layers");
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        json_add_int(list, NULL, !transformer_block(net, i)->is_unturned);
}

/* lathe's own keys */

static enum status read_blocks(const struct json *array, struct transformer *net, struct err *err)
{
    if (!json_is_array(array) || json_length(array) != net->schedule.n_layers)
        return json_error(array, err, "expected an array of %" PRId64 " blocks",
                          net->schedule.n_layers);
    struct block *blocks = NULL;
    enum status status = new_blocks(net, &blocks, err);
    int64_t i = 0;
    for (struct json at = json_first(array); at.item && status == STATUS_OK; at = json_next(&at))
        status = block_read(&at, &blocks[i++], err);
    if (status == STATUS_OK)
        return set_blocks(net, blocks, err);
    memory_free(blocks);
    return status;
}

enum status hf_read_extensions(struct hf_reader *reader, struct transformer *net, struct err *err)
{
    struct schedule *schedule = &net->schedule;
    const char *sharing = NULL;
    enum status status = STATUS_OK;
    if ((status =
             hf_string(reader, "lathe_sharing", sharing_name(schedule->sharing), &sharing, err)) ||
        (status =
             hf_int(reader, "lathe_repeats", 1, 64, schedule->repeats, &schedule->repeats, err)) ||
        (status =
             hf_bool(reader, "lathe_share_ffn", schedule->share_ffn, &schedule->share_ffn, err)))
        return status;
    if ((status = sharing_parse(sharing, &schedule->sharing, err)))
        return status == STATUS_USAGE ? STATUS_INPUT : status;
    struct json blocks = hf_find(reader, "lathe_blocks");
    struct err inner;
    if (!json_is_null(&blocks) && (status = read_blocks(&blocks, net, err)))
        return status;
    if (transformer_settle(net, &inner))
        return json_error(&blocks, err, "%s", inner.message);
    return STATUS_OK;
}

static void write_blocks(struct json_node *array, const struct transformer *net)
{
    for (int64_t i = 0; i < net->schedule.n_layers; i++)
        block_write(json_add_object(array, NULL), transformer_block(net, i));
}

void hf_write_extensions(struct json_node *out, const struct transformer *net)
{
    json_add_string(out, "lathe_sharing", sharing_name(net->schedule.sharing));
    json_add_int(out, "lathe_repeats", net->schedule.repeats);
    json_add_bool(out, "lathe_share_ffn", net->schedule.share_ffn);
    if (!stack_is_uniform(&net->stack) || net->stack.first.window > 0 ||
        net->stack.first.is_unturned || net->stack.first.mixer == MIXER_NONE)
        write_blocks(json_add_array(out, "lathe_blocks"), net);
}
