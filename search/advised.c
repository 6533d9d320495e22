#include "search/advised.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "device/interval.h"

bool advised_has(const struct advised_network *network)
{
    return network->candidate.row.id != UNKNOWN_INT;
}

bool advised_same(const struct advised_network *a, const struct advised_network *b)
{
    return a->candidate.row.id == b->candidate.row.id;
}

static enum status keep_first(const struct candidate *candidates, int64_t n, void *user,
                              struct err *err)
{
    (void)err;
    assert(n > 0);
    *(struct candidate *)user = candidates[0];
    return STATUS_OK;
}

/* The candidate `id`, from an enumeration of its shape alone. */
static enum status find_candidate(const struct advise_question *q, int device, size_t id,
                                  struct candidate *out, struct err *err)
{
    struct enumeration one = *q->enumeration;
    const struct enumerate_options options = {
        .n_jobs = 1, .first_id = (int64_t)id, .loss = q->loss};
    size_t low = 0, high = one.n_shapes;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (one.shapes[middle].first_id <= (int64_t)id)
            low = middle;
        else
            high = middle;
    }
    one.shapes += low;
    one.n_shapes = 1;
    return enumerate_candidates(&one, q->machine[device], &q->workload, &options, keep_first, out,
                                err);
}

static enum status describe(const struct advise_question *q, struct advised_network *network,
                            struct err *err)
{
    struct transformer net;
    enum status status = candidate_transformer(&network->candidate, &net, err);
    if (status != STATUS_OK)
        return status;
    snprintf(network->name, sizeof network->name, "%.127s", net.name);
    transformer_release(&net);
    if (!candidate_shape(&network->candidate, &network->shape))
        return err_set(err, STATUS_UNSUPPORTED, "the law of loss knows no layers that differ");
    network->candidate.row.on_front = UNKNOWN_INT; /* nobody looked */
    loss_scale_describe(q->loss, &network->shape, &network->candidate.row.loss);
    return STATUS_OK;
}

static enum status look_up(const struct advise_question *q, int device, size_t option,
                           struct advised_network *out, struct err *err)
{
    const struct loss_scale *loss = q->loss;
    enum status status;
    out->candidate.row.id = UNKNOWN_INT;
    if (option == ADVICE_NONE)
        return STATUS_OK;
    if ((status = find_candidate(q, device, option, &out->candidate, err)) ||
        (status = describe(q, out, err)))
        return status;
    assert(out->candidate.row.id == (int64_t)option);
    quality_predict(loss->law, loss->recipe, &out->shape, loss->tokens, &out->prediction);
    training_cost_of(&out->shape, loss->tokens, q->gpu, &out->cost);
    return STATUS_OK;
}

static void compare(const struct quality_law *law, const struct advised_network *a,
                    const struct advised_network *b, struct advised_pair *out)
{
    const struct price *x = &a->candidate.row.price, *y = &b->candidate.row.price;
    if (!advised_has(b))
        return;
    quality_compare(law, &a->prediction, &b->prediction, &out->loss);
    out->decode_frac = x->decode_ns / y->decode_ns - 1;
    out->decode_apart =
        !isnan(x->decode_ns_low) && !intervals_overlap(x->decode_ns_low, x->decode_ns_high,
                                                       y->decode_ns_low, y->decode_ns_high);
}

static enum status propose_runs(const struct advise_question *q, struct advised *out,
                                struct err *err)
{
    const struct candidate_row *row = &out->answer.candidate.row;
    const struct loss_scale *loss = q->loss;
    const char *recipe =
        loss->recipe == QUALITY_NO_RECIPE ? NULL : loss->law->recipes[loss->recipe].name;
    bool has_runner_up = advised_has(&out->runner_up);
    const struct advised_network *other = has_runner_up ? &out->runner_up : &out->wide;
    const struct advised_pair *pair = has_runner_up ? &out->over_runner_up : &out->over_wide;
    out->plan = (struct quality_plan){.total_params = (double)row->params,
                                      .tokens = loss->tokens,
                                      .vocab = (double)row->vocab_size,
                                      .tied = row->tie_embeddings == 1,
                                      .n_given = 2,
                                      .contenders = {out->answer.shape, other->shape}};
    if (!advised_has(other))
        return STATUS_OK;
    enum status status =
        quality_next_runs(loss->law, recipe, q->gpu, ADVISED_RUN_FRAC * out->answer.cost.gpu_hours,
                          &out->plan, ADVISED_RUNS, out->runs, &out->n_runs, err);
    if (out->n_runs > 0 && out->runs[out->n_runs - 1].half_nats >= out->plan.half_nats)
        out->n_runs = 0;
    for (int i = 0; i < out->n_runs; i++)
        out->runs_gpu_hours += out->runs[i].cost.gpu_hours;
    out->settled = fabs(pair->loss.nats) > out->plan.half_nats;
    if (out->n_runs > 0)
        out->settles = fabs(pair->loss.nats) > out->runs[out->n_runs - 1].half_nats;
    return status;
}

