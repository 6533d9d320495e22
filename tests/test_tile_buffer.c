/* What a level keeps: traces worked by hand, an independent count of stack distances, and orders
 * between policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "base/stats.h"
#include "simulator/event_queue.h"
#include "simulator/tile_buffer.h"

enum { MOST = 4000 };

static int64_t next_use(const int32_t *trace, int n, int at)
{
    for (int i = at + 1; i < n; i++)
        if (trace[i] == trace[at])
            return i;
    return n + 1;
}

/* Asks for each tile in turn and reads it at once; marks what hit. Returns the hits. */
static int run(struct tile_buffer *buffer, const int32_t *trace, int n, const int32_t *bytes,
               bool *hit)
{
    int hits = 0;
    for (int i = 0; i < n; i++) {
        int32_t tile = trace[i];
        bool is_hit = tile_buffer_has(buffer, tile);
        if (is_hit) {
            tile_buffer_touch(buffer, tile);
        } else {
            if (!buffer->slots[tile].pinned)
                assert_true(tile_buffer_make_room(buffer, bytes[tile], i));
            tile_buffer_put(buffer, tile, bytes[tile]);
        }
        assert_true(buffer->used_bytes + buffer->pinned_bytes <= buffer->capacity_bytes);
        assert_int_equal(tile_buffer_hold(buffer, tile, next_use(trace, n, i), NULL), STATUS_OK);
        assert_int_equal(tile_buffer_read(buffer, tile, NULL), STATUS_OK);
        hits += is_hit;
        if (hit != NULL)
            hit[i] = is_hit;
    }
    return hits;
}

static int hits_of(enum level_policy policy, int64_t capacity, const int32_t *trace, int n,
                   const int32_t *bytes, int32_t n_tiles, bool *hit)
{
    struct tile_buffer buffer;
    assert_int_equal(tile_buffer_init(&buffer, policy, capacity, n_tiles, NULL), STATUS_OK);
    if (policy == POLICY_PINNED)
        for (int32_t tile = 0; tile < n_tiles; tile++)
            tile_buffer_pin(&buffer, tile, bytes[tile], capacity / 8);
    int hits = run(&buffer, trace, n, bytes, hit);
    tile_buffer_release(&buffer);
    return hits;
}

