#include "search/space.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

void space_default(struct space *out)
{
    *out = (struct space){
        .d_ff_rule_256 = true,
        .n_ff_ratios = 4,
        .ff_ratio = {2, 8.0 / 3, 3, 4},
        .d_ff_multiple = 64,
        .min_layers = 2,
        .max_layers = 128,
        .n_schedules = 5,
        .schedule = {{.sharing = SHARING_NONE, .repeats = 1},
                     {.sharing = SHARING_IMMEDIATE, .repeats = 2},
                     {.sharing = SHARING_IMMEDIATE, .repeats = 3},
                     {.sharing = SHARING_REPEAT_ALL, .repeats = 2},
                     {.sharing = SHARING_REVERSE, .repeats = 2}},
        .n_dtypes = 1,
        .dtype = {DTYPE_F16},
        .n_kv_heads = {.is_listed = true},
        .n_kv_dtypes = 1,
        .kv_dtype = {DTYPE_F16},
        .ffn = FFN_SWIGLU,
        .max_context = 2048,
    };
    axis_add_range(&out->d_model, 128, 2048, 64);
    axis_add(&out->d_head, 32);
    axis_add(&out->d_head, 64);
    axis_add(&out->d_head, 128);
    axis_add(&out->tie_embeddings, 0);
    axis_add(&out->tie_embeddings, 1);
    axis_add(&out->vocab_size, 32000);
}

static enum status read_bools(const struct json *at, struct axis *axis, struct err *err)
{
    enum status status = STATUS_OK;
    bool value;
    axis->n = 0;
    if (!json_is_array(at)) {
        if (!(status = json_bool(at, &value, err)))
            axis_add(axis, value);
        return status;
    }
    for (struct json item = json_first(at); item.item; item = json_next(&item)) {
        if ((status = json_bool(&item, &value, err)))
            return status;
        axis_add(axis, value);
    }
    return axis->n > 0 ? STATUS_OK : json_error(at, err, "an axis needs at least one value");
}

/* "d_ff": a number, or a list of numbers, "256-rule" and {"ratio": 2.667}. */
static enum status read_d_ff_item(const struct json *at, struct space *space, struct err *err)
{
    static const char *const keys[] = {"ratio", NULL};
    enum status status = STATUS_OK;
    if (json_is_string(at)) {
        const char *text;
        if ((status = json_string(at, &text, err)))
            return status;
        if (strcmp(text, "256-rule") != 0)
            return json_error(at, err,
                              "'%s' is no rule here; expected a number, \"256-rule\" or "
                              "{\"ratio\": r}",
                              text);
        space->d_ff_rule_256 = true;
        return STATUS_OK;
    }
    if (json_is_object(at)) {
        double ratio;
        if ((status = json_only_keys(at, keys, err)) ||
            (status = json_get_number(at, "ratio", 0.01, 1000, &ratio, err)))
            return status;
        if (space->n_ff_ratios == MAX_FF_RATIOS)
            return json_error(at, err, "more than %d ratios", MAX_FF_RATIOS);
        space->ff_ratio[space->n_ff_ratios++] = ratio;
        return STATUS_OK;
    }
    int64_t value;
    if ((status = json_int(at, 1, 1 << 24, &value, err)))
        return status;
    return axis_add_checked(at, &space->d_ff, value, err);
}

