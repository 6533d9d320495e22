#include "costmodel/shape_price.h"

#include <assert.h>
#include <stddef.h>

/* Every count is a line in the depth, so two points give all depths, exactly. */
static int64_t on_line(int64_t one, int64_t two, int64_t n)
{
    return one + (n - 1) * (two - one);
}

static void count_by_line(struct shape_price *shape)
{
    struct transformer *net = &shape->net;
    struct schedule *schedule = &net->schedule;
    const int64_t n = schedule->n_layers;
    if (!shape->line.valid || shape->line.share_ffn != schedule->share_ffn ||
        shape->line.tie_embeddings != net->tie_embeddings) {
        schedule->n_layers = 1;
        count_stored(net, &shape->line.one);
        schedule->n_layers = 2;
        count_stored(net, &shape->line.two);
        schedule->n_layers = n;
        shape->line.share_ffn = schedule->share_ffn;
        shape->line.tie_embeddings = net->tie_embeddings;
        shape->line.valid = true;
    }
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
    assert(!net->blocks);
    out->machine = machine;
    out->workload = *workload;
    out->net = *net;
    enum status status = ops_decode(net, workload->context, &out->decode, NULL);
    assert(status == STATUS_OK);
    status = ops_prefill(net, workload->prompt, &out->prefill, NULL);
    assert(status == STATUS_OK);
    (void)status;
    block_cost(machine, &out->decode.uniform, &out->decode_cost);
    block_cost(machine, &out->prefill.uniform, &out->prefill_cost);
    out->line.valid = false;
    out->prefill_activation_bytes = live_activation_bytes(net, workload->prompt);
}

static void set_schedule(struct operator_list *list, const struct schedule *schedule)
{
    list->schedule = *schedule;
    list->uniform.n_blocks = schedule->n_layers;
}

void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out)
{
    struct pass prefill, decode;
    shape->net.schedule = *schedule;
    shape->net.tie_embeddings = tie_embeddings;
    set_schedule(&shape->decode, schedule);
    set_schedule(&shape->prefill, schedule);
    int64_t table = lookup_table_bytes(&shape->net);
    enum status status =
        pass_walk(shape->machine, &shape->decode, &shape->decode_cost, table, &decode, NULL, NULL);
    assert(status == STATUS_OK); /* a uniform stack allocates nothing */
    status = pass_walk(shape->machine, &shape->prefill, &shape->prefill_cost, table, &prefill, NULL,
                       NULL);
    assert(status == STATUS_OK);
    (void)status;
    count_by_line(shape);
    price_of_passes(&shape->net, shape->machine, &shape->workload, &shape->counted, &prefill,
                    &decode, shape->prefill_activation_bytes, out);
}
