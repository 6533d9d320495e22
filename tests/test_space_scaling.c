/* Spaces that are scaled layer by layer: OpenELM's published models are candidates of them, every stack
 * is visited once, and the search keeps the front of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/count.h"
#include "model/hf_config.h"
#include "model/layer_scaling.h"
#include "search/space_frames.h"
#include "search/stack_search.h"
#include "tests/random_net.h"

static enum status parse_space(const char *text, struct space *out, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse("space.json", text, (int64_t)strlen(text), &doc, &root, err);
    if (!status)
        status = space_parse(&root, out, err);
    json_close(doc);
    return status;
}

static void open_space(const char *text, struct space *out)
{
    struct err err = {""};
    if (parse_space(text, out, &err))
        fail_msg("%s", err.message);
}

/* The networks of a walk. */
struct met {
    int n;
    struct transformer *net; /* [MOST_MET] */
};
enum { MOST_MET = 2048 };

static enum status meet(const struct space_frame *frame, void *user, struct err *err)
{
    struct met *met = user;
    struct transformer *net = &met->net[met->n++];
    assert_true(met->n <= MOST_MET);
    assert_non_null(frame->sequence);
    *net = frame->net;
    net->stack = (struct stack){.first = frame->classes[0]};
    return stack_set_classes(&net->stack, frame->classes, frame->sequence,
                             frame->net.schedule.n_layers, err);
}

static void walk(const struct space *space, struct met *met)
{
    *met = (struct met){.net = calloc(MOST_MET, sizeof *met->net)};
    assert_int_equal(space_each_frame(space, meet, met, NULL), STATUS_OK);
}

static void met_release(struct met *met)
{
    for (int i = 0; i < met->n; i++)
        transformer_release(&met->net[i]);
    free(met->net);
}

/* Sizes and counts as published with apple/OpenELM-*; heads are checked against what the reader
 * of config.json makes of the same numbers. The space has no norms of queries and keys: two vectors of
 * d_head in every layer. */
static void openelm_is_in_the_space_of_its_four_numbers(void **state)
{
    (void)state;
    static const struct {
        int d_model, n_layers, d_head;
        int64_t params;
    } sizes[] = {{1280, 16, 64, 271527168},
                 {1536, 20, 64, 457179136},
                 {2048, 28, 64, 1079891456},
                 {3072, 36, 128, 3036647424}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        static struct space space;
        char text[512];
        struct met met;
        struct transformer published;
        struct param_count params;
        snprintf(text, sizeof text,
                 "{\"d_model\": %d, \"d_head\": %d, \"n_layers\": %d, \"d_ff_multiple\": 256,"
                 " \"sharing\": [\"none\"], \"tie_embeddings\": true, \"scaling\": {\"alpha_min\":"
                 " 0.5, \"alpha_max\": 1, \"beta_min\": 0.5, \"beta_max\": 4, \"groups\": 4}}",
                 sizes[i].d_model, sizes[i].d_head, sizes[i].n_layers);
        open_space(text, &space);
        walk(&space, &met);
        assert_int_equal(met.n, 1);
        snprintf(text, sizeof text,
                 "{\"model_type\": \"openelm\", \"model_dim\": %d, \"head_dim\": %d,"
                 " \"num_transformer_layers\": %d, \"vocab_size\": 32000, \"num_gqa_groups\": 4,"
                 " \"qkv_multipliers\": [0.5, 1.0], \"ffn_multipliers\": [0.5, 4.0],"
                 " \"share_input_output_layers\": true, \"max_context_length\": 2048}",
                 sizes[i].d_model, sizes[i].d_head, sizes[i].n_layers);
        assert_int_equal(
            hf_config_parse("openelm", text, (int64_t)strlen(text), &published, NULL, NULL),
            STATUS_OK);
        for (int64_t l = 0; l < sizes[i].n_layers; l++)
            assert_true(
                block_equal(transformer_block(&met.net[0], l), transformer_block(&published, l)));
        transformer_count(&met.net[0], &params);
        assert_int_equal(params.total + 2L * sizes[i].n_layers * sizes[i].d_head, sizes[i].params);
        transformer_release(&published);
        met_release(&met);
    }
}

/* As configuration_openelm.py prints them for OpenELM-270M. */
static void multipliers_are_rounded_as_apples_code_has_it(void **state)
{
    (void)state;
    static const double published[16] = {0.5,  0.73, 0.97, 1.2,  1.43, 1.67, 1.9,  2.13,
                                         2.37, 2.6,  2.83, 3.07, 3.3,  3.53, 3.77, 4.0};
    for (int64_t i = 0; i < 16; i++)
        assert_true(layer_multiplier(0.5, 4, i, 16) == published[i]);
    assert_true(layer_multiplier(0.5, 4, 0, 1) == 0.5);
    assert_int_equal(scaled_heads(1280, 64, 4, 0.5), 12); /* 10 are no groups of 4 */
    assert_int_equal(scaled_d_ff(64, 256, 0.5), 256);     /* at least one multiple */
    assert_int_equal(scaled_d_ff(1000, 256, 0.383), 512); /* never less than nine tenths */
}

