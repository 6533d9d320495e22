/* Prices by segments against the walk, depth by depth: equal to the bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "costmodel/segment_price.h"
#include "costmodel/shape_price.h"
#include "tests/random_net.h"

enum { MOST_LAYERS = 90, ROOM = MOST_LAYERS + DEPTH_STEP };

/* Levels of every size, so that distances cross them within a few layers. */
static void sharp_machine(struct rng *rng, struct machine *m)
{
    random_machine(rng, m);
    machine_level_spill(&m->levels[0], 0);
    m->levels[1].capacity_bytes = m->levels[0].capacity_bytes * rng_between(rng, 1, 40);
    if (rng_between(rng, 0, 2) == 0)
        m->overlap_frac = 0;
}

static struct segment_phase phase_of(struct phase_price *price, const struct machine *machine,
                                     struct edge_cost *edges)
{
    edge_cost_of(machine, &price->list, edges);
    struct segment_phase phase;
    segment_phase_init(&phase, machine, &price->cost, edges);
    return phase;
}

static void check_depths(struct shape_price *shape, const struct machine *m,
                         struct schedule schedule, bool tied, int64_t low)
{
    struct edge_cost edges[2];
    struct segment_phase decode = phase_of(&shape->decode, m, &edges[0]);
    struct segment_phase prefill = phase_of(&shape->prefill, m, &edges[1]);
    struct transformer net = shape->net;
    net.tie_embeddings = tied;
    double decode_ns[ROOM], prefill_ns[ROOM], energy[ROOM];
    double depth[ROOM];
    for (int i = 0; i < ROOM; i++)
        depth[i] = (double)(low + i);
    int64_t table = lookup_table_bytes(&net);
    segment_price(&decode, &schedule, table, depth, low, MOST_LAYERS, decode_ns, energy);
    segment_price(&prefill, &schedule, table, depth, low, MOST_LAYERS, prefill_ns, NULL);
    for (int64_t n = low; n < low + MOST_LAYERS; n++) {
        struct price price;
        schedule.n_layers = n;
        price_schedule(shape, &schedule, tied, &price);
        assert_memory_equal(&price.decode_ns, &decode_ns[n - low], sizeof(double));
        assert_memory_equal(&price.prefill_ns, &prefill_ns[n - low], sizeof(double));
        assert_memory_equal(&price.energy_pj_per_token, &energy[n - low], sizeof(double));
    }
}

static void segments_give_what_the_walk_gives_to_the_bit(void **state)
{
    (void)state;
    static struct shape_price shape;
    struct rng rng;
    int n_covered = 0;
    rng_init(&rng, 23);
    for (int i = 0; i < 200; i++) {
        struct transformer net;
        struct machine m;
        struct workload workload = {rng_between(&rng, 1, 200), rng_between(&rng, 0, 500)};
        random_net(&rng, &net);
        net.head_dtype = net.embedding_dtype;
        sharp_machine(&rng, &m);
        price_shape(&net, &m, &workload, &shape);
        for (int k = 0; k < 6; k++) {
            struct schedule schedule = random_schedule(&rng, 1);
            schedule.repeats += schedule.sharing == SHARING_NONE ? 0 : rng_between(&rng, 0, 1);
            if (!segment_covers(&m, &schedule))
                continue;
            n_covered++;
            check_depths(&shape, &m, schedule, rng_between(&rng, 0, 1),
                         rng_between(&rng, 0, 1) ? 1 : rng_between(&rng, 1, MOST_LAYERS));
        }
    }
    assert_true(n_covered > 1000);
}

static void what_bends_is_left_to_the_walk(void **state)
{
    (void)state;
    static struct shape_price shape;
    const struct workload workload = {16, 16};
    struct schedule reverse = {.sharing = SHARING_REVERSE, .repeats = 2};
    struct schedule none = {.sharing = SHARING_NONE, .repeats = 1};
    struct rng rng;
    struct transformer net;
    struct machine m;
    struct edge_cost edges;
    rng_init(&rng, 3);
    random_net(&rng, &net);
    sharp_machine(&rng, &m);
    price_shape(&net, &m, &workload, &shape);
    struct segment_phase phase = phase_of(&shape.decode, &m, &edges);
    assert_true(segment_covers_energy(&phase, 100));
    assert_false(segment_covers_energy(&phase, (int64_t)1 << 50));
    assert_true(segment_covers(&m, &reverse));
    reverse.repeats = 60;
    assert_false(segment_covers(&m, &reverse));
    reverse.repeats = 2;
    m.levels[0].reread_lost_frac = 0.1;
    assert_false(segment_covers(&m, &reverse));
    assert_true(segment_covers(&m, &none));
    machine_level_spill(&m.levels[0], 3 * m.levels[0].capacity_bytes);
    assert_false(segment_covers(&m, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_give_what_the_walk_gives_to_the_bit),
        cmocka_unit_test(what_bends_is_left_to_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
