/* Exact fronts against all stacks of small spaces, priced one by one by price_network: every kind of
 * schedule, cache, objective, limit and rule. */
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
#include "exact/exact_front.h"
#include "exact/pass_regions.h"
#include "random_stacks.h"

enum { MAX_PLACES = 6, MAX_CHOICES = MAX_RANDOM_CLASSES + 1, MAX_STACKS = 1 << 14 };

struct random_problem {
    struct random_stacks base;
    struct stack_problem problem;
    bool allowed[MAX_PLACES * MAX_CHOICES];
    int64_t score[MAX_PLACES * MAX_CHOICES];
};

struct brute_stack {
    int choice[MAX_PLACES];
    int64_t value[N_STACK_QUANTITIES];
};
static struct brute_stack brute[MAX_STACKS];
static int n_brute;

static enum layer_kind kind_of(const struct stack_problem *p, int choice)
{
    return choice == p->n_classes ? LAYER_SKIP : layer_kind_of(&p->classes[choice]);
}

/* The rules once more, as sentences about a whole stack. */
static bool keeps_rules(const struct stack_problem *p, const int *choice)
{
    int n = (int)p->frame->schedule.n_layers, full = 0, run = 0, first = -1;
    for (int i = 0; i < n; i++) {
        enum layer_kind kind = kind_of(p, choice[i]);
        if (p->allowed && !p->allowed[i * (p->n_classes + p->may_be_empty) + choice[i]])
            return false;
        if (kind == LAYER_SKIP)
            continue;
        first = first < 0 ? i : first;
        full += kind == LAYER_FULL;
        run = kind == LAYER_WINDOWED ? run + 1 : 0;
        if (p->rules.max_windowed_run > 0 && run > p->rules.max_windowed_run)
            return false;
        size_t length = strlen(p->rules.pattern);
        char asked = length > 0 ? p->rules.pattern[(size_t)i % length] : '.';
        if (asked != '.' && asked != "FWN"[kind])
            return false;
    }
    for (int i = 1; i < n && p->rules.equal_thirds; i++)
        if (i * 3 / n == (i - 1) * 3 / n && choice[i] != choice[i - 1])
            return false;
    if (first < 0 || (p->rules.first_full && kind_of(p, choice[first]) != LAYER_FULL))
        return false;
    return full >= p->rules.min_full;
}

static void price_one(const struct stack_problem *p, struct brute_stack *out)
{
    struct transformer net;
    struct price price;
    struct param_count params;
    struct weight_bytes bytes;
    struct err err;
    int place[MAX_PLACES];
    int n = (int)p->frame->schedule.n_layers;
    for (int i = 0; i < n; i++)
        place[i] = out->choice[i] == p->n_classes ? EMPTY_PLACE : out->choice[i];
    if (stack_network(p, place, &net, &err) || transformer_check(&net, &err) ||
        price_network(&net, p->machine, &p->workload, &price, NULL, &err))
        fail_msg("%s", err.message);
    transformer_stored(&net, &params, &bytes);
    int64_t held =
        p->workload.prompt > p->workload.context + 1 ? p->workload.prompt : p->workload.context + 1;
    int64_t *value = out->value;
    value[STACK_DECODE] = exact_ps(price.decode_ns);
    value[STACK_PREFILL] = exact_ps(price.prefill_ns);
    value[STACK_INIT] = exact_ps(price.init_ns);
    value[STACK_ENERGY] = exact_fj(price.energy_pj_per_token);
    value[STACK_KV] = transformer_kv_bytes(&net, held);
    value[STACK_PEAK] = price.peak_bytes;
    value[STACK_WEIGHTS] = bytes.total;
    value[STACK_PARAMS] = params.total;
    value[STACK_SCORE] = 0;
    for (int i = 0; i < n; i++)
        value[STACK_SCORE] += p->score[i * (p->n_classes + p->may_be_empty) + out->choice[i]];
    transformer_release(&net);
}

static bool is_within(const struct stack_problem *p, const struct brute_stack *stack)
{
    if (stack->value[STACK_PARAMS] < p->min_params || stack->value[STACK_PARAMS] > p->max_params)
        return false;
    for (int i = 0; i < p->n_limits; i++) {
        int64_t value = stack->value[p->limit[i].quantity], limit = p->limit[i].value;
        if (p->limit[i].quantity == STACK_SCORE ? value < limit : value > limit)
            return false;
    }
    return true;
}

/* All stacks that keep the rules. */
static void list_all(const struct stack_problem *p)
{
    int n = (int)p->frame->schedule.n_layers, choices = p->n_classes + p->may_be_empty;
    struct brute_stack at = {{0}, {0}};
    n_brute = 0;
    for (;;) {
        if (keeps_rules(p, at.choice)) {
            assert_true(n_brute < MAX_STACKS);
            price_one(p, &at);
            brute[n_brute++] = at;
        }
        int i = 0;
        while (i < n && ++at.choice[i] == choices)
            at.choice[i++] = 0;
        if (i == n)
            return;
    }
}

