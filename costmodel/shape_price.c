#include "costmodel/shape_price.h"

#include <assert.h>
#include <stddef.h>

/* Every count is a line in the depth, so two points give all depths, exactly. */
static int64_t on_line(int64_t one, int64_t two, int64_t n)
{
    return one + (n - 1) * (two - one);
}

static void find_line(struct shape_price *shape)
{
    struct transformer *net = &shape->net;
    struct schedule *schedule = &net->schedule;
    const int64_t n = schedule->n_layers;
    schedule->n_layers = 1;
    count_stored(net, &shape->line.one);
    schedule->n_layers = 2;
    count_stored(net, &shape->line.two);
    schedule->n_layers = n;
    shape->line.share_ffn = schedule->share_ffn;
    shape->line.tie_embeddings = net->tie_embeddings;
    shape->line.live_bytes = live_activation_bytes(net, shape->workload.prompt);
    shape->line.valid = true;
}

static void count_by_line(struct shape_price *shape)
{
    const struct transformer *net = &shape->net;
    const int64_t n = net->schedule.n_layers;
    if (!shape->line.valid || shape->line.share_ffn != net->schedule.share_ffn ||
        shape->line.tie_embeddings != net->tie_embeddings)
        find_line(shape);
    const struct counted *a = &shape->line.one, *b = &shape->line.two;
    struct counted *out = &shape->counted;
    *out = *a;
#define LINE(field) out->field = on_line(a->field, b->field, n)
    LINE(params.attention);
    LINE(params.ffn);
    LINE(params.norms);
    LINE(params.blocks);
    LINE(params.total);
    LINE(bytes.blocks);
    LINE(bytes.total);
#undef LINE
}

void price_shape(const struct transformer *net, const struct machine *machine,
                 const struct workload *workload, struct shape_price *out)
{
    assert(stack_is_uniform(&net->stack));
    out->machine = machine;
    out->workload = *workload;
    out->net = *net;
    out->line.valid = false;
    enum status status = ops_decode(&out->net, workload->context, &out->decode.list, NULL);
    assert(status == STATUS_OK); /* a uniform stack allocates nothing */
    status = ops_prefill(&out->net, workload->prompt, &out->prefill.list, NULL);
    assert(status == STATUS_OK);
    (void)status;
    block_cost(machine, out->decode.list.classes, &out->decode.cost);
    block_cost(machine, out->prefill.list.classes, &out->prefill.cost);
}

static void price_phase(const struct shape_price *shape, struct phase_price *phase,
                        struct pass *pass)
{
    ops_set_schedule(&phase->list, &shape->net.schedule);
    enum status status = pass_walk(shape->machine, &phase->list, &phase->cost,
                                   lookup_table_bytes(&shape->net), pass, NULL, NULL);
    assert(status == STATUS_OK); /* as above */
    (void)status;
}

void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out)
{
    struct pass prefill, decode;
    shape->net.schedule = *schedule;
    shape->net.tie_embeddings = tie_embeddings;
    price_phase(shape, &shape->decode, &decode);
    price_phase(shape, &shape->prefill, &prefill);
    count_by_line(shape);
    price_of_passes(&shape->net, shape->machine, &shape->workload, &shape->counted, &prefill,
                    &decode, shape->line.live_bytes, out);
}
