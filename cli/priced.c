#include "cli/priced.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/model_source.h"
#include "model/count.h"

static enum status price_one(const struct transformer *net, const struct setting *setting,
                             const char *suffix, struct priced *out, struct err *err)
{
    struct param_count count;
    transformer_count(net, &count);
    snprintf(out->name, sizeof out->name, "%s%s", net->name, suffix);
    snprintf(out->family, sizeof out->family, "%s", net->family);
    out->params_blocks = count.blocks;
    out->n_layers_effective = schedule_executions(&net->schedule);
    out->n_levels = setting->machine.n_levels;
    out->dram = setting->machine.dram;
    for (int level = 0; level < out->n_levels; level++)
        memcpy(out->level[level], setting->machine.levels[level].name, sizeof out->level[level]);
    enum status status =
        price_network(net, &setting->machine, &setting->workload, &out->price, &out->detail, err);
    return status == STATUS_OK
               ? status
               : err_prefix(err, status, "%s on %s: ", net->name, setting->machine.device);
}

enum status priced_add(struct priced_list *list, const struct args *args, const char *model,
                       const struct setting *setting, const char *suffix, struct err *err)
{
    struct transformer net;
    enum status status =
        memory_grow((void **)&list->items, &list->capacity, list->n + 1, sizeof *list->items, err);
    if (status == STATUS_OK)
        status = open_model(args, model, &net, err);
    if (status != STATUS_OK)
        return status;
    if (setting->has_dtype && !args_given(args, "dtype")) {
        transformer_set_dtype(&net, setting->dtype);
        net.kv_dtype = setting->kv_dtype;
    }
    status = price_one(&net, setting, suffix, &list->items[list->n], err);
    transformer_release(&net);
    if (status == STATUS_OK)
        list->n++;
    return status;
}

void priced_release(struct priced_list *list)
{
    memory_free(list->items);
    *list = (struct priced_list){0};
}