static const char small[] =
    "{\"d_model\": [64, 128], \"d_head\": 32, \"n_layers\": {\"from\": 1, \"to\": 4},"
    " \"d_ff_multiple\": 32, \"vocab_size\": 300, \"sharing\": [\"none\", \"immediate\"],"
    " \"scaling\": {\"alpha_min\": [0.5, 1], \"alpha_max\": [1, 0.5, 2], \"beta_min\": [1, 1.01],"
    " \"beta_max\": [3, 2], \"groups\": [2, 1]}}";

/* Takes the last digit off a number whose digits have different bases. */
static int digit(int *number, int base)
{
    int last = *number % base;
    *number /= base;
    return last;
}

/* All combinations, one after another; what is there already is left out. */
static int brute_force(const struct space *space, struct transformer *out)
{
    const struct space_scaling *s = &space->scaling;
    int n = 0, all = s->alpha_min.n * s->alpha_max.n * s->beta_min.n * s->beta_max.n;
    for (int w = 0; w < space->d_model.n * s->groups.n * 2 * space->n_schedules * all; w++) {
        int at = w;
        int64_t d_model = space->d_model.value[digit(&at, space->d_model.n)];
        int64_t groups = s->groups.value[digit(&at, s->groups.n)];
        bool tied = digit(&at, 2) == 1;
        struct schedule schedule = space->schedule[digit(&at, space->n_schedules)];
        double alpha_min = s->alpha_min.value[digit(&at, s->alpha_min.n)];
        double alpha_max = s->alpha_max.value[digit(&at, s->alpha_max.n)];
        double beta_min = s->beta_min.value[digit(&at, s->beta_min.n)];
        double beta_max = s->beta_max.value[digit(&at, s->beta_max.n)];
        for (int64_t depth = space->min_layers; depth <= space->max_layers; depth++) {
            struct transformer net;
            struct block blocks[16];
            for (int64_t i = 0; i < depth; i++) {
                double alpha = layer_multiplier(alpha_min, alpha_max, i, depth);
                double beta = layer_multiplier(beta_min, beta_max, i, depth);
                int64_t heads = scaled_heads(d_model, 32, groups, alpha);
                blocks[i] = (struct block){.mixer = MIXER_ATTENTION,
                                           .n_heads = heads,
                                           .n_kv_heads = heads / groups,
                                           .d_head = 32,
                                           .d_ff = scaled_d_ff(d_model, 32, beta)};
            }
            transformer_init(&net, d_model, depth, 1, 1, 32, 1, 300);
            net.tie_embeddings = tied;
            net.schedule = schedule;
            net.schedule.n_layers = depth;
            assert_int_equal(stack_set(&net.stack, blocks, depth, NULL), STATUS_OK);
            bool known = false;
            for (int i = 0; i < n; i++)
                known |= transformer_same_shape(&out[i], &net);
            if (known)
                transformer_release(&net);
            else
                out[n++] = net;
            assert_true(n < MOST_MET);
        }
    }
    return n;
}

static void every_stack_is_visited_once(void **state)
{
    (void)state;
    static struct space space;
    struct met met;
    struct met expected = {.net = calloc(MOST_MET, sizeof *expected.net)};
    open_space(small, &space);
    walk(&space, &met);
    expected.n = brute_force(&space, expected.net);
    assert_int_equal(met.n, expected.n);
    for (int i = 0; i < met.n; i++) {
        int times = 0;
        for (int k = 0; k < expected.n; k++)
            times += transformer_same_shape(&met.net[i], &expected.net[k]);
        assert_int_equal(times, 1);
    }
    met_release(&met);
    met_release(&expected);
}

static struct stack_search search_of(const struct space *space, const struct machine *machine,
                                     const struct budget *budget,
                                     const struct objectives *objectives,
                                     const struct filter *filter)
{
    static const struct workload workload = {.prompt = 17, .context = 40};
    return (struct stack_search){.space = space,
                                 .budget = budget,
                                 .machine = machine,
                                 .workload = &workload,
                                 .objectives = objectives,
                                 .filter = filter,
                                 .n_jobs = 1};
}

