#include <stdio.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "model/count.h"
#include "model/ops.h"

static enum status flop_per_token(const struct transformer *net, int64_t context, int64_t *flop,
                                  struct err *err)
{
    struct operator_list list;
    struct op_totals totals;
    enum status status = ops_decode(net, context, &list, err);
    if (status != STATUS_OK)
        return status;
    ops_totals(&list, &totals);
    ops_release(&list);
    *flop = totals.flop;
    return STATUS_OK;
}

/* Everything that a network is. */
struct anatomy {
    const char *name, *family, *sharing_described, *sharing, *dtype, *head_dtype, *kv_dtype;
    int64_t n_layers, n_layers_effective, repeats, share_ffn;
    int64_t d_model, n_heads, n_kv_heads, d_head, d_ff, n_experts, n_experts_used, d_shared;
    int64_t layers_differ, vocab_size, tie_embeddings;
    struct param_count params;
    int64_t weight_bytes, kv_bytes_per_token, context, flop_per_token;
};
static const struct field anatomy_fields[] = {
    LISTED(anatomy, name, UNIT_NONE, "model"),
    LISTED(anatomy, family, UNIT_NONE, "family"),
    LISTED(anatomy, n_layers, UNIT_NONE, "layers"),
    LISTED(anatomy, n_layers_effective, UNIT_NONE, "depth (layers executed)"),
    LISTED_TITLE(anatomy, sharing_described, UNIT_NONE, "sharing"),
    LISTED(anatomy, d_model, UNIT_NONE, "d_model"),
    LISTED(anatomy, n_heads, UNIT_NONE, "heads"),
    LISTED(anatomy, n_kv_heads, UNIT_NONE, "kv heads"),
    LISTED(anatomy, d_head, UNIT_NONE, "d_head"),
    LISTED(anatomy, d_ff, UNIT_NONE, "d_ff"),
    LISTED(anatomy, n_experts, UNIT_NONE, "experts"),
    LISTED(anatomy, n_experts_used, UNIT_NONE, "  used by a token"),
    LISTED(anatomy, d_shared, UNIT_NONE, "  d_ff beside them"),
    LISTED(anatomy, layers_differ, UNIT_BOOL, "layers differ"),
    LISTED(anatomy, vocab_size, UNIT_NONE, "vocabulary"),
    LISTED(anatomy, tie_embeddings, UNIT_BOOL, "head tied"),
    LISTED_KEY(anatomy, sharing, UNIT_NONE),
    LISTED_KEY(anatomy, repeats, UNIT_NONE),
    LISTED_KEY(anatomy, share_ffn, UNIT_BOOL),
    LISTED_AS(anatomy, params.total, "params", UNIT_NONE, "parameters"),
    LISTED_AS(anatomy, params.active, "params_active", UNIT_NONE, "  used by a token"),
    LISTED_AS(anatomy, params.embedding, "params_embedding", UNIT_NONE, "  token table"),
    LISTED_AS(anatomy, params.position, "params_position", UNIT_NONE, "  positions"),
    LISTED_AS(anatomy, params.blocks, "params_blocks", UNIT_NONE, "  blocks"),
    LISTED_AS(anatomy, params.attention, "params_attention", UNIT_NONE, "    attention"),
    LISTED_AS(anatomy, params.ffn, "params_ffn", UNIT_NONE, "    feed-forward"),
    LISTED_AS(anatomy, params.norms, "params_norms", UNIT_NONE, "    norms"),
    LISTED_AS(anatomy, params.final_norm, "params_final_norm", UNIT_NONE, "  final norm"),
    LISTED_AS(anatomy, params.head, "params_head", UNIT_NONE, "  head"),
    LISTED(anatomy, dtype, UNIT_NONE, "weight type"),
    LISTED(anatomy, head_dtype, UNIT_NONE, "head type"),
    LISTED(anatomy, kv_dtype, UNIT_NONE, "kv type"),
    LISTED(anatomy, weight_bytes, UNIT_BYTES, "weights"),
    LISTED_PER_TOKEN(anatomy, kv_bytes_per_token, UNIT_BYTES, "kv cache"),
    LISTED(anatomy, context, UNIT_LENGTH, "context"),
    LISTED_PER_TOKEN(anatomy, flop_per_token, UNIT_FLOP, "flop"),
};

