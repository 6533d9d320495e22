#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/loss_setting.h"
#include "cli/model_source.h"
#include "cli/predicted_row.h"
#include "cli/setting.h"
#include "model/count.h"
#include "model/tensors.h"
#include "quality/shape_of.h"

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

/* A mixture of experts reads a part of what it stores. */
static void print_active(const struct transformer *net)
{
    struct param_count count;
    transformer_count(net, &count);
    if (count.active < count.total)
        printf("a token uses %.3g billion of %.3g billion parameters\n\n",
               1e-9 * (double)count.active, 1e-9 * (double)count.total);
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
    print_active(net);
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

/* What a network is worth; no device changes it. */
struct judged {
    bool done;
    struct loss loss;
    char model[128], reference[128], outside[QUALITY_OUTSIDE_TEXT];
};
/* As the table has it. */
struct judged_row {
    const char *model, *reference;
    struct loss loss;
};
static const struct field judged_fields[] = {
    LISTED_TITLE(judged_row, model, UNIT_NONE, "model"),
    LISTED_TITLE(judged_row, loss.loss_delta_nats, UNIT_NATS, "loss"),
    LISTED_TITLE(judged_row, loss.loss_delta_low_nats, UNIT_NATS, "low"),
    LISTED_TITLE(judged_row, loss.loss_delta_high_nats, UNIT_NATS, "high"),
    LISTED_TITLE(judged_row, loss.accuracy_points, UNIT_POINTS, "accuracy"),
    LISTED_TITLE(judged_row, loss.quality_outside, UNIT_NONE, "outside"),
    LISTED_TITLE(judged_row, reference, UNIT_NONE, "against"),
};

static void note_loss(const struct args *args, const struct loss_setting *setting,
                      const struct loss_scale *scale, const struct quality_shape *shape,
                      struct judged *out)
{
    const struct loss_reference *reference = loss_scale_find(scale, shape->vocab);
    loss_scale_describe(scale, shape, &out->loss);
    if (reference != NULL) {
        snprintf(out->outside, sizeof out->outside, "%s", out->loss.quality_outside);
        snprintf(out->reference, sizeof out->reference, "%s", reference->name);
        out->loss.quality_outside = out->outside;
    } else if (setting->has_reference) {
        warn(args, "%s: its vocabulary of %.0f is not the reference's %.0f: its loss stays unknown",
             out->model, shape->vocab, setting->reference.vocab);
    }
}

/* Of a network that the law cannot judge the loss is unknown, and of one that has no reference of its
 * vocabulary and size. */
static enum status judge(const struct args *args, const struct loss_setting *setting,
                         const struct transformer *net, struct judged *out, struct err *err)
{
    struct prediction_row unknown;
    struct quality_shape shape;
    record_clear(&prediction_fields, &unknown);
    out->done = true;
    out->loss = unknown.loss;
    snprintf(out->model, sizeof out->model, "%s", net->name);
    if (setting->law == NULL || quality_shape_of(net, &shape, NULL) != STATUS_OK)
        return STATUS_OK;
    struct loss_scale *scale = memory_new(1, sizeof *scale);
    if (scale == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = loss_setting_scale_for(setting, net, scale, err);
    if (status == STATUS_OK)
        note_loss(args, setting, scale, &shape, out);
    loss_scale_release(scale);
    memory_free(scale);
    return status;
}

static enum status print_losses(const struct judged *judged, int n, struct err *err)
{
    struct listing listing = {0};
    LISTING_FIELDS(&listing, judged_fields);
    for (int i = 0; i < n; i++)
        listing_add(&listing, &(struct judged_row){
                                  judged[i].model,
                                  judged[i].reference[0] != '\0' ? judged[i].reference : NULL,
                                  judged[i].loss,
                              });
    printf("\n");
    enum status status = listing_print(&listing, stdout, err);
    listing_release(&listing);
    return status;
}

/* Types that the device has no rate for, but a relative's. */
static void say_rates(const struct args *args, const struct transformer *net,
                      const struct machine *machine)
{
    bool used[N_DTYPES] = {false};
    transformer_types(net, used);
    for (int type = 0; type < N_DTYPES; type++)
        if (used[type] && machine->rated_as[type] != (enum dtype)type)
            warn(args, "%s on %s: no rate of %s there, that of %s is taken", net->name,
                 machine->device, dtype_name((enum dtype)type),
                 dtype_name(machine->rated_as[type]));
}

static enum status predict_one(const struct args *args, const struct transformer *net,
                               const struct setting *setting, const struct judged *judged,
                               enum mode mode, struct listing *listing, struct err *err)
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
    say_rates(args, net, machine);
    struct prediction_row row;
    predicted_row_make(net, machine, &setting->workload, &price, &row);
    row.loss = judged->loss;
    listing_add(listing, &row);
    return STATUS_OK;
}

static enum status each_model(const struct args *args, const struct setting *setting,
                              const struct loss_setting *loss, struct judged *judged,
                              enum mode mode, struct listing *listing, struct err *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; i < args_n_operands(args) && status == STATUS_OK; i++) {
        struct transformer net;
        status = open_model(args, args_operand(args, i), &net, err);
        if (status != STATUS_OK)
            break;
        if (!judged[i].done)
            status = judge(args, loss, &net, &judged[i], err);
        if (status == STATUS_OK)
            status = predict_one(args, &net, setting, &judged[i], mode, listing, err);
        transformer_release(&net);
    }
    return status;
}

