#include "cli/advice_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "cli/quality_listing.h"

static const char *sharing_words(enum sharing sharing)
{
    switch (sharing) {
    case SHARING_IMMEDIATE:
        return "in a row";
    case SHARING_REPEAT_ALL:
        return "one round after another";
    case SHARING_REVERSE:
        return "back and forth";
    default:
        return "";
    }
}

/* "30 layers of 576", and how often each runs. */
static void add_short(struct text *out, const struct candidate *c)
{
    text_addf(out, "%lld layers of %lld", (long long)c->schedule.n_layers,
              (long long)c->row.d_model);
    if (c->schedule.repeats > 1)
        text_addf(out, ", each run %lld times %s", (long long)c->schedule.repeats,
                  sharing_words(c->schedule.sharing));
}

static void add_shape(struct text *out, const struct candidate *c)
{
    const struct candidate_row *row = &c->row;
    char params[32];
    add_short(out, c);
    text_addf(out,
              ", %lld heads of %lld on %lld KV head%s, FFN %lld (%s)%s, %s for %lld tokens: %s "
              "parameters in %s",
              (long long)row->n_heads, (long long)row->d_head, (long long)row->n_kv_heads,
              row->n_kv_heads == 1 ? "" : "s", (long long)row->d_ff, row->ffn_kind,
              c->schedule.share_ffn ? " for all layers" : "",
              row->tie_embeddings == 1 ? "one table" : "a table and a head",
              (long long)row->vocab_size, format_count(row->params, params, sizeof params),
              row->dtype);
}

/* Large numbers in groups of three, small ones with a digit behind the point. */
static void add_amount(struct text *out, double value)
{
    char digits[32];
    snprintf(digits, sizeof digits, value < 99.95 ? "%.1f" : "%.0f", value);
    size_t whole = strcspn(digits, ".");
    for (size_t i = 0; digits[i] != '\0'; i++)
        text_addf(out, "%s%c", i > 0 && i < whole && (whole - i) % 3 == 0 ? "," : "", digits[i]);
}

/* "1T", "2.5B". */
static void add_tokens(struct text *out, double tokens)
{
    static const struct {
        double unit;
        const char *suffix;
    } units[] = {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1, ""}};
    size_t i = 0;
    while (tokens < units[i].unit && units[i].unit > 1)
        i++;
    text_addf(out, "%.4g%s tokens", tokens / units[i].unit, units[i].suffix);
}

/* "decode 5.9 ms (5.1 to 6.8), cold start to first token 310 ms, 260 MB". */
static void add_price(struct text *out, const struct price *price)
{
    char decode[32], low[32], high[32], cold[32], memory[32];
    text_addf(out, "decode %s", format_time_ns(price->decode_ns, decode, sizeof decode));
    if (!isnan(price->decode_ns_low))
        text_addf(out, " (%s to %s)", format_time_ns(price->decode_ns_low, low, sizeof low),
                  format_time_ns(price->decode_ns_high, high, sizeof high));
    text_addf(out, ", cold start to first token %s, memory %s",
              format_time_ns(price->ttft_cold_ns, cold, sizeof cold),
              format_bytes((double)price->peak_bytes, memory, sizeof memory));
}

static void add_cost(struct text *out, const struct advise_question *q, const struct advised *a)
{
    const struct training_cost *cost = &a->answer.cost;
    text_add(out, "cost     ");
    add_price(out, &a->answer.candidate.row.price);
    text_add(out, "; training on ");
    add_tokens(out, q->loss->tokens);
    text_addf(out, " %.1e FLOP, ", cost->flop);
    add_amount(out, cost->gpu_hours);
    text_addf(out, " GPU-hours of %s\n", q->gpu->title);
}

/* "31 % faster"; what the other has beside the answer. */
static void add_trade(struct text *out, const struct advised_pair *answer_beside)
{
    double other =
        1 / (1 + answer_beside->decode_frac) - 1; /* its time over the answer's, less 1 */
    double nats = -answer_beside->loss.nats;
    text_addf(out, "decodes in %.0f %% %s time, expected loss %.3f nats %s (%.3f to %.3f)",
              100 * fabs(other), other < 0 ? "less" : "more", fabs(nats),
              nats < 0 ? "lower" : "higher", -answer_beside->loss.high_nats,
              -answer_beside->loss.low_nats);
}

static void add_runner_up(struct text *out, const struct advised *a)
{
    text_add(out, "instead  ");
    if (!advised_has(&a->runner_up)) {
        text_add(out, "no network of another kind is left\n");
        return;
    }
    add_short(out, &a->runner_up.candidate);
    text_add(out, ": ");
    add_trade(out, &a->over_runner_up);
    text_addf(out, "%s\n",
              a->over_runner_up.loss.indistinguishable ? ", which cannot be told apart" : "");
}