static void random_rules(struct random_state *random, int64_t n, struct stack_rules *out)
{
    static const char *const patterns[] = {"", "", "F.", "F.W", "..N", "FWWW", "W"};
    *out = (struct stack_rules){0};
    if (random_below(random, 2) == 0)
        return;
    out->first_full = random_below(random, 3) == 0;
    out->min_full = random_below(random, 2) == 0 ? random_below(random, (uint64_t)n) : 0;
    out->max_windowed_run = random_below(random, 3);
    out->equal_thirds = random_below(random, 4) == 0;
    snprintf(out->pattern, sizeof out->pattern, "%s", patterns[random_below(random, 7)]);
}

static void random_problem(struct random_state *random, int trial, struct random_problem *out)
{
    struct stack_problem *p = &out->problem;
    random_stacks(random, trial, &out->base);
    while (out->base.n_classes > 4)
        out->base.n_classes--;
    int64_t n = out->base.frame.schedule.n_layers;
    if (n > 4 && out->base.n_classes > 3)
        out->base.n_classes = 3;
    *p = (struct stack_problem){
        .frame = &out->base.frame,
        .classes = out->base.classes,
        .n_classes = out->base.n_classes,
        .may_be_empty = random_below(random, 3) == 0,
        .score = out->score,
        .max_params = INT64_MAX,
        .machine = &out->base.machine,
        .workload = out->base.workload,
        .n_jobs = 1 + trial % 2,
    };
    if (p->may_be_empty && out->base.frame.schedule.sharing == SHARING_REVERSE)
        for (int level = 0; level < out->base.machine.dram; level++)
            out->base.machine.levels[level].reread_lost_frac = 0;
    int choices = p->n_classes + p->may_be_empty;
    int64_t span = random_below(random, 2) == 0 ? 5 : 1000000;
    for (int i = 0; i < n * choices; i++) {
        out->score[i] = random_below(random, (uint64_t)span) - span / 3;
        out->allowed[i] = random_below(random, 5) > 0;
    }
    if (random_below(random, 4) == 0)
        p->allowed = out->allowed;
    random_rules(random, n, &p->rules);
    bool taken[N_STACK_QUANTITIES] = {false};
    int n_objectives = 1 + (int)random_below(random, 4);
    for (int i = 0; i < n_objectives; i++) {
        /* A time first, where couplings are; most often against a score. */
        static const enum stack_quantity times[] = {STACK_DECODE, STACK_DECODE, STACK_PREFILL,
                                                    STACK_ENERGY};
        int64_t quantity = i == 0 ? times[random_below(random, 4)] : STACK_SCORE;
        if (i > 1 || random_below(random, 4) == 0)
            do
                quantity = random_below(random, N_STACK_QUANTITIES);
            while (taken[quantity]);
        if (taken[quantity])
            continue;
        taken[quantity] = true;
        p->objective[p->n_objectives++] = (enum stack_quantity)quantity;
    }
}

/* Once all stacks are known: so that about half of them are within. */
static void random_limits(struct random_state *random, struct stack_problem *p)
{
    if (n_brute == 0)
        return;
    if (random_below(random, 2) == 0) {
        int64_t a = brute[random_below(random, (uint64_t)n_brute)].value[STACK_PARAMS];
        int64_t b = brute[random_below(random, (uint64_t)n_brute)].value[STACK_PARAMS];
        p->min_params = a < b ? a : b;
        p->max_params = a < b ? b : a;
    }
    p->n_limits = random_below(random, 2) == 0 ? 0 : (int)random_below(random, 3);
    for (int i = 0; i < p->n_limits; i++) {
        const struct brute_stack *one = &brute[random_below(random, (uint64_t)n_brute)];
        p->limit[i].quantity = (enum stack_quantity)random_below(random, N_STACK_QUANTITIES);
        p->limit[i].value = one->value[p->limit[i].quantity];
        bool is_rounded = p->limit[i].quantity <= STACK_ENERGY;
        p->limit[i].value += is_rounded ? 50 : 0; /* not on a stack to the last picosecond */
    }
}

/* What rounding each block to whole units may move. */
static int64_t slack(enum stack_quantity quantity)
{
    return quantity <= STACK_ENERGY ? MAX_PLACES + 2 : 0;
}

static int64_t cost_of(const int64_t *value, enum stack_quantity quantity)
{
    return quantity == STACK_SCORE ? -value[quantity] : value[quantity];
}

