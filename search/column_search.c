#include "search/column_search.h"

#include <assert.h>
#include <math.h>
#include <omp.h>

#include "base/memory.h"
#include "search/columns.h"
#include "search/points.h"

enum { DEFAULT_STRETCH = 1 << 20, SHAPES_A_TURN = 16 };

/* A metric where it is found. */
struct reading {
    const struct metric *metric;
    enum column column; /* N_COLUMNS: the same for all of a variant... */
    double constant;    /* ...this */
    const double *value;
};

/* One thread's. */
struct worker {
    struct column_source *source;
    struct reading objectives[MAX_OBJECTIVES], conditions[MAX_CONDITIONS];
    struct point_front *fronts; /* [n_fronts], by vocabulary where losses are compared */
    struct point_top top;
    int64_t n_passed;
    enum status status;
    struct err err;
};

struct search {
    const struct column_search *job;
    int n_fronts, n_workers;
    struct worker *workers;
    struct point_front *fronts; /* of all workers; [n_fronts] */
    struct point_top top;
    int64_t *ids;
    size_t ids_capacity;
};

static const struct enumeration *enumeration_of(const struct search *search)
{
    return search->job->pricing.enumeration;
}

static enum status new_fronts(const struct search *search, struct point_front **out,
                              struct err *err)
{
    *out = memory_new((size_t)search->n_fronts, sizeof **out);
    if (*out == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (int f = 0; f < search->n_fronts; f++)
        point_front_init(&(*out)[f], search->job->objectives->n);
    return STATUS_OK;
}

static void free_fronts(const struct search *search, struct point_front *fronts)
{
    for (int f = 0; fronts != NULL && f < search->n_fronts; f++)
        point_front_release(&fronts[f]);
    memory_free(fronts);
}

static void set_reading(const struct metric *metric, struct reading *out)
{
    *out = (struct reading){.metric = metric, .column = column_of(metric)};
}

static enum status start_worker(const struct search *search, struct worker *worker, struct err *err)
{
    const struct objectives *objectives = search->job->objectives;
    const struct filter *filter = search->job->filter;
    for (int i = 0; i < objectives->n; i++)
        set_reading(&objectives->metric[i], &worker->objectives[i]);
    for (int i = 0; i < filter->n; i++)
        set_reading(&filter->condition[i].metric, &worker->conditions[i]);
    point_top_init(&worker->top, objectives->n, search->job->n_top);
    enum status status = column_source_create(&search->job->pricing, &worker->source, err);
    return status == STATUS_OK ? new_fronts(search, &worker->fronts, err) : status;
}

static enum status start(const struct column_search *job, struct search *search, struct err *err)
{
    const struct space *space = job->pricing.enumeration->space;
    *search = (struct search){.job = job};
    search->n_fronts = job->objectives->compare_losses ? space->vocab_size.n : 1;
    search->n_workers = job->n_jobs > 0 ? job->n_jobs : omp_get_max_threads();
    point_top_init(&search->top, job->objectives->n, job->n_top);
    search->workers = memory_new((size_t)search->n_workers, sizeof *search->workers);
    if (search->workers == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    enum status status = new_fronts(search, &search->fronts, err);
    for (int w = 0; w < search->n_workers && status == STATUS_OK; w++)
        status = start_worker(search, &search->workers[w], err);
    return status;
}

static void end(struct search *search)
{
    for (int w = 0; search->workers != NULL && w < search->n_workers; w++) {
        column_source_free(search->workers[w].source);
        free_fronts(search, search->workers[w].fronts);
        point_top_release(&search->workers[w].top);
    }
    memory_free(search->workers);
    free_fronts(search, search->fronts);
    point_top_release(&search->top);
    memory_free(search->ids);
}

static int front_of(const struct search *search, const struct shape *shape)
{
    const struct axis *vocabularies = &enumeration_of(search)->space->vocab_size;
    int f = 0;
    while (search->n_fronts > 1 && vocabularies->value[f] != shape->vocab_size)
        f++;
    return f;
}

/* Makes the values of a metric ready. */
static void read_metric(struct column_source *source, struct reading *reading)
{
    if (reading->column == N_COLUMNS)
        reading->constant = column_constant(source, reading->metric);
    else
        reading->value = column_fill(source, reading->column);
}

/* As metric_value. */
static double value_at(const struct reading *reading, int64_t i)
{
    return reading->column == N_COLUMNS ? reading->constant
                                        : reading->value[i] * reading->metric->scale;
}

/* As the front's score of a row. */
static double score_of(double sign, double value)
{
    double score = sign * value;
    return isnan(score) ? INFINITY : score;
}

/* Below no score of the variant: its corner. */
static double least_score(struct worker *worker, const struct objectives *objectives, int i,
                          int64_t n)
{
    struct reading *reading = &worker->objectives[i];
    double sign = objectives->sign[i], least = INFINITY;
    if (sign > 0 && reading->column != N_COLUMNS) {
        double bound = column_least(worker->source, reading->column);
        if (bound > -INFINITY)
            return score_of(sign, bound * reading->metric->scale);
    }
    read_metric(worker->source, reading);
    for (int64_t k = 0; k < (reading->column == N_COLUMNS ? 1 : n); k++) {
        double score = score_of(sign, value_at(reading, k));
        least = score < least ? score : least;
    }
    return least;
}

/* False: nothing of the variant can get on the front or into the top. */
static bool may_be_kept(const struct search *search, struct worker *worker,
                        const struct point_front *front, const struct columns *columns)
{
    const struct objectives *objectives = search->job->objectives;
    double corner[MAX_OBJECTIVES] = {0};
    for (int i = 0; i < objectives->n; i++)
        corner[i] = least_score(worker, objectives, i, columns->n);
    return (worker->top.limit > 0 && corner[0] <= point_top_worst(&worker->top)) ||
           !point_front_beats(front, corner, columns->first_id);
}

static enum status keep(const struct search *search, struct worker *worker,
                        struct point_front *front, const struct columns *columns, int64_t i,
                        struct err *err)
{
    const struct objectives *objectives = search->job->objectives;
    struct point point;
    point.id = columns->first_id + i;
    for (int o = 0; o < objectives->n; o++)
        point.score[o] = score_of(objectives->sign[o], value_at(&worker->objectives[o], i));
    enum status status = STATUS_OK;
    if (!point_front_beats(front, point.score, point.id))
        status = point_front_add(front, &point, err);
    if (status == STATUS_OK && worker->top.limit > 0)
        status = point_top_add(&worker->top, &point, err);
    return status;
}

static bool passes_at(const struct search *search, const struct worker *worker, int64_t i)
{
    const struct filter *filter = search->job->filter;
    for (int c = 0; c < filter->n; c++)
        if (!comparison_holds(value_at(&worker->conditions[c], i), filter->condition[c].comparison,
                              filter->condition[c].value))
            return false;
    return true;
}

/* False: a condition on what the variant has in common fails. */
static bool read_conditions(const struct search *search, struct worker *worker)
{
    const struct filter *filter = search->job->filter;
    for (int c = 0; c < filter->n; c++) {
        struct reading *reading = &worker->conditions[c];
        if (reading->column != N_COLUMNS)
            continue;
        read_metric(worker->source, reading);
        if (!comparison_holds(reading->constant, filter->condition[c].comparison,
                              filter->condition[c].value))
            return false;
    }
    for (int c = 0; c < filter->n; c++)
        if (worker->conditions[c].column != N_COLUMNS)
            read_metric(worker->source, &worker->conditions[c]);
    return true;
}

static enum status look_at(const struct search *search, struct worker *worker,
                           struct point_front *front, const struct columns *columns,
                           struct err *err)
{
    const bool has_filter = search->job->filter->n > 0;
    enum status status = STATUS_OK;
    if (has_filter && !read_conditions(search, worker))
        return STATUS_OK;
    bool may_be = may_be_kept(search, worker, front, columns);
    if (!has_filter)
        worker->n_passed += columns->n;
    if (!has_filter && !may_be)
        return STATUS_OK;
    for (int o = 0; may_be && o < search->job->objectives->n; o++)
        read_metric(worker->source, &worker->objectives[o]);
    for (int64_t i = 0; i < columns->n && status == STATUS_OK; i++) {
        if (has_filter && !passes_at(search, worker, i))
            continue;
        worker->n_passed += has_filter;
        if (may_be)
            status = keep(search, worker, front, columns, i, err);
    }
    return status;
}

static void look_at_shape(const struct search *search, struct worker *worker,
                          const struct shape *shape)
{
    struct point_front *front = &worker->fronts[front_of(search, shape)];
    const struct columns *columns;
    if (worker->status != STATUS_OK)
        return;
    column_source_shape(worker->source, shape);
    while (worker->status == STATUS_OK && (columns = column_source_next(worker->source)) != NULL)
        worker->status = look_at(search, worker, front, columns, &worker->err);
}

static enum status put_together(struct search *search, struct err *err)
{
    enum status status = STATUS_OK;
    for (int w = 0; w < search->n_workers && status == STATUS_OK; w++) {
        struct worker *worker = &search->workers[w];
        if (worker->status != STATUS_OK)
            return err_set(err, worker->status, "%s", worker->err.message);
        for (int f = 0; f < search->n_fronts && status == STATUS_OK; f++)
            status = point_front_merge(&search->fronts[f], &worker->fronts[f], err);
        for (size_t i = 0; i < worker->top.n && status == STATUS_OK; i++)
            status = point_top_add(&search->top, &worker->top.point[i], err);
        worker->top.n = 0;
    }
    /* What one found spares the others, too. */
    for (int w = 0; w < search->n_workers; w++)
        for (int f = 0; f < search->n_fronts && status == STATUS_OK; f++)
            status = point_front_merge(&search->workers[w].fronts[f], &search->fronts[f], err);
    return status;
}

static int by_id(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Fronts of other vocabularies whose candidates are unknown give way to one that is known. */
static void leave_to_known(struct search *search)
{
    bool any_is_known = false;
    for (int f = 0; f < search->n_fronts; f++)
        any_is_known |= point_front_is_known(&search->fronts[f]);
    for (int f = 0; f < search->n_fronts && any_is_known; f++)
        if (!point_front_is_known(&search->fronts[f]))
            search->fronts[f].n = 0;
}

static enum status list_ids(struct search *search, struct column_best *best, struct err *err)
{
    leave_to_known(search);
    size_t n = search->top.n, at = 0;
    for (int f = 0; f < search->n_fronts; f++)
        n += search->fronts[f].n;
    void *array = search->ids;
    enum status status = memory_grow(&array, &search->ids_capacity, n, sizeof *search->ids, err);
    search->ids = array;
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < search->top.n; i++)
        search->ids[at++] = search->top.point[i].id;
    for (int f = 0; f < search->n_fronts; f++)
        for (size_t i = 0; i < search->fronts[f].n; i++)
            search->ids[at++] = search->fronts[f].point[i].id;
    memory_sort(search->ids, n, sizeof *search->ids, by_id);
    best->n = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || search->ids[i] != search->ids[i - 1])
            search->ids[best->n++] = search->ids[i];
    best->ids = search->ids;
    return STATUS_OK;
}

/* Shapes first .. returned - 1 make the next stretch. */
static size_t stretch_end(const struct enumeration *e, size_t first, int64_t stretch)
{
    size_t at = first;
    int64_t count = 0;
    while (at < e->n_shapes && count < stretch)
        count += e->shapes[at++].count;
    return at;
}

static enum status look_at_stretch(struct search *search, size_t first, size_t last,
                                   struct err *err)
{
    const struct enumeration *e = enumeration_of(search);
#pragma omp parallel num_threads(search->n_workers) if (search->n_workers > 1)
    {
        struct worker *worker = &search->workers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, SHAPES_A_TURN)
        for (size_t s = first; s < last; s++)
            look_at_shape(search, worker, &e->shapes[s]);
    }
    return put_together(search, err);
}