static void add_sure(struct text *out, const struct advised *a)
{
    char outside[128];
    text_add(out, "sure     ");
    if (advised_has(&a->runner_up))
        text_addf(out, "%.0f %% that its loss is lower than the runner-up's",
                  100 * a->over_runner_up.loss.probability);
    if (advised_has(&a->wide) && !advised_same(&a->wide, &a->runner_up)) {
        text_addf(out, "%s%.0f %% than that of ", advised_has(&a->runner_up) ? ", " : "",
                  100 * a->over_wide.loss.probability);
        add_short(out, &a->wide.candidate);
    }
    if (advised_has(&a->runner_up) || advised_has(&a->wide))
        text_add(out, "; ");
    if (isnan(a->decode_interval_frac))
        text_add(out, "nobody has checked times on this device");
    else
        text_addf(out, "times are known to %.0f %%%s", 100 * a->decode_interval_frac,
                  !advised_has(&a->runner_up)      ? ""
                  : a->over_runner_up.decode_apart ? ", enough to tell the two apart"
                                                   : ", too little to tell the two apart");
    if (a->outside != 0)
        text_addf(out, "; beyond the losses it is fitted to: %s",
                  quality_outside_text(a->outside, outside, sizeof outside));
    text_add(out, "\n");
}

static void add_run(struct text *out, const struct quality_next_run *run)
{
    text_addf(out, "%.0f layers of %.0f on ", run->shape.n_layers, run->shape.d_model);
    add_tokens(out, run->tokens);
}

static void add_settle(struct text *out, const struct advised *a)
{
    const struct advised_pair *pair =
        advised_has(&a->runner_up) ? &a->over_runner_up : &a->over_wide;
    text_add(out, "settle   ");
    if (a->plan.n_contenders < 2) {
        text_add(out, "there is nothing to settle\n");
        return;
    }
    text_addf(out, "%.3f nats between the two are known to +-%.3f%s; ", fabs(pair->loss.nats),
              a->plan.half_nats, a->settled ? ", settled as far as the law goes" : "");
    for (int i = 0; i < a->n_runs; i++) {
        text_add(out, i > 0 ? ", " : "training ");
        add_run(out, &a->runs[i]);
    }
    if (a->n_runs > 0) {
        text_addf(out, " brings that to +-%.3f%s for ", a->runs[a->n_runs - 1].half_nats,
                  a->settled   ? ""
                  : a->settles ? ", which settles it,"
                               : ", which does not settle it,");
        add_amount(out, a->runs_gpu_hours);
        text_add(out, " GPU-hours");
    } else {
        text_add(out, "no runs of a tenth of the cost say more");
    }
    text_add(out, "; training both networks takes ");
    add_amount(out, a->plan.contenders_gpu_hours);
    text_add(out, "\n");
}

void advice_words(const struct advise_question *question, int device, const struct advised *advised,
                  struct text *out)
{
    if (question->n_devices > 1)
        text_addf(out, "%s\n", question->device[device]);
    text_add(out, "train    ");
    add_shape(out, &advised->answer.candidate);
    text_add(out, "\n");
    add_cost(out, question, advised);
    add_runner_up(out, advised);
    add_sure(out, advised);
    add_settle(out, advised);
}

void compromise_words(const struct advise_question *question, const struct advised *on,
                      const struct advised_all *all, struct text *out)
{
    const struct advice_compromise *choice = &all->compromise;
    bool agree = true;
    for (int d = 1; d < question->n_devices; d++)
        agree = agree && advised_same(&on[d].answer, &on[0].answer);
    text_add(out, "for all  ");
    if (choice->option == ADVICE_NONE) {
        text_add(out, "no network is within the limits on every device\n");
        return;
    }
    if (agree) {
        text_add(out, "the answers agree\n");
        return;
    }
    add_shape(out, &all->on[0].candidate);
    for (int d = 0; d < question->n_devices; d++) {
        double slower = 100 * choice->slower_frac[d];
        text_addf(out, "; %s decodes it in %.0f %% %s time than its own answer, loss %+.3f nats",
                  question->device[d], fabs(slower), slower < 0 ? "less" : "more",
                  choice->loss_nats[d]);
    }
    text_add(out, "\n");
}

static void network_json(const struct advised_network *network, struct json_node *parent,
                         const char *key)
{
    if (!advised_has(network)) {
        json_add_null(parent, key);
        return;
    }
    struct json_node *object = json_add_object(parent, key);
    json_add_string(object, "name", network->name);
    for (int i = 0; i < candidate_fields.n; i++)
        if (candidate_fields.field[i].places & IN_JSON && candidate_fields.field[i].unit != UNIT_ID)
            field_json(&candidate_fields.field[i], &network->candidate.row, object);
    json_add_number(object, "train_flop", network->cost.flop);
    json_add_number(object, "utilisation_frac", network->cost.utilisation_frac);
    json_add_number(object, "gpu_hours", network->cost.gpu_hours);
}

