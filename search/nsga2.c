#include "search/nsga2.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "search/counter_random.h"

static const double CROSSOVER_FRAC = 0.9;

struct member {
    const double *objective;
    double violation, crowding;
    size_t row, rank;
};

struct population {
    const struct nsga2_problem *problem;
    size_t n; /* parents; as many children follow them */
    uint64_t seed, generation;
    int *choice, *spare_choice;          /* [2n][n_places] */
    double *objective, *spare_objective; /* [2n][n_objectives] */
    double *violation;                   /* [2n] */
    struct member *member;               /* [2n], in order once ranked */
    size_t *last, *before; /* [2n]: of each front its last member; of a member the one before */
};

static void release(struct population *p)
{
    memory_free(p->choice);
    memory_free(p->spare_choice);
    memory_free(p->objective);
    memory_free(p->spare_objective);
    memory_free(p->violation);
    memory_free(p->member);
    memory_free(p->last);
    memory_free(p->before);
}

static enum status create(const struct nsga2_problem *problem, const struct nsga2_options *options,
                          struct population *p, struct err *err)
{
    size_t n = (options->population + 1) / 2 * 2, places = (size_t)problem->n_places;
    size_t objectives = (size_t)problem->n_objectives;
    *p = (struct population){
        .problem = problem,
        .n = n,
        .seed = options->seed,
        .choice = memory_new(2 * n * places, sizeof *p->choice),
        .spare_choice = memory_new(2 * n * places, sizeof *p->choice),
        .objective = memory_new(2 * n * objectives, sizeof *p->objective),
        .spare_objective = memory_new(2 * n * objectives, sizeof *p->objective),
        .violation = memory_new(2 * n, sizeof *p->violation),
        .member = memory_new(2 * n, sizeof *p->member),
        .last = memory_new(2 * n, sizeof *p->last),
        .before = memory_new(2 * n, sizeof *p->before),
    };
    return p->choice && p->spare_choice && p->objective && p->spare_objective && p->violation &&
                   p->member && p->last && p->before
               ? STATUS_OK
               : err_set(err, STATUS_NOMEM, "out of memory for a population of %zu", n);
}

/* ---- ranks ---- */

/* qsort has no argument for it. */
static _Thread_local int order_objective, order_n;

