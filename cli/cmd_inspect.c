#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
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

static void add_columns(struct listing *listing)
{
    listing_column(listing, "model", "name", LISTING_TEXT, NULL);
    listing_column(listing, "family", "family", LISTING_TEXT, NULL);
    listing_column(listing, "layers", "n_layers", LISTING_INTEGER, NULL);
    listing_column(listing, "depth (layers executed)", "n_layers_effective", LISTING_INTEGER, NULL);
    listing_column(listing, "sharing", NULL, LISTING_TEXT, NULL);
    listing_column(listing, "d_model", "d_model", LISTING_INTEGER, NULL);
    listing_column(listing, "heads", "n_heads", LISTING_INTEGER, NULL);
    listing_column(listing, "kv heads", "n_kv_heads", LISTING_INTEGER, NULL);
    listing_column(listing, "d_head", "d_head", LISTING_INTEGER, NULL);
    listing_column(listing, "d_ff", "d_ff", LISTING_INTEGER, NULL);
    listing_column(listing, "layers differ", "layers_differ", LISTING_BOOL, NULL);
    listing_column(listing, "vocabulary", "vocab_size", LISTING_INTEGER, NULL);
    listing_column(listing, "head tied", "tie_embeddings", LISTING_BOOL, NULL);
    listing_column(listing, NULL, "sharing", LISTING_TEXT, NULL);
    listing_column(listing, NULL, "repeats", LISTING_INTEGER, NULL);
    listing_column(listing, NULL, "share_ffn", LISTING_BOOL, NULL);
    listing_column(listing, "parameters", "params", LISTING_INTEGER, NULL);
    listing_column(listing, "  token table", "params_embedding", LISTING_INTEGER, NULL);
    listing_column(listing, "  positions", "params_position", LISTING_INTEGER, NULL);
    listing_column(listing, "  blocks", "params_blocks", LISTING_INTEGER, NULL);
    listing_column(listing, "    attention", "params_attention", LISTING_INTEGER, NULL);
    listing_column(listing, "    feed-forward", "params_ffn", LISTING_INTEGER, NULL);
    listing_column(listing, "    norms", "params_norms", LISTING_INTEGER, NULL);
    listing_column(listing, "  final norm", "params_final_norm", LISTING_INTEGER, NULL);
    listing_column(listing, "  head", "params_head", LISTING_INTEGER, NULL);
    listing_column(listing, "weight type", "dtype", LISTING_TEXT, NULL);
    listing_column(listing, "head type", "head_dtype", LISTING_TEXT, NULL);
    listing_column(listing, "kv type", "kv_dtype", LISTING_TEXT, NULL);
    listing_column(listing, "weights", "weight_bytes", LISTING_BYTES, NULL);
    listing_column(listing, "kv cache", "kv_bytes_per_token", LISTING_BYTES, "/token");
    listing_column(listing, "context", "context", LISTING_INTEGER, "tokens");
    listing_column(listing, "flop", "flop_per_token", LISTING_COUNT, "/token");
}

static void add_row(struct listing *listing, const struct transformer *net, int64_t context,
                    int64_t flop)
{
    const struct block *block = typical_block(net);
    const struct schedule *schedule = &net->schedule;
    struct param_count count;
    struct weight_bytes bytes;
    char described[48];
    transformer_count(net, &count);
    transformer_weight_bytes(net, &bytes);
    listing_text(listing, net->name);
    listing_text(listing, net->family);
    listing_int(listing, schedule->n_layers);
    listing_int(listing, schedule_executions(schedule));
    listing_text(listing, schedule_describe(schedule, described, sizeof described));
    listing_int(listing, net->d_model);
    listing_int(listing, block->n_heads);
    listing_int(listing, block->n_kv_heads);
    listing_int(listing, block->d_head);
    listing_int(listing, block->d_ff);
    listing_int(listing, !stack_is_uniform(&net->stack));
    listing_int(listing, net->vocab_size);
    listing_int(listing, net->tie_embeddings);
    listing_text(listing, sharing_name(schedule->sharing));
    listing_int(listing, schedule->repeats);
    listing_int(listing, schedule->share_ffn);
    listing_int(listing, count.total);
    listing_int(listing, count.embedding);
    listing_int(listing, count.position);
    listing_int(listing, count.blocks);
    listing_int(listing, count.attention);
    listing_int(listing, count.ffn);
    listing_int(listing, count.norms);
    listing_int(listing, count.final_norm);
    listing_int(listing, count.head);
    listing_text(listing, dtype_name(net->block_dtype));
    listing_text(listing, dtype_name(net->head_dtype));
    listing_text(listing, dtype_name(net->kv_dtype));
    listing_int(listing, bytes.total);
    listing_int(listing, transformer_kv_bytes_per_token(net));
    listing_int(listing, context);
    listing_int(listing, flop);
}

static enum status run(const struct args *args, struct err *err)
{
    struct transformer net;
    struct listing listing = {0};
    int64_t context = args_int(args, "context", 0), flop = 0;
    enum status status = open_model(args, args_operand(args, 0), &net, err);
    if (status != STATUS_OK)
        return status;
    status = flop_per_token(&net, context, &flop, err);
    if (status != STATUS_OK)
        goto out;
    add_columns(&listing);
    add_row(&listing, &net, context, flop);
    status = args_flag(args, "json") ? listing_print_object(&listing, 0, stdout, err)
                                     : listing_print_record(&listing, 0, stdout, err);
out:
    listing_release(&listing);
    transformer_release(&net);
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
    .operands = "MODEL",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 1,
    .options = options,
    .examples = examples,
    .about = "Counts distinct weights: a tied head and a shared block count once. Where layers "
             "differ, the dimensions shown are those of the first layer with attention.",
    .run = run,
};