/* a is at most b in everything, and by more than rounding less in something. */
static bool beats(const struct stack_problem *p, const int64_t *a, const int64_t *b)
{
    bool less = false;
    for (int i = 0; i < p->n_objectives; i++) {
        enum stack_quantity q = p->objective[i];
        if (cost_of(a, q) > cost_of(b, q))
            return false;
        less |= cost_of(a, q) < cost_of(b, q) - slack(q);
    }
    return less;
}

/* a is at most b but for rounding. */
static bool covers(const struct stack_problem *p, const int64_t *a, const int64_t *b)
{
    for (int i = 0; i < p->n_objectives; i++) {
        enum stack_quantity q = p->objective[i];
        if (cost_of(a, q) > cost_of(b, q) + slack(q))
            return false;
    }
    return true;
}

static const struct brute_stack *find_brute(const struct stack_problem *p, const int *place)
{
    int n = (int)p->frame->schedule.n_layers;
    for (int i = 0; i < n_brute; i++) {
        bool same = true;
        for (int k = 0; k < n; k++)
            same &= brute[i].choice[k] == (place[k] == EMPTY_PLACE ? p->n_classes : place[k]);
        if (same)
            return &brute[i];
    }
    return NULL;
}

static void describe(int trial, const struct stack_problem *p)
{
    print_message("trial %d: %s x%d%s, %d places, %d classes%s, %d limits, objectives", trial,
                  sharing_name(p->frame->schedule.sharing), (int)p->frame->schedule.repeats,
                  p->frame->schedule.share_ffn ? " shared ffn" : "",
                  (int)p->frame->schedule.n_layers, p->n_classes, p->may_be_empty ? " or none" : "",
                  p->n_limits);
    for (int i = 0; i < p->n_objectives; i++)
        print_message(" %s", stack_quantity_names[p->objective[i]]);
    print_message("\n");
}

static void compare(int trial, const struct stack_problem *p, const struct stack_front *front)
{
    int n_within = 0;
    for (size_t i = 0; i < front->n; i++) {
        const struct brute_stack *same = find_brute(p, front->stack[i].class_of_place);
        if (!same || !is_within(p, same) ||
            memcmp(same->value, front->stack[i].value, sizeof same->value) != 0) {
            describe(trial, p);
            fail_msg("stack %zu is outside or has other values", i);
        }
        for (int k = 0; k < n_brute; k++)
            if (is_within(p, &brute[k]) && beats(p, brute[k].value, same->value)) {
                describe(trial, p);
                fail_msg("stack %zu of %zu is beaten", i, front->n);
            }
    }
    for (int k = 0; k < n_brute; k++) {
        bool covered = false;
        if (!is_within(p, &brute[k]))
            continue;
        n_within++;
        for (size_t i = 0; i < front->n && !covered; i++)
            covered = covers(p, front->stack[i].value, brute[k].value);
        if (!covered) {
            describe(trial, p);
            fail_msg("a stack is missed; %zu found", front->n);
        }
    }
    if ((n_within == 0) != (front->n == 0)) {
        describe(trial, p);
        fail_msg("%d stacks within, %zu found", n_within, front->n);
    }
}

static void run_trials(int from, int to)
{
    int empty = 0, refused = 0;
    static int used[N_STACK_QUANTITIES], points, cases;
    for (int trial = from; trial < to; trial++) {
        static struct random_problem r;
        struct random_state random = {(uint64_t)trial * 7919 + 1};
        struct stack_front front;
        struct err err = {""};
        random_problem(&random, trial, &r);
        list_all(&r.problem);
        random_limits(&random, &r.problem);
        enum status status = exact_front(&r.problem, &front, &err);
        if (status && status != STATUS_NOT_FOUND && status != STATUS_INPUT) {
            describe(trial, &r.problem);
            fail_msg("%s", err.message);
        }
        if ((status == STATUS_INPUT) != (n_brute == 0)) {
            describe(trial, &r.problem);
            fail_msg("%d stacks keep the rules: %s", n_brute, err.message);
        }
        refused += status == STATUS_INPUT;
        empty += status == STATUS_NOT_FOUND;
        for (int i = 0; i < r.problem.n_objectives; i++)
            used[r.problem.objective[i]]++;
        if (status == STATUS_INPUT)
            continue;
        points += (int)front.n;
        cases += front.n_cases;
        compare(trial, &r.problem, &front);
        stack_front_release(&front);
    }
    print_message("%d problems, %d with rules that contradict, %d empty; %d points, %d cases\n",
                  to - from, refused, empty, points, cases);
    for (int i = 0; i < N_STACK_QUANTITIES; i++)
        assert_true(used[i] > 0);
}

static void an_exact_front_is_that_of_all_stacks(void **state)
{
    (void)state;
    const char *only = getenv("LATHE_TRIAL");
    if (only)
        run_trials(atoi(only), atoi(only) + 1);
    else
        run_trials(0, 3000 / LATHE_FEWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_exact_front_is_that_of_all_stacks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
