/* The trace against the rules of its format, and against what the simulation reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/preset.h"
#include "simulator/simulate.h"
#include "simulator/timeline.h"
#include "simulator/trace.h"
#include "tests/random_net.h"
#include "tests/shipped_device.h"

enum { ROWS = N_RESOURCES + 1 };

static void small_net(struct transformer *net)
{
    transformer_init(net, 256, 3, 4, 2, 64, 512, 1000);
    snprintf(net->name, sizeof net->name, "a \"quoted\" \\ name");
    net->schedule.sharing = SHARING_IMMEDIATE;
    net->schedule.repeats = 2;
}

static struct simulated traced(const char *path, const struct transformer *net,
                               const struct machine *machine, int64_t tokens, bool coarse)
{
    static struct trace trace;
    struct simulation simulation;
    struct simulated out;
    struct err err;
    simulation_init(&simulation);
    simulation.workload = (struct workload){16, 64};
    simulation.tokens = tokens;
    simulation.tile_bytes = 8 << 10;
    if (trace_begin(&trace, path, net->name, machine, coarse, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    simulation.sink = trace_sink(&trace);
    if (simulate(net, machine, &simulation, &out, &err) != STATUS_OK ||
        trace_finish(&trace, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return out;
}

struct row {
    bool named, sorted;
    double end_us, busy_us;
    int n;
};

static double number(const struct json *event, const char *key)
{
    double value;
    struct err err;
    if (json_get_number(event, key, -1e18, 1e18, &value, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return value;
}

static const char *word(const struct json *event, const char *key)
{
    const char *value;
    struct err err;
    if (json_get_string(event, key, &value, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return value;
}

static void check_metadata(const struct json *event, struct row *row, bool *process_named)
{
    const char *name = word(event, "name");
    struct json arguments = json_member(event, "args");
    assert_true(json_is_object(&arguments));
    if (strcmp(name, "process_name") == 0)
        *process_named = strcmp(word(&arguments, "name"), "a \"quoted\" \\ name") == 0;
    else if (strcmp(name, "thread_name") == 0)
        row->named = word(&arguments, "name")[0] != '\0';
    else if (strcmp(name, "thread_sort_index") == 0)
        row->sorted = number(&arguments, "sort_index") >= 0;
    else
        fail_msg("metadata '%s'", name);
}

static void check_counter(const struct json *event)
{
    struct json arguments = json_member(event, "args");
    assert_true(json_length(&arguments) >= 1);
    for (struct json value = json_first(&arguments); value.item != NULL;
         value = json_next(&value)) {
        assert_true(json_is_number(&value));
        assert_true(number(&arguments, value.key) >= 0);
    }
}

/* Reads the file by the format's rules: an object with traceEvents; every event with name, ph, pid
 * and tid; X with ts and dur; C with ts and numbers; M that name every row in use; complete events
 * of a row do not overlap. */
