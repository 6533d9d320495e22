/* The walk over a pass in runs, against the same walk one execution at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "costmodel/pass.h"
#include "tests/random_net.h"

/* A list that gives each execution its class is walked back execution by execution, whatever the
 * classes are (tests/test_reuse.c holds that walk against a stack kept by hand). */
static void runs_cost_what_their_executions_do_one_by_one(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 41);
    for (int round = 0; round < 2000; round++) {
        struct transformer net;
        struct machine m;
        struct operator_list list;
        struct block_cost cost;
        struct pass in_runs, one_by_one;
        int class_of_block[16] = {0};
        random_net(&rng, &net);
        net.schedule = random_schedule(&rng, 12);
        net.schedule.share_ffn = round % 2 == 0;
        if (round % 5 == 0) /* the FFN alone */
            net.stack.first = (struct block){.mixer = MIXER_NONE, .d_ff = net.stack.first.d_ff};
        random_machine(&rng, &m);
        assert_int_equal(ops_decode(&net, 50, &list, NULL), STATUS_OK);
        /* The level ends, and gives way, somewhere on the way through the blocks. */
        int64_t block = block_weight_bytes(&list.classes[0]);
        m.levels[0].capacity_bytes = rng_between(&rng, block / 2, 16 * block);
        machine_level_spill(&m.levels[0], 4 * m.levels[0].capacity_bytes);
        block_cost(&m, &list.classes[0], &cost);
        assert_int_equal(pass_walk(&m, &list, &cost, 0, &in_runs, NULL, NULL), STATUS_OK);
        list.class_of_block = class_of_block;
        assert_int_equal(pass_walk(&m, &list, &cost, 0, &one_by_one, NULL, NULL), STATUS_OK);
        list.class_of_block = NULL;
        if (fabs(in_runs.ns / one_by_one.ns - 1) > 1e-9)
            fail_msg("%s x%d, %d layers%s: %.0f ns in runs, %.0f one by one",
                     sharing_name(net.schedule.sharing), (int)net.schedule.repeats,
                     (int)net.schedule.n_layers, net.schedule.share_ffn ? ", one FFN" : "",
                     in_runs.ns, one_by_one.ns);
        ops_release(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_cost_what_their_executions_do_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