static unsigned outside(const struct advised_network *network)
{
    return advised_has(network) ? network->prediction.outside : 0;
}

static enum status advise_one(const struct advise_question *q, int device,
                              const struct advice *advice, struct advised *out, struct err *err)
{
    enum status status;
    *out = (struct advised){.decode_interval_frac = interval_frac(q->machine[device])};
    if ((status = look_up(q, device, advice->answer, &out->answer, err)) ||
        (status = look_up(q, device, advice->runner_up, &out->runner_up, err)) ||
        (status = look_up(q, device, advice->wide, &out->wide, err)))
        return status;
    compare(q->loss->law, &out->answer, &out->runner_up, &out->over_runner_up);
    compare(q->loss->law, &out->answer, &out->wide, &out->over_wide);
    out->outside = outside(&out->answer) | outside(&out->runner_up) | outside(&out->wide);
    return propose_runs(q, out, err);
}

static enum status price_all(const struct advise_question *q, int device,
                             struct advice_table *table, struct err *err)
{
    struct advice_taker taker;
    const struct enumerate_options options = {.loss = q->loss};
    advice_taker_init(&taker, table, device, &q->limits);
    enum status status = enumerate_candidates(q->enumeration, q->machine[device], &q->workload,
                                              &options, advice_take, &taker, err);
    return status == STATUS_OK ? advice_taken(&taker, q->device[device], err) : status;
}

/* What an e-fold more block parameters gain where width and depth grow alike. */
static double gain_of_size(const struct advise_question *q, const struct advised_network *network)
{
    struct quality_shape larger = network->shape;
    struct quality_prediction prediction;
    double factor = cbrt(2); /* blocks are width^2 depth: twice as many */
    larger.d_model *= factor;
    larger.d_ff *= factor;
    larger.n_heads *= factor;
    larger.n_kv_heads *= factor;
    larger.n_layers *= factor;
    quality_predict(q->loss->law, q->loss->recipe, &larger, q->loss->tokens, &prediction);
    return fmax(0, network->prediction.loss_nats - prediction.loss_nats) / log(2);
}

static enum status price_time(const struct advise_question *q, struct advice_table *table,
                              struct err *err)
{
    struct advised_network network;
    size_t best = 0;
    if (advice_limits_decode(&q->limits))
        return STATUS_OK;
    for (size_t i = 1; i < table->n; i++)
        if (table->option[i].loss_nats < table->option[best].loss_nats)
            best = i;
    enum status status = look_up(q, 0, best, &network, err);
    if (status == STATUS_OK)
        table->time_nats = ADVISED_TIME_SHARE * gain_of_size(q, &network);
    return status;
}

enum status advise(const struct advise_question *question, struct advised *on,
                   struct advised_all *all, struct err *err)
{
    const struct advise_question *q = question;
    struct advice_table table;
    struct advice advice[MAX_ADVICE_DEVICES];
    enum status status =
        advice_table_init(&table, (size_t)q->enumeration->count, q->n_devices, err);
    for (int d = 0; d < q->n_devices && status == STATUS_OK; d++)
        status = price_all(q, d, &table, err);
    if (status == STATUS_OK)
        status = price_time(q, &table, err);
    for (int d = 0; d < q->n_devices && status == STATUS_OK; d++) {
        advice_choose(&table, d, &advice[d]);
        status = advise_one(q, d, &advice[d], &on[d], err);
    }
    if (status == STATUS_OK) {
        all->time_nats = table.time_nats;
        advice_compromise(&table, advice, &all->compromise);
    }
    for (int d = 0; d < q->n_devices && status == STATUS_OK; d++)
        status = look_up(q, d, all->compromise.option, &all->on[d], err);
    advice_table_release(&table);
    return status;
}