static enum status read_d_ff(const struct json *at, struct space *space, struct err *err)
{
    space->d_ff.n = 0;
    space->d_ff_rule_256 = false;
    space->n_ff_ratios = 0;
    if (!json_is_array(at))
        return read_d_ff_item(at, space, err);
    if (json_length(at) == 0)
        return json_error(at, err, "an axis needs at least one value");
    for (struct json item = json_first(at); item.item; item = json_next(&item)) {
        enum status status = read_d_ff_item(&item, space, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* "none", or {"mode": "immediate", "repeats": 2, "share_ffn": false}. */
static enum status read_schedule(const struct json *at, struct schedule *out, struct err *err)
{
    static const char *const keys[] = {"mode", "repeats", "share_ffn", NULL};
    struct err inner;
    const char *mode;
    enum status status = STATUS_OK;
    *out = (struct schedule){.repeats = 1};
    if (json_is_string(at)) {
        if ((status = json_string(at, &mode, err)))
            return status;
    } else if ((status = json_only_keys(at, keys, err)) ||
               (status = json_get_string(at, "mode", &mode, err)) ||
               (status = json_get_bool_or(at, "share_ffn", false, &out->share_ffn, err))) {
        return status;
    }
    if (sharing_parse(mode, &out->sharing, &inner))
        return json_error(at, err, "%s", inner.message);
    if (out->sharing == SHARING_BY_BLOCK)
        return json_error(at, err,
                          "where each layer has its own repeats, list them: \"layers\": "
                          "{\"repeats\": [1, 2]}");
    bool shared = out->sharing != SHARING_NONE;
    if (json_is_object(at) &&
        (status = json_get_int_or(at, "repeats", shared ? 2 : 1, shared ? 64 : 1, shared ? 2 : 1,
                                  &out->repeats, err)))
        return status;
    if (json_is_string(at) && shared)
        out->repeats = 2;
    return STATUS_OK;
}

static enum status read_schedules(const struct json *at, struct space *space, struct err *err)
{
    space->n_schedules = 0;
    if (!json_is_array(at) || json_length(at) == 0)
        return json_error(at, err, "expected a list of sharing modes");
    for (struct json item = json_first(at); item.item; item = json_next(&item)) {
        struct schedule one;
        enum status status = read_schedule(&item, &one, err);
        if (status)
            return status;
        bool known = false;
        for (int i = 0; i < space->n_schedules; i++) {
            const struct schedule *other = &space->schedule[i];
            known |= other->sharing == one.sharing && other->repeats == one.repeats &&
                     other->share_ffn == one.share_ffn;
        }
        if (!known && space->n_schedules == MAX_SCHEDULES)
            return json_error(&item, err, "more than %d sharing modes", MAX_SCHEDULES);
        if (!known)
            space->schedule[space->n_schedules++] = one;
    }
    return STATUS_OK;
}

typedef enum status type_parser(const char *name, enum dtype *out, struct err *err);

static enum status read_dtype(const struct json *at, type_parser *parse, enum dtype *out,
                              struct err *err)
{
    struct err inner;
    const char *name;
    enum status status = json_string(at, &name, err);
    if (!status && parse(name, out, &inner))
        status = json_error(at, err, "%s", inner.message);
    return status;
}

/* As axis_read, with {"ratio": r} of n_heads; "divisors" is the axis without any value. */
static enum status read_n_kv_heads(const struct json *at, struct layer_axis *out, struct err *err)
{
    *out = (struct layer_axis){.is_listed = true};
    struct json from = json_member(at, "from");
    if (json_is_object(at) && !json_is_null(&from))
        return axis_read(at, 1, 1 << 14, &out->values, err);
    return layer_axis_read(at, 1 << 14, "divisors", out, err);
}

bool space_has_files(const struct space *space)
{
    for (int i = 0; i < space->n_dtypes; i++)
        if (is_file_type(space->dtype[i]))
            return true;
    return false;
}

/* A type or a list of them. */
static enum status read_dtypes(const struct json *at, type_parser *parse, int *n, enum dtype *list,
                               struct err *err)
{
    enum status status = STATUS_OK;
    *n = 0;
    if (json_is_string(at)) {
        *n = 1;
        return read_dtype(at, parse, &list[0], err);
    }
    if (!json_is_array(at) || json_length(at) == 0)
        return json_error(at, err, "expected a weight type or a list of them");
    for (struct json item = json_first(at); item.item; item = json_next(&item)) {
        enum dtype dtype;
        if ((status = read_dtype(&item, parse, &dtype, err)))
            return status;
        bool known = false;
        for (int i = 0; i < *n; i++)
            known |= list[i] == dtype;
        if (!known)
            list[(*n)++] = dtype;
    }
    return STATUS_OK;
}

static enum status read_layers(const struct json *at, struct space *space, struct err *err)
{
    if (json_is_number(at)) {
        enum status status = json_int(at, 1, SPACE_MAX_LAYERS, &space->min_layers, err);
        space->max_layers = space->min_layers;
        return status;
    }
    static const char *const keys[] = {"from", "to", NULL};
    enum status status = json_only_keys(at, keys, err);
    if (status || (status = json_get_int(at, "from", 1, SPACE_MAX_LAYERS, &space->min_layers, err)))
        return status;
    return json_get_int(at, "to", space->min_layers, SPACE_MAX_LAYERS, &space->max_layers, err);
}

static enum status read_ffn(const struct json *at, enum ffn_kind *out, struct err *err)
{
    struct err inner;
    const char *name;
    enum status status = json_string(at, &name, err);
    if (status)
        return status;
    if (ffn_kind_parse(name, out, &inner))
        return json_error(at, err, "%s", inner.message);
    if (*out == FFN_RWKV_CHANNEL)
        return json_error(at, err, "a search has attention: choose relu, gelu, swiglu or geglu");
    return STATUS_OK;
}

/* Layers that say how often they run leave nothing to say for a schedule of all. */
static enum status leave_repeats_to_layers(const struct json *root, struct space *out,
                                           struct err *err)
{
    struct json sharing = json_member(root, "sharing");
    if (json_is_null(&sharing))
        out->n_schedules = 1; /* none */
    for (int i = 0; i < out->n_schedules; i++)
        if (out->schedule[i].sharing != SHARING_NONE)
            return json_error(&sharing, err,
                              "'repeats' of layers says how often a block runs: leave it out, or "
                              "let sharing be \"none\"");
    return STATUS_OK;
}

static enum status read_stack_layers(const struct json *root, struct space *out, struct err *err)
{
    struct json layers = json_member(root, "layers"), rules = json_member(root, "rules");
    struct err inner;
    enum status status = space_layers_read(&layers, &rules, &out->layers, err);
    if (status || !out->layers.is_given)
        return status;
    for (int i = 0; i < out->n_schedules; i++)
        if (out->schedule[i].share_ffn && out->layers.d_ff.is_listed)
            return json_error(&layers, err,
                              "with one FFN for all blocks (share_ffn) d_ff cannot "
                              "differ from layer to layer");
    if (out->layers.repeats.n > 0 && (status = leave_repeats_to_layers(root, out, err)))
        return status;
    status = space_layers_check(&out->layers, out->min_layers, out->max_layers, &inner);
    if (status == STATUS_INPUT)
        return json_error(&rules, err, "%s", inner.message);
    return status ? err_set(err, status, "%s", inner.message) : STATUS_OK;
}

static enum status read_scaling(const struct json *root, struct space *out, struct err *err)
{
    static const char *const others[] = {"layers", "rules", "n_heads", "n_kv_heads", "d_ff"};
    struct json scaling = json_member(root, "scaling");
    enum status status = space_scaling_read(&scaling, &out->scaling, err);
    if (status || !out->scaling.is_given)
        return status;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct json other = json_member(root, others[i]);
        if (!json_is_null(&other))
            return json_error(&other, err,
                              "'scaling' says what every layer is: leave out '%s' or 'scaling'",
                              others[i]);
    }
    for (int i = 0; i < out->n_schedules; i++)
        if (out->schedule[i].share_ffn)
            return json_error(&scaling, err,
                              "with one FFN for all blocks (share_ffn) d_ff cannot be scaled from "
                              "layer to layer");
    return STATUS_OK;
}

enum status space_parse(const struct json *root, struct space *out, struct err *err)
{
    static const char *const keys[] = {
        "d_model",  "d_head",      "n_heads",        "n_kv_heads", "d_ff",    "d_ff_multiple",
        "n_layers", "sharing",     "tie_embeddings", "vocab_size", "dtype",   "kv_dtype",
        "ffn",      "max_context", "layers",         "rules",      "scaling", NULL};
    enum status status = json_only_keys(root, keys, err);
    if (status)
        return status;
    space_default(out);
    struct json at;
#define AXIS(key, read) \
    if (!json_is_null((at = json_member(root, key), &at)) && (status = (read))) \
        return status;
    AXIS("d_model", axis_read(&at, 1, 1 << 20, &out->d_model, err))
    AXIS("d_head", axis_read(&at, 2, 1 << 14, &out->d_head, err))
    AXIS("n_heads", axis_read_or_rule(&at, "d_model/d_head", 1 << 14, &out->n_heads, err))
    AXIS("n_kv_heads", read_n_kv_heads(&at, &out->n_kv_heads, err))
    AXIS("d_ff", read_d_ff(&at, out, err))
    AXIS("n_layers", read_layers(&at, out, err))
    AXIS("sharing", read_schedules(&at, out, err))
    AXIS("tie_embeddings", read_bools(&at, &out->tie_embeddings, err))
    AXIS("vocab_size", axis_read(&at, 1, 1 << 28, &out->vocab_size, err))
    AXIS("dtype", read_dtypes(&at, weight_type_parse, &out->n_dtypes, out->dtype, err))
    AXIS("kv_dtype", read_dtypes(&at, dtype_parse, &out->n_kv_dtypes, out->kv_dtype, err))
    AXIS("ffn", read_ffn(&at, &out->ffn, err))
#undef AXIS
    for (int i = 0; i < out->d_head.n; i++) {
        if (out->d_head.value[i] % 2 != 0) {
            at = json_member(root, "d_head");
            return json_error(&at, err, "%lld is odd: rotary positions turn pairs",
                              (long long)out->d_head.value[i]);
        }
    }
    if ((status = json_get_int_or(root, "d_ff_multiple", 1, 1 << 16, 64, &out->d_ff_multiple, err)))
        return status;
    if ((status = json_get_int_or(root, "max_context", 1, 1 << 24, 2048, &out->max_context, err)))
        return status;
    status = read_scaling(root, out, err);
    return status ? status : read_stack_layers(root, out, err);
}

static const char default_layers[] =
    "{\"d_model\": 576, \"d_head\": 64, \"n_layers\": 32, \"sharing\": [\"none\"],"
    " \"tie_embeddings\": true,"
    " \"layers\": {\"attention\": [\"full\", {\"window\": 256}, \"none\", \"empty\"],"
    " \"n_kv_heads\": [1, 3, 9],"
    " \"d_ff\": [512, 768, 1024, 1280, 1536, 1792, 2048, 2560]}}";

void space_default_layers(struct space *out)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status =
        json_parse("layers", default_layers, (int64_t)strlen(default_layers), &doc, &root, NULL);
    if (!status)
        status = space_parse(&root, out, NULL);
    json_close(doc);
    assert(status == STATUS_OK);
    (void)status;
}

enum status space_open(const char *path, struct space *out, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_open(path, &doc, &root, err);
    if (!status)
        status = space_parse(&root, out, err);
    json_close(doc);
    return status;
}

static void print_block(struct json_node *root, const struct space *space)
{
    axis_print(root, "n_heads", &space->n_heads, "d_model/d_head");
    layer_axis_print(root, "n_kv_heads", &space->n_kv_heads);
    struct json_node *list = json_add_array(root, "d_ff");
    for (int i = 0; i < space->d_ff.n; i++)
        json_add_int(list, NULL, space->d_ff.value[i]);
    if (space->d_ff_rule_256)
        json_add_string(list, NULL, "256-rule");
    for (int i = 0; i < space->n_ff_ratios; i++)
        json_add_number(json_add_object(list, NULL), "ratio", space->ff_ratio[i]);
}

/* One type stands for itself. */
static void print_kv_dtypes(struct json_node *root, const struct space *space)
{
    if (space->n_kv_dtypes == 1) {
        json_add_string(root, "kv_dtype", dtype_name(space->kv_dtype[0]));
        return;
    }
    struct json_node *list = json_add_array(root, "kv_dtype");
    for (int i = 0; i < space->n_kv_dtypes; i++)
        json_add_string(list, NULL, dtype_name(space->kv_dtype[i]));
}

char *space_print(const struct space *space)
{
    struct json_node *root = json_new_object();
    axis_print(root, "d_model", &space->d_model, NULL);
    axis_print(root, "d_head", &space->d_head, NULL);
    if (!space->scaling.is_given)
        print_block(root, space);
    json_add_int(root, "d_ff_multiple", space->d_ff_multiple);
    struct json_node *layers = json_add_object(root, "n_layers");
    json_add_int(layers, "from", space->min_layers);
    json_add_int(layers, "to", space->max_layers);
    struct json_node *list = json_add_array(root, "sharing");
    for (int i = 0; i < space->n_schedules; i++) {
        const struct schedule *s = &space->schedule[i];
        struct json_node *item = json_add_object(list, NULL);
        json_add_string(item, "mode", sharing_name(s->sharing));
        json_add_int(item, "repeats", s->repeats);
        json_add_bool(item, "share_ffn", s->share_ffn);
    }
    list = json_add_array(root, "tie_embeddings");
    for (int i = 0; i < space->tie_embeddings.n; i++)
        json_add_bool(list, NULL, space->tie_embeddings.value[i]);
    axis_print(root, "vocab_size", &space->vocab_size, NULL);
    list = json_add_array(root, "dtype");
    for (int i = 0; i < space->n_dtypes; i++)
        json_add_string(list, NULL, dtype_name(space->dtype[i]));
    print_kv_dtypes(root, space);
    json_add_string(root, "ffn", ffn_kind_name(space->ffn));
    json_add_int(root, "max_context", space->max_context);
    space_layers_print(root, &space->layers);
    space_scaling_print(root, &space->scaling);
    char *text = json_print(root);
    json_free(root);
    return text;
}

static int64_t round_up(int64_t value, int64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

void space_n_kv_heads(const struct space *space, int64_t n_heads, struct axis *out)
{
    layer_axis_divisors(&space->n_kv_heads, n_heads, out);
}

void space_d_ff(const struct space *space, int64_t d_model, struct axis *out)
{
    *out = space->d_ff;
    if (space->d_ff_rule_256 && out->n < MAX_AXIS_VALUES)
        axis_add(out, round_up((8 * d_model + 2) / 3, 256));
    for (int i = 0; i < space->n_ff_ratios && out->n < MAX_AXIS_VALUES; i++) {
        int64_t wide = llround(space->ff_ratio[i] * (double)d_model);
        axis_add(out, round_up(wide < 1 ? 1 : wide, space->d_ff_multiple));
    }
}