static void add_row(struct listing *listing, const struct transformer *net, int64_t context,
                    int64_t flop)
{
    const struct block *block = typical_block(net);
    const struct schedule *schedule = &net->schedule;
    struct anatomy *a = listing_record(listing);
    struct weight_bytes bytes;
    char described[48];
    transformer_weight_bytes(net, &bytes);
    a->name = net->name;
    a->family = net->family;
    a->n_layers = schedule->n_layers;
    a->n_layers_effective = transformer_executions(net);
    a->sharing_described = schedule_describe(schedule, described, sizeof described);
    a->d_model = net->d_model;
    a->n_heads = block->n_heads;
    a->n_kv_heads = block->n_kv_heads;
    a->d_head = block->d_head;
    a->d_ff = block->d_ff;
    a->n_experts = block->n_experts;
    a->n_experts_used = block->n_experts_used;
    a->d_shared = block->d_shared;
    a->layers_differ = !stack_is_uniform(&net->stack);
    a->vocab_size = net->vocab_size;
    a->tie_embeddings = net->tie_embeddings;
    a->sharing = sharing_name(schedule->sharing);
    a->repeats = schedule->sharing == SHARING_BY_BLOCK ? UNKNOWN_INT : schedule->repeats;
    a->share_ffn = schedule->share_ffn;
    transformer_count(net, &a->params);
    a->dtype = transformer_dtype_name(net);
    a->head_dtype = dtype_name(net->head_dtype);
    a->kv_dtype = dtype_name(net->kv_dtype);
    a->weight_bytes = bytes.total;
    a->kv_bytes_per_token = transformer_kv_bytes_per_token(net);
    a->context = context;
    a->flop_per_token = flop;
    listing_add(listing, a);
}

static enum status add_model(const struct args *args, const char *model, struct listing *listing,
                             struct err *err)
{
    struct transformer net;
    int64_t context = args_int(args, "context", 0), flop = 0;
    enum status status = open_model(args, model, &net, err);
    if (status != STATUS_OK)
        return status;
    status = flop_per_token(&net, context, &flop, err);
    if (status == STATUS_OK)
        add_row(listing, &net, context, flop);
    transformer_release(&net);
    return status;
}

static enum status print(const struct args *args, const struct listing *listing, struct err *err)
{
    size_t n = listing_rows(listing);
    enum status status = STATUS_OK;
    if (args_flag(args, "json"))
        return n == 1 ? listing_print_object(listing, 0, stdout, err)
                      : listing_print_json(listing, stdout, err);
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        if (i > 0)
            printf("\n");
        status = listing_print_record(listing, i, stdout, err);
    }
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct listing listing = {0};
    enum status status = STATUS_OK;
    LISTING_FIELDS(&listing, anatomy_fields);
    for (int i = 0; i < args_n_operands(args) && status == STATUS_OK; i++)
        status = add_model(args, args_operand(args, i), &listing, err);
    if (status == STATUS_OK)
        status = print(args, &listing, err);
    listing_release(&listing);
    return status;
}

static const struct option options[] = {
    ROW_DTYPE,
    ROW_HEAD_DTYPE,
    ROW_KV_DTYPE,
    ROW_RANGE(OPTION_COUNT, "context", "N", "0", 0, INT64_C(1) << 32,
              "tokens in the KV cache when the flop of a token are counted"),
    ROW_DB,
    ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe inspect mobilellm-125m", "a preset: dimensions, exact parameter counts, bytes"},
    {"lathe inspect ./config.json --dtype q4_0 --json", "a Hugging Face model in 4 bits"},
    {"lathe inspect 1:42 --db phone.db", "candidate 42 of run 1"},
    {NULL, NULL},
};

const struct command cmd_inspect = {
    .name = "inspect",
    .summary = "what a network is: dimensions, exact counts by part, bytes",
    .operands = "MODEL...",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 256,
    .options = options,
    .examples = examples,
    .about = "Counts distinct weights: a tied head and a shared block count once. Where layers "
             "differ, the dimensions shown are those of the first layer with attention.",
    .run = run,
};