static int by_objectives(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->violation != y->violation)
        return x->violation < y->violation ? -1 : 1;
    for (int k = 0; k < order_n && x->violation == 0; k++)
        if (x->objective[k] != y->objective[k])
            return x->objective[k] < y->objective[k] ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int by_rank_and_objective(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    double p = x->objective[order_objective], q = y->objective[order_objective];
    if (p != q)
        return p < q ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int by_fitness(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->crowding != y->crowding)
        return x->crowding > y->crowding ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static bool dominates(const double *a, const double *b, int n)
{
    bool is_less = false;
    for (int k = 0; k < n; k++) {
        if (a[k] > b[k])
            return false;
        is_less |= a[k] < b[k];
    }
    return is_less;
}

/* Members come by ascending first objective, so that of two objectives the last of a front decides. */
static bool front_dominates(const struct population *p, size_t front, const double *objective)
{
    int n = p->problem->n_objectives;
    for (size_t at = p->last[front]; at != SIZE_MAX; at = p->before[at]) {
        if (dominates(p->member[at].objective, objective, n))
            return true;
        if (n <= 2)
            return false;
    }
    return false;
}

/* Fronts in front of one that dominates dominate too: bisection. */
static size_t find_front(const struct population *p, size_t n_fronts, const double *objective)
{
    size_t low = 0, high = n_fronts;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (front_dominates(p, middle, objective))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Returns how many keep the constraints; the others have ranks of their own, by violation. */
static size_t set_ranks(struct population *p, size_t n)
{
    size_t n_fronts = 0, n_within = 0;
    order_n = p->problem->n_objectives;
    qsort(p->member, n, sizeof *p->member, by_objectives);
    while (n_within < n && p->member[n_within].violation == 0)
        n_within++;
    for (size_t i = 0; i < n_within; i++) {
        size_t front = find_front(p, n_fronts, p->member[i].objective);
        p->before[i] = front < n_fronts ? p->last[front] : SIZE_MAX;
        p->last[front] = i;
        n_fronts += front == n_fronts;
        p->member[i].rank = front;
    }
    for (size_t i = n_within; i < n; i++) {
        bool is_worse = i == n_within || p->member[i].violation > p->member[i - 1].violation;
        n_fronts += is_worse;
        p->member[i].rank = n_fronts - 1;
    }
    return n_within;
}

/* Of members [begin, end) of one rank, in the order of the objective. */
static void add_crowding(struct population *p, size_t begin, size_t end, int objective)
{
    struct member *member = p->member;
    double range = member[end - 1].objective[objective] - member[begin].objective[objective];
    member[begin].crowding = member[end - 1].crowding = INFINITY;
    for (size_t i = begin + 1; i + 1 < end && range > 0; i++)
        member[i].crowding +=
            (member[i + 1].objective[objective] - member[i - 1].objective[objective]) / range;
}

static void set_crowding(struct population *p, size_t n_within)
{
    for (int k = 0; k < p->problem->n_objectives; k++) {
        order_objective = k;
        qsort(p->member, n_within, sizeof *p->member, by_rank_and_objective);
        for (size_t begin = 0, end; begin < n_within; begin = end) {
            end = begin + 1;
            while (end < n_within && p->member[end].rank == p->member[begin].rank)
                end++;
            add_crowding(p, begin, end, k);
        }
    }
}

static void rank(struct population *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p->member[i] = (struct member){
            .objective = p->objective + i * (size_t)p->problem->n_objectives,
            .violation = p->violation[i],
            .row = i,
        };
    set_crowding(p, set_ranks(p, n));
    qsort(p->member, n, sizeof *p->member, by_fitness);
}

/* ---- generations ---- */

/* The best half becomes the parents, best first. */
static void survive(struct population *p)
{
    size_t places = (size_t)p->problem->n_places, objectives = (size_t)p->problem->n_objectives;
    for (size_t i = 0; i < p->n; i++) {
        const struct member *member = &p->member[i];
        memcpy(p->spare_choice + i * places, p->choice + member->row * places,
               places * sizeof *p->choice);
        memcpy(p->spare_objective + i * objectives, member->objective,
               objectives * sizeof *p->objective);
    }
    for (size_t i = 0; i < p->n; i++)
        p->violation[i] = p->member[i].violation;
    int *choice = p->choice;
    double *objective = p->objective;
    p->choice = p->spare_choice;
    p->spare_choice = choice;
    p->objective = p->spare_objective;
    p->spare_objective = objective;
}

/* Parents are in order: the lower place wins. */
static const int *draw_parent(const struct population *p, struct counter_random *random)
{
    int a = counter_random_below(random, (int)p->n), b = counter_random_below(random, (int)p->n);
    return p->choice + (size_t)(a < b ? a : b) * (size_t)p->problem->n_places;
}

static void mutate(const struct nsga2_problem *problem, struct counter_random *random, int *choice)
{
    for (int i = 0; i < problem->n_places; i++)
        if (counter_random_uniform(random) * problem->n_places < 1)
            choice[i] = counter_random_below(random, problem->n_choices);
}

static void make_pair(const struct population *p, size_t pair, int *child)
{
    const struct nsga2_problem *problem = p->problem;
    struct counter_random random = counter_random_start(p->seed, p->generation, pair);
    const int *a = draw_parent(p, &random), *b = draw_parent(p, &random);
    int n = problem->n_places;
    bool crosses = counter_random_uniform(&random) < CROSSOVER_FRAC;
    for (int i = 0; i < n; i++) {
        bool swaps = crosses && (counter_random_next(&random) & 1);
        child[i] = swaps ? b[i] : a[i];
        child[n + i] = swaps ? a[i] : b[i];
    }
    mutate(problem, &random, child);
    mutate(problem, &random, child + n);
}

static void make_children(struct population *p)
{
    size_t places = (size_t)p->problem->n_places;
    p->generation++;
#pragma omp parallel for if (p->n >= 64)
    for (size_t pair = 0; pair < p->n / 2; pair++)
        make_pair(p, pair, p->choice + (p->n + 2 * pair) * places);
}

static void make_first(struct population *p)
{
    size_t places = (size_t)p->problem->n_places;
    for (size_t i = 0; i < p->n; i++) {
        struct counter_random random = counter_random_start(p->seed, 0, i);
        for (size_t k = 0; k < places; k++)
            p->choice[i * places + k] = counter_random_below(&random, p->problem->n_choices);
    }
}

/* Rows [begin, begin + n). */
static enum status evaluate(struct population *p, size_t begin, struct err *err)
{
    const struct nsga2_problem *problem = p->problem;
    return problem->evaluate(problem->user, p->choice + begin * (size_t)problem->n_places, p->n,
                             p->objective + begin * (size_t)problem->n_objectives,
                             p->violation + begin, err);
}

enum status nsga2_run(const struct nsga2_problem *problem, const struct nsga2_options *options,
                      struct err *err)
{
    struct population p;
    enum status status = create(problem, options, &p, err);
    if (!status) {
        make_first(&p);
        status = evaluate(&p, 0, err);
    }
    if (!status) {
        rank(&p, p.n);
        survive(&p);
    }
    while (!status && problem->go_on(problem->user)) {
        make_children(&p);
        if ((status = evaluate(&p, p.n, err)))
            break;
        rank(&p, 2 * p.n);
        survive(&p);
    }
    release(&p);
    return status;
}
