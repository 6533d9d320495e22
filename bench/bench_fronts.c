/* Fronts of 57^32 stacks (125M, d_model 576, context 1024, iphone-13) by processor time, on the same
 * tables: decode against a score that adds up (the exact front, NSGA-II), and against one that does not
 * (a fitted sum with moves, NSGA-II).
 *
 * Usage: bench_fronts [--export FILE] [--seeds N] [SECONDS...]
 *
 * Prints hypervolumes, as parts of the exact front's or of the best known, at each of SECONDS (1 10) of one
 * thread; the mean and the least of the seeds (5). --export writes the tables for other programs
 * (bench/fronts_peers.py) and ends.
 *
 * Tables: a place's score of a layer is one for its FFN, log2(1 + d_ff / d_model) times a weight of the
 * place, and one for its attention by KV heads, window and another weight. The score that does not add up
 * is 3000 (1 - exp(-sum / 3000)) and for each two neighbouring places -20 to 20, drawn once for each
 * pair of eight kinds of layers (full, windowed by KV heads; none; empty). */
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "costmodel/totals.h"
#include "device/device.h"
#include "exact/pass_regions.h"
#include "search/evolved_front.h"
#include "search/fitted_front.h"
#include "search/hypervolume.h"
#include "search/nsga2.h"

enum {
    PLACES = 32,
    CLASSES = 56,
    CHOICES = CLASSES + 1,
    KINDS = 8,
    MAX_MARKS = 8,
    MAX_SEEDS = 32,
    MAX_POINTS = 1 << 16,
    POPULATION = 200,
    EVALUATIONS = 4000,
};
static const double SCORE_UNIT = 1e-3; /* of predicted scores, in whole numbers */

struct tables {
    struct transformer frame;
    struct block classes[CLASSES];
    struct machine machine;
    struct stack_problem problem;
    int64_t fixed_ps, fixed_params, ps[CHOICES], params[CHOICES];
    int64_t score[PLACES * CHOICES];
    int kind[CHOICES];
    double pair[KINDS][KINDS];
};

static void give_up(const struct err *err)
{
    fprintf(stderr, "bench_fronts: %s\n", err->message);
    exit(1);
}

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- tables ---- */

static void list_classes(struct tables *t)
{
    static const int64_t kvs[] = {1, 3, 9};
    int n = 0;
    for (int kind = 0; kind < 7; kind++) {
        for (int f = 0; f < 8; f++) {
            struct block block = {.mixer = MIXER_NONE};
            if (kind < 6)
                block = (struct block){.mixer = MIXER_ATTENTION,
                                       .n_heads = 9,
                                       .n_kv_heads = kvs[kind % 3],
                                       .d_head = 64,
                                       .window = kind < 3 ? 0 : 256};
            block.d_ff = 512 + 256 * f;
            t->kind[n] = kind;
            t->classes[n++] = block;
        }
    }
    t->kind[CLASSES] = 7;
}

static void price_classes(struct tables *t)
{
    /* Weights come from memory, however few of them the budget allows. */
    const struct stack_place far = {.pass_bytes = 200000000, .whole_bytes = 200000000};
    struct stack_costs costs;
    struct pass pass;
    struct err err;
    if (stack_costs_start(&t->frame, t->classes, CLASSES, &t->machine, &t->problem.workload, &costs,
                          &err))
        give_up(&err);
    for (int c = 0; c < CLASSES; c++) {
        stack_block_pass(&costs, PHASE_DECODE, c, &far, &pass);
        t->ps[c] = exact_ps(pass.ns);
        t->params[c] = costs.counts[c].params;
    }
    stack_edge_pass(&costs, PHASE_DECODE, far.pass_bytes, &pass);
    t->fixed_ps = exact_ps(pass.ns);
    t->fixed_params = costs.params;
    stack_costs_end(&costs);
}

static void draw_scores(struct tables *t)
{
    for (int i = 0; i < PLACES; i++) {
        struct counter_random random = counter_random_start(1, 0, (uint64_t)i);
        double sees = 0.4 + 1.2 * counter_random_uniform(&random);
        double wide = 0.5 + counter_random_uniform(&random);
        for (int c = 0; c < CLASSES; c++) {
            const struct block *b = &t->classes[c];
            double value = wide * 22 * log2(1 + (double)b->d_ff / 576) + 4;
            if (b->mixer == MIXER_ATTENTION)
                value += sees * (15 + 2.5 * log2((double)b->n_kv_heads)) * (b->window ? 0.75 : 1);
            t->score[i * CHOICES + c] = llround(value);
        }
    }
    for (int a = 0; a < KINDS; a++) {
        for (int b = 0; b < KINDS; b++) {
            struct counter_random random = counter_random_start(2, (uint64_t)a, (uint64_t)b);
            t->pair[a][b] = 40 * counter_random_uniform(&random) - 20;
        }
    }
}