/* Decode against parameters: nobody in the budget beats a member, and whoever is no member is beaten. */
static void the_front_is_that_of_all_in_the_budget(void **state)
{
    (void)state;
    static struct space space;
    struct rng rng;
    struct machine machine;
    struct met met;
    struct objectives objectives = {0};
    struct filter filter = {0};
    struct stack_candidates found;
    struct budget budget = {60000, 400000, 200000};
    rng_init(&rng, 77);
    random_machine(&rng, &machine);
    open_space(small, &space);
    walk(&space, &met);
    assert_int_equal(objectives_add(&objectives, "decode_ns", NULL), STATUS_OK);
    assert_int_equal(objectives_add(&objectives, "kv_bytes", NULL), STATUS_OK);
    struct stack_search search = search_of(&space, &machine, &budget, &objectives, &filter);
    struct stack_count count;
    assert_int_equal(stack_search_check(&search, &count, NULL), STATUS_OK);
    assert_int_equal(stack_search_run(&search, &found, NULL), STATUS_OK);
    int inside = 0;
    for (int i = 0; i < met.n; i++) {
        struct param_count params;
        struct price price;
        bool is_beaten = false, is_member = false;
        transformer_count(&met.net[i], &params);
        if (params.total < budget.min || params.total > budget.max)
            continue;
        inside++;
        assert_int_equal(price_network(&met.net[i], &machine, search.workload, &price, NULL, NULL),
                         STATUS_OK);
        int64_t kv = transformer_kv_bytes(&met.net[i], 41);
        for (size_t k = 0; k < found.n; k++) {
            const struct candidate_row *row = &found.candidate[k].row;
            is_member |= row->price.decode_ns == price.decode_ns && row->kv_bytes == kv;
            is_beaten |= row->price.decode_ns <= price.decode_ns && row->kv_bytes <= kv;
            assert_false(price.decode_ns < row->price.decode_ns && kv <= row->kv_bytes);
        }
        assert_true(is_member || is_beaten);
    }
    assert_true(inside > 20 && count.n_stacks == inside);
    stack_candidates_release(&found);
    met_release(&met);
}

static void a_space_is_read_back_as_it_was_printed(void **state)
{
    (void)state;
    static struct space once, twice;
    open_space(small, &once);
    char *printed = space_print(&once);
    open_space(printed, &twice);
    char *again = space_print(&twice);
    assert_string_equal(printed, again);
    assert_true(twice.scaling.is_given);
    assert_int_equal(twice.scaling.alpha_max.n, 3);
    memory_free(printed);
    memory_free(again);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
#define FOUR "\"alpha_min\": 1, \"alpha_max\": 1, \"beta_min\": 1, \"beta_max\": 1"
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"scaling\": {\"alpha_min\": 1}}", "'alpha_max' is missing"},
        {"{\"scaling\": {\"alpha\": 1}}", "$.scaling.alpha"},
        {"{\"scaling\": {" FOUR ", \"groups\": 0}}", "$.scaling.groups"},
        {"{\"scaling\": {\"alpha_min\": [1, 0]}}", "$.scaling.alpha_min[1]"},
        {"{\"scaling\": {\"alpha_min\": []}}", "at least one value"},
        {"{\"scaling\": 3}", "$.scaling"},
        {"{\"scaling\": {" FOUR "}, \"d_ff\": 256}", "leave out 'd_ff' or 'scaling'"},
        {"{\"scaling\": {" FOUR "}, \"n_heads\": 4}", "leave out 'n_heads' or 'scaling'"},
        {"{\"scaling\": {" FOUR "}, \"layers\": {}}", "leave out 'layers' or 'scaling'"},
        {"{\"scaling\": {" FOUR "}, \"rules\": {}}", "leave out 'rules' or 'scaling'"},
        {"{\"scaling\": {" FOUR "}, \"sharing\": [{\"mode\": \"none\", \"share_ffn\": true}]}",
         "share_ffn"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct space space;
        struct err err = {""};
        assert_int_not_equal(parse_space(cases[i].text, &space, &err), STATUS_OK);
        if (!strstr(err.message, cases[i].expected))
            fail_msg("'%s' does not say \"%s\"", err.message, cases[i].expected);
    }
}

static void failed_allocations_leak_nothing(void **state)
{
    (void)state;
    static struct space space;
    struct rng rng;
    struct machine machine;
    struct objectives objectives = {0};
    struct filter filter = {0};
    struct budget budget = {60000, 90000, 75000};
    enum status status = STATUS_NOMEM;
    rng_init(&rng, 78);
    random_machine(&rng, &machine);
    open_space(small, &space);
    space.d_model.n = space.tie_embeddings.n = space.n_schedules = 1;
    assert_int_equal(objectives_add(&objectives, "decode_ns", NULL), STATUS_OK);
    struct stack_search search = search_of(&space, &machine, &budget, &objectives, &filter);
    for (int n = 1; status == STATUS_NOMEM; n++) {
        struct stack_candidates found;
        memory_fail_after(n);
        status = stack_search_run(&search, &found, NULL);
        memory_fail_after(-1);
        stack_candidates_release(&found);
    }
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openelm_is_in_the_space_of_its_four_numbers),
        cmocka_unit_test(multipliers_are_rounded_as_apples_code_has_it),
        cmocka_unit_test(every_stack_is_visited_once),
        cmocka_unit_test(the_front_is_that_of_all_in_the_budget),
        cmocka_unit_test(a_space_is_read_back_as_it_was_printed),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(failed_allocations_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
