#include "model/layer_types.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

/* Returns the number of sets. */
static int sort_out(const struct type_set *layers, int64_t n_layers, struct type_set *sets,
                    int *set_of_layer)
{
    int n = 0;
    for (int64_t i = 0; i < n_layers; i++) {
        int set = 0;
        while (set < n && memcmp(&sets[set], &layers[i], sizeof *sets) != 0)
            set++;
        if (set == n)
            sets[n++] = layers[i];
        set_of_layer[i] = set;
    }
    return n;
}

static enum status allocate(int64_t n_sets, int64_t n_layers, struct type_set **sets,
                            int **of_layer, struct err *err)
{
    *sets = memory_new((size_t)n_sets, sizeof **sets);
    *of_layer = memory_new((size_t)n_layers, sizeof **of_layer);
    if (*sets && *of_layer)
        return STATUS_OK;
    memory_free(*sets);
    memory_free(*of_layer);
    return err_set(err, STATUS_NOMEM, "out of memory for the types of %" PRId64 " layers",
                   n_layers);
}

enum status layer_types_set(struct layer_types *types, const struct type_set *layers,
                            int64_t n_layers, struct err *err)
{
    struct type_set *sets;
    int *set_of_layer;
    assert(n_layers >= 1);
    enum status status = allocate(n_layers, n_layers, &sets, &set_of_layer, err);
    if (status)
        return status;
    int n = sort_out(layers, n_layers, sets, set_of_layer);
    layer_types_release(types);
    *types = (struct layer_types){n, sets, set_of_layer};
    return STATUS_OK;
}

void layer_types_release(struct layer_types *types)
{
    memory_free(types->sets);
    memory_free((void *)types->set_of_layer);
    *types = (struct layer_types){0};
}