static void make_tables(struct tables *t)
{
    struct device device;
    struct err err;
    if (device_open("iphone-13", &device, &err) || machine_resolve(&device, 0, &t->machine, &err))
        give_up(&err);
    transformer_init(&t->frame, 576, PLACES, 9, 1, 64, 512, 32000);
    t->problem = (struct stack_problem){
        .frame = &t->frame,
        .classes = t->classes,
        .n_classes = CLASSES,
        .may_be_empty = true,
        .score = t->score,
        .min_params = 122500000,
        .max_params = 127500000,
        .n_objectives = 2,
        .objective = {STACK_DECODE, STACK_SCORE},
        .machine = &t->machine,
        .workload = {512, 1024},
        .n_jobs = 1,
    };
    list_classes(t);
    price_classes(t);
    draw_scores(t);
}

static int64_t sum_of(const struct tables *t, const int *choice)
{
    int64_t sum = 0;
    for (int i = 0; i < PLACES; i++)
        sum += t->score[i * CHOICES + choice[i]];
    return sum;
}

static double predict(const struct tables *t, const int *choice)
{
    double value = 3000 * (1 - exp(-(double)sum_of(t, choice) / 3000));
    for (int i = 1; i < PLACES; i++)
        value += t->pair[t->kind[choice[i - 1]]][t->kind[choice[i]]];
    return value;
}

static double score_of(const struct tables *t, bool adds_up, const int *choice)
{
    return adds_up ? (double)sum_of(t, choice) : predict(t, choice);
}

/* ---- fronts ---- */

/* By ascending decode, each with a higher score than the one before. */
struct points {
    size_t n;
    double (*at)[2]; /* ps, minus the score */
};

static void add_point(struct points *points, double ps, double score)
{
    size_t begin = 0, end;
    while (begin < points->n && points->at[begin][0] < ps)
        begin++;
    if ((begin > 0 && points->at[begin - 1][1] <= -score) ||
        (begin < points->n && points->at[begin][0] <= ps && points->at[begin][1] <= -score))
        return;
    for (end = begin; end < points->n && points->at[end][1] >= -score;)
        end++;
    if (points->n + 1 - (end - begin) > MAX_POINTS)
        return;
    memmove(points->at + begin + 1, points->at + end, (points->n - end) * sizeof *points->at);
    points->at[begin][0] = ps;
    points->at[begin][1] = -score;
    points->n += 1 - (end - begin);
}

static struct points new_points(void)
{
    struct points points = {0, memory_new(MAX_POINTS, sizeof *points.at)};
    if (points.at == NULL)
        exit(1);
    return points;
}

static double volume(const struct points *points, const double reference[2])
{
    double out;
    struct err err;
    if (hypervolume(&points->at[0][0], points->n, 2, reference, &out, &err))
        give_up(&err);
    return out;
}

/* ---- runs: volumes at marks of processor time ---- */

struct run {
    const struct tables *tables;
    bool adds_up;
    const double *reference;
    int n_marks, n_passed;
    const double *mark;
    double start, volume[MAX_MARKS], evaluations[MAX_MARKS];
    size_t evaluated;
    struct points points;
    struct points *best; /* of all runs */
};

static void note_time(struct run *run)
{
    while (run->n_passed < run->n_marks && seconds() - run->start >= run->mark[run->n_passed]) {
        run->evaluations[run->n_passed] = (double)run->evaluated;
        run->volume[run->n_passed++] = volume(&run->points, run->reference);
    }
}

static enum status evaluate(void *user, const int *choice, size_t n, double *objective,
                            double *violation, struct err *err)
{
    struct run *run = user;
    const struct tables *t = run->tables;
    (void)err;
    for (size_t s = 0; s < n; s++, choice += PLACES, objective += 2) {
        int64_t ps = t->fixed_ps, params = t->fixed_params;
        for (int i = 0; i < PLACES; i++) {
            ps += t->ps[choice[i]];
            params += t->params[choice[i]];
        }
        double score = score_of(t, run->adds_up, choice);
        objective[0] = (double)ps;
        objective[1] = -score;
        violation[s] = params < t->problem.min_params   ? (double)(t->problem.min_params - params)
                       : params > t->problem.max_params ? (double)(params - t->problem.max_params)
                                                        : 0;
        if (violation[s] == 0)
            add_point(&run->points, objective[0], score);
    }
    run->evaluated += n;
    return STATUS_OK;
}

static bool go_on(void *user)
{
    struct run *run = user;
    note_time(run);
    return run->n_passed < run->n_marks;
}

