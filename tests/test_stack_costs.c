/* The price of a stack as a sum over its blocks, given the bytes of the pass: against price_network,
 * on random stacks of different blocks, every schedule and machines whose caches end anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "costmodel/totals.h"
#include "device/device.h"
#include "exact/stack_costs.h"
#include "random_stacks.h"

static double sum_of(const struct stack_costs *costs, enum phase phase, const int *class, int64_t n,
                     double *energy)
{
    struct pass_sums total = {0, 0, 0}, before = {0, 0, 0};
    struct pass pass;
    for (int64_t i = 0; i < n; i++) {
        total.own += costs->counts[class[i]].own;
        total.kv += costs->counts[class[i]].kv[phase];
        total.all_kv += costs->counts[class[i]].runs * costs->counts[class[i]].kv[phase];
    }
    int64_t bytes = stack_pass_bytes(costs, phase, &total);
    stack_edge_pass(costs, phase, bytes, &pass);
    double ns = pass.ns;
    *energy = pass_energy_pj(costs->machine, &pass);
    for (int64_t i = 0; i < n; i++) {
        struct pass_sums own = {costs->counts[class[i]].own, costs->counts[class[i]].kv[phase], 0};
        struct stack_place place = {
            i == 0, bytes, stack_whole_bytes(costs, &total), before, {0, 0, 0}};
        place.after =
            (struct pass_sums){total.own - before.own - own.own, total.kv - before.kv - own.kv, 0};
        stack_block_pass(costs, phase, class[i], &place, &pass);
        ns += pass.ns;
        *energy += pass_energy_pj(costs->machine, &pass);
        before = (struct pass_sums){before.own + own.own, before.kv + own.kv, 0};
    }
    return ns;
}

static void a_price_is_a_sum_over_blocks(void **state)
{
    (void)state;
    struct random_state random = {1};
    double worst = 0;
    for (int trial = 0; trial < 3000; trial++) {
        struct random_stacks r;
        struct stack_costs costs;
        struct price price;
        struct transformer net;
        struct err err;
        int class[16];
        double energy;
        random_stacks(&random, trial, &r);
        int64_t n = r.frame.schedule.n_layers;
        for (int64_t i = 0; i < n; i++)
            class[i] = (int)random_below(&random, (uint64_t)r.n_classes);
        if (stack_costs_start(&r.frame, r.classes, r.n_classes, &r.machine, &r.workload, &costs,
                              &err))
            fail_msg("%s", err.message);
        net = r.frame;
        assert_int_equal(stack_set_classes(&net.stack, r.classes, class, n, &err), STATUS_OK);
        assert_int_equal(transformer_settle(&net, &err), STATUS_OK);
        if (stack_is_uniform(&net.stack) && r.frame.schedule.sharing == SHARING_REVERSE) {
            stack_costs_end(&costs); /* its lost rereads are taken in the middle of a run */
            continue;
        }
        assert_int_equal(transformer_check(&net, &err), STATUS_OK);
        if (price_network(&net, &r.machine, &r.workload, &price, NULL, &err))
            fail_msg("%s", err.message);
        double decode = sum_of(&costs, PHASE_DECODE, class, n, &energy) / price.decode_ns;
        worst = fmax(worst, fabs(decode - 1));
        if (!isnan(price.energy_pj_per_token))
            worst = fmax(worst, fabs(energy / price.energy_pj_per_token - 1));
        double prefill = sum_of(&costs, PHASE_PREFILL, class, n, &energy) / price.prefill_ns;
        worst = fmax(worst, fabs(prefill - 1));
        if (worst > 1e-12)
            fail_msg("trial %d, %s x%lld%s: off by %g", trial,
                     sharing_name(r.frame.schedule.sharing), (long long)r.frame.schedule.repeats,
                     r.frame.schedule.share_ffn ? ", shared ffn" : "", worst);
        stack_release(&net.stack);
        stack_costs_end(&costs);
    }
    print_message("worst relative difference %.1e\n", worst);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_price_is_a_sum_over_blocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