static const int32_t ones[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void a_trace_worked_by_hand_hits_where_the_hand_says(void **state)
{
    (void)state;
    /* three places:            0  1  2  0  3  1  0  3  2  */
    const int32_t trace[] = {0, 1, 2, 0, 3, 1, 0, 3, 2};
    const bool expected[] = {false, false, false, true, false, false, true, true, false};
    bool hit[9];
    assert_int_equal(hits_of(POLICY_LRU, 3, trace, 9, ones, 4, hit), 3);
    assert_memory_equal(hit, expected, sizeof expected);
    /* Belady keeps 1 instead of 2 when 3 comes: four hits. */
    assert_int_equal(hits_of(POLICY_MANAGED, 3, trace, 9, ones, 4, hit), 4);
}

static void a_cycle_one_tile_too_long_never_hits_lru_but_partly_a_managed_buffer(void **state)
{
    (void)state;
    int32_t trace[50];
    for (int i = 0; i < 50; i++)
        trace[i] = i % 5;
    assert_int_equal(hits_of(POLICY_LRU, 4, trace, 50, ones, 5, NULL), 0);
    assert_int_equal(hits_of(POLICY_LRU, 5, trace, 50, ones, 5, NULL), 45);
    /* Belady on a cycle of n with c places: c - 1 of n - 1 hit in the long run. */
    int hits = hits_of(POLICY_MANAGED, 4, trace, 50, ones, 5, NULL);
    assert_true(hits >= 33 && hits <= 36);
}

static void pinned_tiles_hit_from_their_second_use_on_whatever_comes_between(void **state)
{
    (void)state;
    int32_t trace[60], bytes[6];
    for (int i = 0; i < 60; i++)
        trace[i] = i % 6;
    for (int i = 0; i < 6; i++)
        bytes[i] = 10;
    /* 32 bytes: seven eighths hold two tiles, twelve bytes stream */
    assert_int_equal(hits_of(POLICY_PINNED, 32, trace, 60, bytes, 6, NULL), 2 * 9);
}

/* Distinct bytes asked for since the last use, the tile itself included; -1: never used. */
static int64_t stack_distance(const int32_t *trace, int at, const int32_t *bytes, int32_t n_tiles)
{
    bool seen[200] = {false};
    int64_t sum = 0;
    assert_true(n_tiles <= 200);
    for (int i = at - 1; i >= 0; i--) {
        if (trace[i] == trace[at])
            return sum + bytes[trace[at]];
        if (!seen[trace[i]])
            sum += bytes[trace[i]];
        seen[trace[i]] = true;
    }
    return -1;
}

static void lru_hits_exactly_what_a_count_of_stack_distances_says(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    static int32_t trace[MOST];
    static bool hit[MOST];
    for (int round = 0; round < 30; round++) {
        int32_t bytes[200], n_tiles = (int32_t)rng_between(&rng, 1, 200);
        int32_t size = (int32_t)rng_between(&rng, 1, 5000);
        int n = (int)rng_between(&rng, 1, 600);
        for (int32_t i = 0; i < n_tiles; i++)
            bytes[i] = size;
        for (int i = 0; i < n; i++)
            trace[i] = (int32_t)(rng_uniform(&rng) * rng_uniform(&rng) * n_tiles);
        int64_t capacity = size * rng_between(&rng, 1, n_tiles);
        hits_of(POLICY_LRU, capacity, trace, n, bytes, n_tiles, hit);
        for (int i = 0; i < n; i++) {
            int64_t distance = stack_distance(trace, i, bytes, n_tiles);
            assert_int_equal(hit[i], distance >= 0 && distance <= capacity);
        }
    }
}

static void more_room_never_hits_less_and_managed_never_less_than_lru(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    static int32_t trace[MOST];
    for (int round = 0; round < 40; round++) {
        int32_t bytes[100], n_tiles = (int32_t)rng_between(&rng, 2, 100);
        int n = (int)rng_between(&rng, 10, 800), before[2] = {0, 0};
        for (int32_t i = 0; i < n_tiles; i++)
            bytes[i] = 8;
        for (int i = 0; i < n; i++)
            trace[i] = (int32_t)rng_between(&rng, 0, n_tiles - 1);
        for (int64_t capacity = 8; capacity <= 8 * n_tiles; capacity += 16) {
            int lru = hits_of(POLICY_LRU, capacity, trace, n, bytes, n_tiles, NULL);
            int managed = hits_of(POLICY_MANAGED, capacity, trace, n, bytes, n_tiles, NULL);
            assert_true(lru >= before[0] && managed >= before[1] && managed >= lru);
            before[0] = lru;
            before[1] = managed;
        }
    }
}

static void what_is_held_stays_and_says_so(void **state)
{
    (void)state;
    struct tile_buffer buffer;
    assert_int_equal(tile_buffer_init(&buffer, POLICY_LRU, 2, 4, NULL), STATUS_OK);
    for (int32_t tile = 0; tile < 2; tile++) {
        assert_true(tile_buffer_make_room(&buffer, 1, tile));
        tile_buffer_put(&buffer, tile, 1);
        assert_int_equal(tile_buffer_hold(&buffer, tile, 10, NULL), STATUS_OK);
    }
    assert_false(tile_buffer_make_room(&buffer, 1, 2));
    assert_int_equal(tile_buffer_read(&buffer, 0, NULL), STATUS_OK);
    assert_true(tile_buffer_make_room(&buffer, 1, 2));
    assert_false(tile_buffer_has(&buffer, 0));
    assert_true(tile_buffer_has(&buffer, 1));
    tile_buffer_release(&buffer);
}

static void events_come_by_time_then_in_the_order_they_were_scheduled(void **state)
{
    (void)state;
    struct event_queue queue = {0};
    struct rng rng;
    rng_init(&rng, 5);
    for (int32_t i = 0; i < 2000; i++)
        assert_int_equal(event_schedule(&queue, (double)rng_between(&rng, 0, 50), 0, i, NULL),
                         STATUS_OK);
    struct event last = event_take(&queue);
    while (queue.n > 0) {
        struct event event = event_take(&queue);
        assert_true(event.at_ns > last.at_ns ||
                    (event.at_ns == last.at_ns && event.what > last.what));
        last = event;
    }
    event_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_worked_by_hand_hits_where_the_hand_says),
        cmocka_unit_test(a_cycle_one_tile_too_long_never_hits_lru_but_partly_a_managed_buffer),
        cmocka_unit_test(pinned_tiles_hit_from_their_second_use_on_whatever_comes_between),
        cmocka_unit_test(lru_hits_exactly_what_a_count_of_stack_distances_says),
        cmocka_unit_test(more_room_never_hits_less_and_managed_never_less_than_lru),
        cmocka_unit_test(what_is_held_stays_and_says_so),
        cmocka_unit_test(events_come_by_time_then_in_the_order_they_were_scheduled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