static void check_file(const char *path, struct row rows[ROWS])
{
    struct json_doc *doc;
    struct json root, events;
    struct err err;
    bool process_named = false;
    int counters = 0;
    memset(rows, 0, ROWS * sizeof *rows);
    if (json_open(path, &doc, &root, &err) != STATUS_OK ||
        json_get_array(&root, "traceEvents", &events, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    assert_string_equal(word(&root, "displayTimeUnit"), "ns");
    for (struct json event = json_first(&events); event.item != NULL; event = json_next(&event)) {
        const char *phase = word(&event, "ph");
        int tid = (int)number(&event, "tid");
        assert_true(tid >= 0 && tid < ROWS && number(&event, "pid") >= 0);
        assert_true(word(&event, "name")[0] != '\0');
        struct row *row = &rows[tid];
        if (strcmp(phase, "M") == 0) {
            check_metadata(&event, row, &process_named);
        } else if (strcmp(phase, "C") == 0) {
            assert_true(number(&event, "ts") >= 0);
            check_counter(&event);
            counters++;
        } else {
            assert_string_equal(phase, "X");
            double ts = number(&event, "ts"), dur = number(&event, "dur");
            assert_true(ts >= 0 && dur >= 0);
            assert_true(row->named && row->sorted);
            assert_true(ts >= row->end_us - 1e-9 * ts);
            row->end_us = ts + dur;
            struct json arguments = json_member(&event, "args");
            row->busy_us += tid > 0 ? number(&arguments, "busy_us") : dur;
            row->n++;
        }
    }
    assert_true(process_named && counters > 0);
    json_close(doc);
}

static void a_trace_keeps_the_rules_of_its_format_and_adds_up_to_the_report(void **state)
{
    (void)state;
    for (int coarse = 0; coarse < 2; coarse++) {
        struct transformer net;
        struct machine m;
        struct row rows[ROWS];
        small_net(&net);
        m = shipped_machine("iphone-13");
        struct simulated out = traced("test_trace.json", &net, &m, 1, coarse);
        check_file("test_trace.json", rows);
        double all_us =
            (out.price.load_ns + out.price.init_ns + out.prefill.ns + out.first_decode_ns) / 1e3;
        assert_true(fabs(rows[0].busy_us / all_us - 1) < 1e-6);
        for (int r = 0; r < N_RESOURCES; r++)
            if (resource_name(&m, r) != NULL)
                assert_true(rows[1 + r].end_us <= all_us + 1e-3);
        assert_true(rows[1 + RESOURCE_DRAM].n > 0 && rows[1 + RESOURCE_PORT].n > 0);
        assert_true(rows[1 + RESOURCE_COMPUTE].n > 0 && rows[1 + RESOURCE_DISPATCH].n > 0);
        unlink("test_trace.json");
    }
}

/* Everything fits above DRAM, so that the traced token is the steady one. */
static void busy_time_in_the_trace_is_busy_time_in_the_report(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct row rows[ROWS];
    small_net(&net);
    m = shipped_machine("iphone-13");
    m.load_gbps = m.init_gbps = INFINITY;
    m.load_fixed_ns = m.load_layer_ns = m.init_fixed_ns = m.init_layer_ns = 0;
    m.init_block_sq_ns = 0;
    struct simulated out = traced("test_trace_busy.json", &net, &m, 1, true);
    check_file("test_trace_busy.json", rows);
    for (int r = 0; r < N_RESOURCES; r++) {
        double expected_us = (out.prefill.busy_ns[r] + out.decode.busy_ns[r]) / 1e3;
        if (r != RESOURCE_DRAM) /* the first token still fetches its KV cache */
            assert_true(fabs(rows[1 + r].busy_us - expected_us) <= 1e-4 * expected_us + 0.01);
    }
    unlink("test_trace_busy.json");
}

static char *contents(const char *path, int64_t *length)
{
    char *data;
    assert_int_equal(file_read(path, 1 << 28, &data, length, NULL), STATUS_OK);
    unlink(path);
    return data;
}

static void the_same_run_gives_the_same_trace_to_the_bit(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 41);
    for (int i = 0; i < 5; i++) {
        struct transformer net;
        struct machine m;
        int64_t n[2];
        small_net(&net);
        net.schedule = random_schedule(&rng, 3);
        random_machine(&rng, &m);
        m.levels[0].policy = (enum level_policy)(i % N_LEVEL_POLICIES);
        m.levels[0].capacity_bytes = 300000;
        traced("test_trace_a.json", &net, &m, 3, false);
        traced("test_trace_b.json", &net, &m, 3, false);
        char *a = contents("test_trace_a.json", &n[0]), *b = contents("test_trace_b.json", &n[1]);
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(a, b, (size_t)n[0]);
        memory_free(a);
        memory_free(b);
    }
}

static void a_full_disk_costs_the_trace_and_not_the_simulation(void **state)
{
    (void)state;
    static struct trace trace;
    struct transformer net;
    struct machine m;
    struct simulation simulation;
    struct simulated out;
    struct err err;
    small_net(&net);
    m = shipped_machine("iphone-13");
    simulation_init(&simulation);
    assert_int_equal(trace_begin(&trace, "/dev/full", "x", &m, false, &err), STATUS_OK);
    simulation.sink = trace_sink(&trace);
    assert_int_equal(simulate(&net, &m, &simulation, &out, &err), STATUS_OK);
    assert_true(out.price.decode_ns > 0);
    assert_int_equal(trace_finish(&trace, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "No space left"));
}

static void a_timeline_shows_the_next_block_arriving_while_a_block_repeats(void **state)
{
    (void)state;
    struct transformer net;
    struct machine m;
    struct simulation simulation;
    struct simulated out;
    struct err err;
    struct timeline timeline = {.first = 20, .last = 23};
    double ahead_ns = 0;
    m = shipped_machine("iphone-13");
    assert_int_equal(preset_open("mobilellm-ls-125m", &net, &err), STATUS_OK);
    simulation_init(&simulation);
    simulation.sink = timeline_sink(&timeline);
    assert_int_equal(simulate(&net, &m, &simulation, &out, &err), STATUS_OK);
    assert_int_equal(timeline_finish(&timeline, &err), STATUS_OK);
    assert_true(timeline.n > 100);
    double length_ns = timeline.end_ns - timeline.begin_ns;
    assert_true(length_ns > 0 && length_ns < out.price.decode_ns);
    for (size_t i = 0; i < timeline.n; i++) {
        const struct timeline_span *span = &timeline.spans[i];
        assert_true(span->start_ns >= 0 && span->end_ns <= length_ns);
        if (span->kind == TIMELINE_AHEAD && span->resource == RESOURCE_DRAM)
            ahead_ns += span->end_ns - span->start_ns;
    }
    /* Two repeats of 7 MB at 100 GB/s: some 70 us each for the stream of the next block. */
    assert_true(ahead_ns > 100e3 && ahead_ns < 180e3);
    timeline_release(&timeline);
    transformer_release(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trace_keeps_the_rules_of_its_format_and_adds_up_to_the_report),
        cmocka_unit_test(busy_time_in_the_trace_is_busy_time_in_the_report),
        cmocka_unit_test(the_same_run_gives_the_same_trace_to_the_bit),
        cmocka_unit_test(a_full_disk_costs_the_trace_and_not_the_simulation),
        cmocka_unit_test(a_timeline_shows_the_next_block_arriving_while_a_block_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
