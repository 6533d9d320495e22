#include <math.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/model_source.h"
#include "cli/predicted_row.h"
#include "cli/setting.h"

/* A part of a decode pass. */
struct share {
    const char *name;
    double ns;
    int64_t bytes;
};
static const struct field share_fields[] = {
    LISTED_TITLE(share, ns, UNIT_NS, "time"),
    LISTED_TITLE(share, bytes, UNIT_BYTES, "read"),
};

static void start_shares(struct listing *listing, const char *title)
{
    listing_field(listing, &(struct field)LISTED_TITLE(share, name, UNIT_NONE, title));
    LISTING_FIELDS(listing, share_fields);
}

static void add_share(struct listing *listing, const char *name, double ns, int64_t bytes)
{
    listing_add(listing, &(struct share){name, ns, bytes});
}

/* Where one decode pass spends its time: by operator, then by what bounds it. */
static enum status print_detail(const struct transformer *net, const struct machine *machine,
                                const struct price_detail *detail, struct err *err)
{
    struct listing roles = {0}, bounds = {0};
    start_shares(&roles, "operator");
    for (int role = 0; role < N_OP_ROLES; role++)
        if (detail->role_ns[role] > 0)
            add_share(&roles, op_role_name((enum op_role)role), detail->role_ns[role],
                      detail->role_bytes[role]);
    start_shares(&bounds, "bound by");
    for (int level = 0; level < machine->n_levels; level++)
        if (detail->level_bytes[level] != 0)
            add_share(&bounds, machine->levels[level].name, detail->level_ns[level],
                      detail->level_bytes[level]);
    const struct share others[] = {{"compute", detail->compute_ns, UNKNOWN_INT},
                                   {"fixed costs", detail->fixed_ns, UNKNOWN_INT},
                                   {"hidden", -detail->hidden_ns, UNKNOWN_INT}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (fabs(others[i].ns) > 0)
            listing_add(&bounds, &others[i]);
    printf("\n%s on %s: one decode pass\n\n", net->name, machine->device);
    enum status status = listing_print(&roles, stdout, err);
    printf("\n");
    if (status == STATUS_OK)
        status = listing_print(&bounds, stdout, err);
    listing_release(&roles);
    listing_release(&bounds);
    return status;
}

enum mode {
    MODE_ROWS,
    MODE_DETAIL,
};

static enum status predict_one(const struct args *args, const struct transformer *net,
                               const struct setting *setting, enum mode mode,
                               struct listing *listing, struct err *err)
{
    const struct machine *machine = &setting->machine;
    struct price price;
    struct price_detail detail;
    enum status status = price_network(net, machine, &setting->workload, &price, &detail, err);
    if (status != STATUS_OK)
        return err_prefix(err, status, "%s on %s: ", net->name, machine->device);
    if (mode == MODE_DETAIL)
        return print_detail(net, machine, &detail, err);
    if (price.beyond_timings)
        warn(
            args,
            "%s on %s: a weight type or shape far beyond what was timed there; for it the roofline "
            "speaks",
            net->name, machine->device);
    struct prediction_row row;
    predicted_row_make(net, machine, &setting->workload, &price, &row);
    listing_add(listing, &row);
    return STATUS_OK;
}

static enum status each_model(const struct args *args, const struct setting *setting,
                              enum mode mode, struct listing *listing, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < args_n_operands(args) && status == STATUS_OK; i++) {
        struct transformer net;
        status = open_model(args, args_operand(args, i), &net, err);
        if (status != STATUS_OK)
            break;
        status = predict_one(args, &net, setting, mode, listing, err);
        transformer_release(&net);
    }
    return status;
}

static enum status each_device(const struct args *args, enum mode mode, struct listing *listing,
                               struct err *err)
{
    enum status status = STATUS_OK;
    const char *name;
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "device", i)) != NULL; i++) {
        struct setting setting;
        status = setting_of_options(args, name, &setting, err);
        if (status == STATUS_OK)
            status = each_model(args, &setting, mode, listing, err);
    }
    return status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct listing listing = {0};
    if (!args_given(args, "device"))
        return err_set(err, STATUS_USAGE, "'predict' needs --device ('lathe devices' lists them)");
    listing_fields(&listing, &prediction_fields);
    enum status status = each_device(args, MODE_ROWS, &listing, err);
    if (status == STATUS_OK)
        status = args_flag(args, "json") ? listing_print_json(&listing, stdout, err)
                                         : listing_print(&listing, stdout, err);
    if (status == STATUS_OK && args_flag(args, "detail") && !args_flag(args, "json"))
        status = each_device(args, MODE_DETAIL, &listing, err);
    listing_release(&listing);
    return status;
}

static const struct option options[] = {
    ROW_DEVICE,     ROW_DTYPE,
    ROW_HEAD_DTYPE, ROW_KV_DTYPE,
    ROW_THREADS,    ROW_PROMPT,
    ROW_CONTEXT,    ROW_FLAG("detail", "also show where the time of a token goes"),
    ROW_DB,         ROW_JSON,
    ROWS_END,
};

static const struct example examples[] = {
    {"lathe predict mobilellm-125m mobilellm-ls-125m --device iphone-13",
     "two models, side by side"},
    {"lathe predict opt-125m --device pixel-8-pro,rpi5 --dtype q4_0 --context 1024",
     "in 4 bits on two devices, with 1024 tokens in the cache"},
    {"lathe predict 1:42 --db phone.db --device ./my-laptop.json --detail",
     "candidate 42 of run 1 on a device of your own, and where its time goes"},
    {NULL, NULL},
};

const struct command cmd_predict = {
    .name = "predict",
    .summary = "load, first and next token, memory and energy of a network on a device",
    .operands = "MODEL...",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 256,
    .options = options,
    .examples = examples,
    .about = "'prefill' is the pass over the prompt, which is the time to first token once a model "
             "is loaded; 'cold TTFT' adds load and init. 'basis' says what the device's numbers "
             "rest on and 'error' how far off such predictions of decode have been in the median "
             "and for nine of ten, of which 'low' and 'high' are the ends; '-' is unknown. 'rule' "
             "is 0.1 J a token per 1e9 parameters "
             "(MobileLLM), a cross-check. 'fits' compares the memory with the share of DRAM that "
             "an app should use.",
    .run = run,
};
