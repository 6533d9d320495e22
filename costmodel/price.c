#include "costmodel/price.h"

#include <inttypes.h>

#include "base/memory.h"
#include "costmodel/pass.h"
#include "costmodel/totals.h"

/* A list is moved by pointer only: it may point inside itself. */
static enum status price_list(const struct transformer *net, const struct machine *machine,
                              const struct operator_list *list, struct pass *pass,
                              struct price_detail *detail, struct err *err)
{
    enum status status = STATUS_OK;
    struct block_cost *costs = memory_new((size_t)list->n_classes, sizeof *costs);
    if (!costs)
        return err_set(err, STATUS_NOMEM, "out of memory for %d block classes", list->n_classes);
    for (int c = 0; c < list->n_classes; c++)
        block_cost(machine, &list->classes[c], &costs[c]);
    status = pass_walk(machine, list, costs, lookup_table_bytes(net), pass, detail, err);
    memory_free(costs);
    return status;
}

enum status price_network(const struct transformer *net, const struct machine *machine,
                          const struct workload *workload, struct price *out,
                          struct price_detail *detail, struct err *err)
{
    if (workload->prompt < 1 || workload->prompt > net->max_context)
        return err_set(err, STATUS_RANGE, "prompt of %" PRId64 " tokens: '%s' takes 1 to %" PRId64,
                       workload->prompt, net->name, net->max_context);
    if (workload->context < 0 || workload->context >= net->max_context)
        return err_set(err, STATUS_RANGE, "context of %" PRId64 " tokens: '%s' takes 0 to %" PRId64,
                       workload->context, net->name, net->max_context - 1);
    struct operator_list list = {0};
    struct pass prefill, decode;
    enum status status = ops_prefill(net, workload->prompt, &list, err);
    if (status)
        return status;
    int64_t live = live_activation_bytes(net, workload->prompt);
    status = price_list(net, machine, &list, &prefill, NULL, err);
    ops_release(&list);
    if (status || (status = ops_decode(net, workload->context, &list, err)))
        return status;
    status = price_list(net, machine, &list, &decode, detail, err);
    ops_release(&list);
    if (!status) {
        struct counted counted;
        count_stored(net, &counted);
        price_of_passes(net, machine, workload, &counted, &prefill, &decode, live, out);
    }
    return status;
}
