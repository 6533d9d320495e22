#include "costmodel/shape_price.h"

#include <assert.h>
#include <stddef.h>

#include "base/memory.h"

/* Every count is a line in the depth, so two points give all depths, exactly. */
static int64_t on_line(int64_t one, int64_t two, int64_t n)
{
    return one + (n - 1) * (two - one);
}

static void find_line(struct shape_price *shape, int class)
{
    struct transformer *net = &shape->net;
    struct schedule *schedule = &net->schedule;
    const int64_t n = schedule->n_layers;
    schedule->n_layers = 1;
    count_stored(net, &shape->line.one);
    schedule->n_layers = 2;
    count_stored(net, &shape->line.two);
    schedule->n_layers = n;
    shape->line.class = class;
    shape->line.share_ffn = schedule->share_ffn;
    shape->line.tie_embeddings = net->tie_embeddings;
    shape->line.live_bytes = live_activation_bytes(net, shape->workload.prompt);
    shape->line.valid = true;
}

static void count_by_line(struct shape_price *shape, int class)
{
    const struct transformer *net = &shape->net;
    const int64_t n = net->schedule.n_layers;
    if (!shape->line.valid || shape->line.class != class ||
        shape->line.share_ffn != net->schedule.share_ffn ||
        shape->line.tie_embeddings != net->tie_embeddings)
        find_line(shape, class);
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

/* The operators are listed. */
static enum status cost_classes(const struct machine *machine, struct phase_price *phase,
                                struct err *err)
{
    const int n = phase->list.n_classes;
    phase->classes = phase->list.classes;
    phase->costs = n == 1 ? &phase->one : memory_new((size_t)n, sizeof *phase->costs);
    if (!phase->costs)
        return err_set(err, STATUS_NOMEM, "out of memory for %d block classes", n);
    for (int c = 0; c < n; c++)
        block_cost(machine, &phase->classes[c], &phase->costs[c]);
    return STATUS_OK;
}

static void release(struct phase_price *phase)
{
    phase->list.classes = phase->classes;
    ops_release(&phase->list);
    if (phase->costs != &phase->one)
        memory_free(phase->costs);
    phase->costs = NULL;
}

enum status price_shape(const struct transformer *net, const struct machine *machine,
                        const struct workload *workload, struct shape_price *out, struct err *err)
{
    out->machine = machine;
    out->workload = *workload;
    out->n_classes = stack_n_classes(&net->stack);
    out->table = net->stack;
    out->table.class_of_block = NULL;
    out->net = *net;
    out->net.stack = out->table;
    out->line.valid = false;
    out->decode.classes = out->prefill.classes = NULL;
    out->decode.costs = out->prefill.costs = NULL;
    out->prefill.list.classes = NULL;
    enum status status = ops_decode(&out->net, workload->context, &out->decode.list, err);
    if (!status)
        status = cost_classes(machine, &out->decode, err);
    if (!status)
        status = ops_prefill(&out->net, workload->prompt, &out->prefill.list, err);
    if (!status)
        status = cost_classes(machine, &out->prefill, err);
    if (status)
        price_shape_release(out);
    return status;
}

void price_shape_release(struct shape_price *shape)
{
    release(&shape->decode);
    release(&shape->prefill);
}

/* A stack as the walk over it takes it: of `n_classes` from class `first` on, all blocks of that
 * one or by a sequence. */
struct selection {
    int first, n_classes;
    const int *class_of_block;
    const struct schedule *schedule;
};

static enum status price_phase(const struct shape_price *shape, struct phase_price *phase,
                               const struct selection *selection, struct pass *pass,
                               struct err *err)
{
    phase->list.classes = phase->classes + selection->first;
    phase->list.n_classes = selection->n_classes;
    ops_set_stack(&phase->list, selection->schedule, selection->class_of_block);
    return pass_walk(shape->machine, &phase->list, phase->costs + selection->first,
                     lookup_table_bytes(&shape->net), pass, NULL, err);
}

static void set_net(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings)
{
    shape->net.schedule = *schedule;
    shape->net.tie_embeddings = tie_embeddings;
}

static void price_uniform(struct shape_price *shape, int class, const struct schedule *schedule,
                          bool tie_embeddings, struct price *out)
{
    struct pass prefill, decode;
    struct selection selection = {class, 1, NULL, schedule};
    set_net(shape, schedule, tie_embeddings);
    shape->net.stack = (struct stack){.first = *stack_class(&shape->table, class)};
    enum status status = price_phase(shape, &shape->decode, &selection, &decode, NULL);
    assert(status == STATUS_OK); /* a uniform stack allocates nothing */
    status = price_phase(shape, &shape->prefill, &selection, &prefill, NULL);
    assert(status == STATUS_OK);
    (void)status;
    count_by_line(shape, class);
    price_of_passes(&shape->net, shape->machine, &shape->workload, &shape->counted, &prefill,
                    &decode, shape->line.live_bytes, out);
}

void price_schedule(struct shape_price *shape, const struct schedule *schedule, bool tie_embeddings,
                    struct price *out)
{
    price_uniform(shape, 0, schedule, tie_embeddings, out);
}

static bool are_all_equal(const int *ids, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (ids[i] != ids[0])
            return false;
    return true;
}

enum status price_sequence(struct shape_price *shape, const int *class_of_block,
                           const struct schedule *schedule, bool tie_embeddings, struct price *out,
                           struct err *err)
{
    if (are_all_equal(class_of_block, schedule->n_layers)) {
        price_uniform(shape, class_of_block[0], schedule, tie_embeddings, out);
        return STATUS_OK;
    }
    struct pass prefill, decode;
    struct selection selection = {0, shape->n_classes, class_of_block, schedule};
    set_net(shape, schedule, tie_embeddings);
    shape->net.stack = shape->table;
    shape->net.stack.class_of_block = class_of_block;
    enum status status = price_phase(shape, &shape->decode, &selection, &decode, err);
    if (!status)
        status = price_phase(shape, &shape->prefill, &selection, &prefill, err);
    if (status)
        return status;
    count_stored(&shape->net, &shape->counted);
    price_of_passes(&shape->net, shape->machine, &shape->workload, &shape->counted, &prefill,
                    &decode, live_activation_bytes(&shape->net, shape->workload.prompt), out);
    return STATUS_OK;
}