static void pair_json(const struct advised_pair *pair, bool is_there, bool times_known,
                      struct json_node *parent, const char *key)
{
    if (!is_there) {
        json_add_null(parent, key);
        return;
    }
    struct json_node *object = json_add_object(parent, key);
    json_add_number(object, "loss_nats", pair->loss.nats);
    json_add_number(object, "loss_low_nats", pair->loss.low_nats);
    json_add_number(object, "loss_high_nats", pair->loss.high_nats);
    json_add_number(object, "probability", pair->loss.probability);
    json_add_bool(object, "indistinguishable", pair->loss.indistinguishable);
    json_add_number(object, "accuracy_points", pair->loss.points);
    json_add_number(object, "decode_frac", pair->decode_frac);
    if (times_known)
        json_add_bool(object, "decode_apart", pair->decode_apart);
    else
        json_add_null(object, "decode_apart");
}

static void settle_json(const struct advised *a, struct json_node *parent)
{
    struct json_node *object = json_add_object(parent, "settle");
    bool open = a->plan.n_contenders >= 2;
    json_add_number(object, "half_nats_before", open ? a->plan.half_nats : (double)NAN);
    json_add_number(object, "half_nats_after",
                    a->n_runs > 0 ? a->runs[a->n_runs - 1].half_nats : (double)NAN);
    json_add_bool(object, "settled", open && a->settled);
    json_add_bool(object, "settles", open && a->settles);
    json_add_number(object, "gpu_hours", a->runs_gpu_hours);
    json_add_number(object, "contenders_gpu_hours", a->plan.contenders_gpu_hours);
    struct json_node *runs = json_add_array(object, "runs");
    struct listing listing = {0};
    list_quality_next_runs(&listing, a->runs, a->n_runs);
    for (size_t i = 0; i < listing_rows(&listing); i++)
        listing_row_json(&listing, i, json_add_object(runs, NULL));
    listing_release(&listing);
}

static void compromise_json(const struct advise_question *q, const struct advised_all *all,
                            struct json_node *root)
{
    const struct advice_compromise *choice = &all->compromise;
    if (choice->option == ADVICE_NONE) {
        json_add_null(root, "compromise");
        return;
    }
    struct json_node *object = json_add_object(root, "compromise");
    json_add_number(object, "worst_regret_nats", choice->worst_regret_nats);
    struct json_node *on = json_add_array(object, "on");
    for (int d = 0; d < q->n_devices; d++) {
        struct json_node *device = json_add_object(on, NULL);
        json_add_string(device, "device", q->device[d]);
        json_add_number(device, "regret_nats", choice->regret_nats[d]);
        json_add_number(device, "slower_frac", choice->slower_frac[d]);
        json_add_number(device, "loss_nats", choice->loss_nats[d]);
        network_json(&all->on[d], device, "network");
    }
}

struct json_node *advice_json(const struct advise_question *question, const struct advised *on,
                              const struct advised_all *all)
{
    struct json_node *root = json_new_object();
    const struct loss_scale *loss = question->loss;
    json_add_int(root, "budget_min", question->enumeration->budget.min);
    json_add_int(root, "budget_max", question->enumeration->budget.max);
    json_add_number(root, "train_tokens", loss->tokens);
    json_add_string(root, "law", loss->law->name);
    if (loss->recipe == QUALITY_NO_RECIPE)
        json_add_null(root, "recipe");
    else
        json_add_string(root, "recipe", loss->law->recipes[loss->recipe].name);
    json_add_string(root, "quality_reference", loss->reference[0].name);
    json_add_string(root, "gpu", question->gpu->title);
    json_add_string(root, "utilisation_source", training_utilisation_source);
    json_add_number(root, "time_nats", all->time_nats);
    struct json_node *answers = json_add_array(root, "answers");
    for (int d = 0; d < question->n_devices; d++) {
        const struct advised *a = &on[d];
        bool times_known = !isnan(a->decode_interval_frac);
        struct json_node *object = json_add_object(answers, NULL);
        json_add_string(object, "device", question->device[d]);
        json_add_number(object, "decode_interval_frac", a->decode_interval_frac);
        network_json(&a->answer, object, "answer");
        network_json(&a->runner_up, object, "runner_up");
        network_json(&a->wide, object, "wide");
        pair_json(&a->over_runner_up, advised_has(&a->runner_up), times_known, object,
                  "over_runner_up");
        pair_json(&a->over_wide, advised_has(&a->wide), times_known, object, "over_wide");
        settle_json(a, object);
    }
    compromise_json(question, all, root);
    return root;
}