static void keep_best(const struct run *run)
{
    for (size_t i = 0; i < run->points.n; i++)
        add_point(run->best, run->points.at[i][0], -run->points.at[i][1]);
}

static void run_nsga2(struct run *run, uint64_t seed)
{
    const struct nsga2_problem problem = {PLACES, CHOICES, 2, evaluate, go_on, run};
    const struct nsga2_options options = {POPULATION, seed};
    struct err err;
    run->start = seconds();
    if (nsga2_run(&problem, &options, &err))
        give_up(&err);
    keep_best(run);
}

/* ---- a predictor asked EVALUATIONS times ---- */

static enum status ask(void *user, const struct stack_problem *problem, const int *class_of_place,
                       size_t n, double *score, struct err *err)
{
    const struct tables *t = user;
    (void)problem;
    (void)err;
    for (size_t s = 0; s < n; s++) {
        int choice[PLACES];
        for (int i = 0; i < PLACES; i++) {
            int class = class_of_place[s * PLACES + (size_t)i];
            choice[i] = class == EMPTY_PLACE ? CLASSES : class;
        }
        score[s] = predict(t, choice);
    }
    return STATUS_OK;
}

typedef enum status front_method(const struct stack_problem *problem,
                                 const struct stack_predictor *predictor,
                                 const struct fitted_options *options, struct stack_front *out,
                                 struct fitted_report *report, struct err *err);

/* Returns the processor time. */
static double run_asked(front_method *method, struct run *run, uint64_t seed)
{
    struct tables tables = *run->tables;
    const struct stack_predictor predictor = {ask, &tables, SCORE_UNIT};
    const struct fitted_options options = {.evaluations = EVALUATIONS, .seed = seed};
    struct fitted_report report;
    struct stack_front front;
    struct err err;
    double start = seconds();
    if (method(&run->tables->problem, &predictor, &options, &front, &report, &err))
        give_up(&err);
    double taken = seconds() - start;
    for (size_t i = 0; i < front.n; i++)
        add_point(&run->points, (double)front.stack[i].value[STACK_DECODE],
                  (double)front.stack[i].value[STACK_SCORE] * SCORE_UNIT);
    stack_front_release(&front);
    keep_best(run);
    return taken;
}

/* ---- what is printed ---- */

struct volumes {
    int n;
    double value[MAX_SEEDS];
};

static void print_line(const char *name, const char *when, double evaluations,
                       const struct volumes *of, double whole)
{
    double sum = 0, least = INFINITY;
    for (int i = 0; i < of->n; i++) {
        sum += of->value[i] / whole;
        least = fmin(least, of->value[i] / whole);
    }
    printf("  %-34s %8s s %12.0f %8.4f %8.4f\n", name, when, evaluations, sum / of->n, least);
}

struct bench {
    struct tables tables;
    int n_marks, n_seeds;
    double mark[MAX_MARKS];
    double reference[2][2]; /* by adds_up */
    struct points exact, best;
    double exact_s;
};

static struct run new_run(struct bench *bench, bool adds_up)
{
    return (struct run){
        .tables = &bench->tables,
        .adds_up = adds_up,
        .reference = bench->reference[adds_up],
        .n_marks = bench->n_marks,
        .mark = bench->mark,
        .points = new_points(),
        .best = &bench->best,
    };
}

/* The corners of hypervolumes are those of the exact front, as each score has its stacks. */
static void solve_exactly(struct bench *bench)
{
    struct stack_front front;
    struct err err;
    double start = seconds(), least = INFINITY;
    if (exact_front(&bench->tables.problem, &front, &err))
        give_up(&err);
    bench->exact_s = seconds() - start;
    for (size_t i = 0; i < front.n; i++) {
        const struct found_stack *stack = &front.stack[i];
        double score;
        ask(&bench->tables, NULL, stack->class_of_place, 1, &score, &err);
        least = fmin(least, score);
        add_point(&bench->exact, (double)stack->value[STACK_DECODE],
                  (double)stack->value[STACK_SCORE]);
    }
    bench->reference[true][0] = bench->reference[false][0] =
        (double)front.stack[front.n - 1].value[STACK_DECODE];
    bench->reference[true][1] = -(double)front.stack[0].value[STACK_SCORE];
    bench->reference[false][1] = -least;
    stack_front_release(&front);
}

static void bench_nsga2(struct bench *bench, bool adds_up, struct volumes *at, double *evaluations)
{
    for (int seed = 0; seed < bench->n_seeds; seed++) {
        struct run run = new_run(bench, adds_up);
        run_nsga2(&run, (uint64_t)seed + 1);
        for (int m = 0; m < bench->n_marks; m++) {
            at[m].value[at[m].n++] = run.volume[m];
            evaluations[m] += run.evaluations[m] / bench->n_seeds;
        }
        memory_free(run.points.at);
    }
}

