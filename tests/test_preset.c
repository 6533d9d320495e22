#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/memory.h"
#include "model/hf_config.h"
#include "model/model_arg.h"
#include "model/preset.h"
#include "model/published.h"

static struct err err;

static int64_t count(const struct transformer *net)
{
    struct param_count params;
    transformer_count(net, &params);
    return params.total;
}

static void every_preset_counts_to_the_last_parameter(void **state)
{
    (void)state;
    struct preset_list list;
    assert_int_equal(preset_list_open(&list, &err), STATUS_OK);
    assert_true(list.n >= 59);
    int wrong = 0;
    for (size_t i = 0; i < list.n; i++) {
        struct transformer net;
        if (preset_open(list.items[i].name, &net, &err) != STATUS_OK) {
            print_message("%s\n", err.message);
            wrong++;
            continue;
        }
        if (count(&net) != list.items[i].params) {
            print_message("%s: %lld, expected %lld\n", list.items[i].name, (long long)count(&net),
                          (long long)list.items[i].params);
            wrong++;
        }
        assert_string_equal(net.name, list.items[i].name);
        transformer_release(&net);
    }
    preset_list_release(&list);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_counts_to_the_last_parameter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