static enum status each_device(const struct args *args, const struct loss_setting *loss,
                               struct judged *judged, enum mode mode, struct listing *listing,
                               struct err *err)
{
    enum status status = STATUS_OK;
    const char *name;
    for (int i = 0; status == STATUS_OK && (name = args_nth(args, "device", i)) != NULL; i++) {
        struct setting setting;
        status = setting_of_options(args, name, &setting, err);
        if (status == STATUS_OK)
            status = each_model(args, &setting, loss, judged, mode, listing, err);
    }
    return status;
}

static enum status print_rows(const struct args *args, const struct listing *listing,
                              const struct judged *judged, struct err *err)
{
    if (args_flag(args, "json"))
        return listing_print_json(listing, stdout, err);
    enum status status = listing_print(listing, stdout, err);
    return status == STATUS_OK ? print_losses(judged, args_n_operands(args), err) : status;
}

static enum status run(const struct args *args, struct err *err)
{
    struct listing listing = {0};
    struct loss_setting loss;
    if (!args_given(args, "device"))
        return err_set(err, STATUS_USAGE, "'predict' needs --device ('lathe devices' lists them)");
    struct judged *judged = memory_new((size_t)args_n_operands(args), sizeof *judged);
    enum status status = loss_setting_of_options(args, &loss, err);
    if (status == STATUS_OK && judged == NULL)
        status = err_set(err, STATUS_NOMEM, "out of memory");
    listing_fields(&listing, &prediction_fields);
    if (status == STATUS_OK && loss.law == NULL)
        warn(args, "losses stay unknown: %s", loss.no_law.message);
    if (status == STATUS_OK)
        status = each_device(args, &loss, judged, MODE_ROWS, &listing, err);
    if (status == STATUS_OK) {
        if (loss.law != NULL)
            loss_setting_say(&loss, 0,
                             loss.has_reference ? loss.reference_name
                                                : "the best uniform shape of each model's size");
        status = print_rows(args, &listing, judged, err);
    }
    if (status == STATUS_OK && args_flag(args, "detail") && !args_flag(args, "json"))
        status = each_device(args, &loss, judged, MODE_DETAIL, &listing, err);
    listing_release(&listing);
    loss_setting_release(&loss);
    memory_free(judged);
    return status;
}

static const struct option options[] = {
    ROW_DEVICE,     ROW_DTYPE,
    ROW_HEAD_DTYPE, ROW_KV_DTYPE,
    ROW_THREADS,    ROW_PROMPT,
    ROW_CONTEXT,    ROW_FLAG("detail", "also show where the time of a token goes"),
    ROWS_QUALITY,   ROW_DB,
    ROW_JSON,       ROWS_END,
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
    .summary = "what a network takes on a device: load, tokens, memory, energy",
    .operands = "MODEL...",
    .operand_values = "@model",
    .min_operands = 1,
    .max_operands = 256,
    .options = options,
    .examples = examples,
    .about =
        "'prefill' is the pass over the prompt, which is the time to first token once a model "
        "is loaded; 'cold TTFT' adds load and init. 'basis' says what the device's numbers "
        "rest on and 'error' how far off such predictions of decode have been in the median "
        "and for nine of ten, of which 'low' and 'high' are the ends; '-' is unknown. 'rule' "
        "is 0.1 J a token per 1e9 parameters "
        "(MobileLLM), a cross-check. 'fits' compares the memory with the share of DRAM that "
        "an app should use. 'loss' is the difference to a reference in nats a token, below 0 "
        "better, "
        "by a law fitted to published runs, with its 90 % interval; 'accuracy' the same in points "
        "of MobileLLM's eight tasks; 'outside' says where the law's data end. The reference is "
        "the best shape of the built-in space, f16, at the model's own parameters (2 %) and "
        "vocabulary, or --reference. Layers that differ cannot be judged: '-'.",
    .run = run,
};