static void print_nsga2(const struct bench *bench, const struct volumes *at,
                        const double *evaluations, double whole)
{
    for (int m = 0; m < bench->n_marks; m++) {
        char when[32];
        snprintf(when, sizeof when, "%g", bench->mark[m]);
        print_line("NSGA-II, population 200", when, evaluations[m], &at[m], whole);
    }
}

static void print_head(const char *what)
{
    printf("%s\n  %-34s %10s %12s %8s %8s\n", what, "method", "processor", "evaluations", "mean",
           "least");
}

static void compare_sums(struct bench *bench)
{
    struct volumes at[MAX_MARKS] = {{0}}, exact = {1, {0}};
    double evaluations[MAX_MARKS] = {0}, whole = volume(&bench->exact, bench->reference[true]);
    char when[32];
    print_head("the score adds up: parts of the exact front's hypervolume");
    snprintf(when, sizeof when, "%.2f", bench->exact_s);
    exact.value[0] = whole;
    print_line("exact front", when, 0, &exact, whole);
    fflush(stdout);
    bench_nsga2(bench, true, at, evaluations);
    print_nsga2(bench, at, evaluations, whole);
}

static double bench_asked(struct bench *bench, front_method *method, struct volumes *out)
{
    double taken = 0;
    for (int seed = 0; seed < bench->n_seeds; seed++) {
        struct run run = new_run(bench, false);
        taken += run_asked(method, &run, (uint64_t)seed + 1) / bench->n_seeds;
        out->value[out->n++] = volume(&run.points, run.reference);
        memory_free(run.points.at);
    }
    return taken;
}

static void compare_predicted(struct bench *bench)
{
    struct volumes at[MAX_MARKS] = {{0}}, fitted = {0}, evolved = {0};
    double evaluations[MAX_MARKS] = {0};
    char fitted_s[32], evolved_s[32];
    bench->best.n = 0;
    snprintf(fitted_s, sizeof fitted_s, "%.1f", bench_asked(bench, fitted_front, &fitted));
    snprintf(evolved_s, sizeof evolved_s, "%.1f", bench_asked(bench, evolved_front, &evolved));
    bench_nsga2(bench, false, at, evaluations);
    double whole = volume(&bench->best, bench->reference[false]);
    print_head("the score does not: parts of the hypervolume of all that were found");
    print_line("fitted sum and moves", fitted_s, EVALUATIONS, &fitted, whole);
    print_line("NSGA-II, population 100", evolved_s, EVALUATIONS, &evolved, whole);
    print_nsga2(bench, at, evaluations, whole);
}

static void export_row(FILE *file, const int64_t *value, int n)
{
    for (int i = 0; i < n; i++)
        fprintf(file, "%" PRId64 "%c", value[i], i + 1 < n ? ' ' : '\n');
}

/* Places and choices; fixed ps and parameters, least and most parameters; ps and parameters of each
 * choice; the scores of each place; the reference and the exact front's hypervolume. */
static void export_tables(const struct bench *bench, const char *path)
{
    const struct tables *t = &bench->tables;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, "%d %d\n%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", PLACES, CHOICES,
            t->fixed_ps, t->fixed_params, t->problem.min_params, t->problem.max_params);
    export_row(file, t->ps, CHOICES);
    export_row(file, t->params, CHOICES);
    for (int i = 0; i < PLACES; i++)
        export_row(file, t->score + i * CHOICES, CHOICES);
    fprintf(file, "%.17g %.17g %.17g\n", bench->reference[true][0], bench->reference[true][1],
            volume(&bench->exact, bench->reference[true]));
    if (fclose(file) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static struct bench bench = {.n_seeds = 5};
    const char *export_to = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--export") == 0 && i + 1 < argc)
            export_to = argv[++i];
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            bench.n_seeds = atoi(argv[++i]);
        else if (bench.n_marks < MAX_MARKS)
            bench.mark[bench.n_marks++] = atof(argv[i]);
    }
    if (bench.n_marks == 0) {
        bench.mark[bench.n_marks++] = 1;
        bench.mark[bench.n_marks++] = 10;
    }
    if (bench.n_seeds < 1 || bench.n_seeds > MAX_SEEDS)
        bench.n_seeds = 1;
    omp_set_num_threads(1);
    bench.exact = new_points();
    bench.best = new_points();
    make_tables(&bench.tables);
    solve_exactly(&bench);
    if (export_to != NULL) {
        export_tables(&bench, export_to);
        return 0;
    }
    printf("57^32 stacks, 122.5M to 127.5M parameters, %d seeds\n", bench.n_seeds);
    compare_sums(&bench);
    compare_predicted(&bench);
    return 0;
}