/* Long enough for a top to be put together now and then only. */
static int64_t default_stretch(size_t n_top)
{
    return DEFAULT_STRETCH > 4 * (int64_t)n_top ? DEFAULT_STRETCH : 4 * (int64_t)n_top;
}

static enum status run(struct search *search, column_callback *callback, void *user,
                       struct err *err)
{
    const struct column_search *job = search->job;
    const struct enumeration *e = enumeration_of(search);
    int64_t stretch = job->stretch > 0 ? job->stretch : default_stretch(job->n_top);
    struct column_best best = {0};
    for (size_t first = 0; first < e->n_shapes;) {
        size_t last = stretch_end(e, first, stretch);
        enum status status = look_at_stretch(search, first, last, err);
        first = last;
        best.position = first < e->n_shapes ? e->shapes[first].first_id : enumeration_ids_end(e);
        best.n_passed = 0;
        for (int w = 0; w < search->n_workers; w++)
            best.n_passed += search->workers[w].n_passed;
        if (status == STATUS_OK)
            status = list_ids(search, &best, err);
        if (status == STATUS_OK)
            status = callback(&best, user, err);
        if (status != STATUS_OK)
            return status;
        if (job->stop && *job->stop && first < e->n_shapes)
            return err_set(err, STATUS_INTERRUPTED, "interrupted");
    }
    return STATUS_OK;
}

enum status column_search(const struct column_search *job, column_callback *callback, void *user,
                          struct err *err)
{
    struct search search;
    assert(job->objectives->n > 0);
    enum status status =
        check_workload(job->pricing.enumeration->space, job->pricing.workload, err);
    if (status != STATUS_OK)
        return status;
    status = start(job, &search, err);
    if (status == STATUS_OK)
        status = run(&search, callback, user, err);
    end(&search);
    return status;
}
