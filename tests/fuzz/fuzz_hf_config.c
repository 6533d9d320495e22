/* libFuzzer: any bytes as a config.json. What is read must pass its checks, count, list its
 * operators and survive being written and read again. */
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/count.h"
#include "model/hf_config.h"
#include "model/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct transformer *net)
{
    struct param_count params;
    struct weight_bytes bytes;
    struct operator_list list;
    struct op_totals totals;
    transformer_count(net, &params);
    transformer_weight_bytes(net, &bytes);
    if (params.total <= 0 || bytes.total < params.total)
        abort();
    if (ops_decode(net, net->max_context - 1, &list, NULL) == STATUS_OK) {
        ops_totals(&list, &totals);
        ops_release(&list);
    }
    if (net->schedule.n_layers > 256)
        return; /* writing tries every family, block by block */
    struct transformer back;
    char *json = NULL;
    if (hf_config_print(net, &json, NULL, NULL) == STATUS_OK) {
        struct text text = {0};
        text_add(&text, json);
        if (hf_config_parse("config.json", json, (int64_t)text.length, &back, NULL, NULL) !=
                STATUS_OK ||
            !transformer_same_shape(net, &back))
            abort();
        transformer_release(&back);
        text_release(&text);
    }
    memory_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct transformer net;
    struct text warnings = {0};
    struct err err;
    if (hf_config_parse("fuzz/config.json", (const char *)data, (int64_t)size, &net, &warnings,
                        &err) == STATUS_OK) {
        use(&net);
        transformer_release(&net);
    }
    text_release(&warnings);
    return 0;
}
