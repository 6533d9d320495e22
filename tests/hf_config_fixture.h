/* A config.json as text, for the tests of model/hf_*. */
#ifndef LATHE_TESTS_HF_CONFIG_FIXTURE_H
#define LATHE_TESTS_HF_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "model/count.h"
#include "model/hf_config.h"

static struct err err;

static inline int64_t count(const struct transformer *net)
{
    struct param_count params;
    transformer_count(net, &params);
    return params.total;
}

static inline enum status parse(const char *json, struct transformer *net, struct text *warnings)
{
    err.message[0] = '\0';
    return hf_config_parse("test.json", json, (int64_t)strlen(json), net, warnings, &err);
}

#define LLAMA \
    "\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 2, " \
    "\"num_attention_heads\": 4, \"intermediate_size\": 128, \"vocab_size\": 100"

#endif
