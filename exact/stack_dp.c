#include "exact/stack_dp.h"

#include <inttypes.h>
#include <omp.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"
#include "exact/key_table.h"

/* Below so many steps waiting for one another takes threads longer than the work. */
enum { WORTH_THREADS = 2000 };

/* Keys: the sums, then the state of the rules; before place i. */
struct layer {
    struct key_table keys;
    struct key_steps steps;   /* that lead here */
    size_t *start;            /* [keys.n + 1] */
    bool *leads_on;           /* [keys.n]: a whole stack inside all ranges follows */
    struct label_set *labels; /* [keys.n]; the costs of all but the last two layers are gone */
};

struct table {
    const struct stack_dp *dp;
    int width;           /* of a key */
    bool *live;          /* rule_live */
    int64_t *rest_least; /* [n_places + 1][n_sums]: of the places from here on */
    int64_t *rest_most;
    int64_t *rest_cost;  /* [n_places + 1][n_costs] */
    struct layer *layer; /* [n_places + 1] */
    int64_t bytes;       /* that keys and steps take, then labels too */
};

static enum status too_large(const struct table *table, int64_t place, int64_t bytes,
                             struct err *err)
{
    const struct stack_dp *dp = table->dp;
    char size[32], limit[32];
    return err_set(err, STATUS_RANGE,
                   "the exact table takes more than %s at place %" PRId64 " of %" PRId64
                   ", %s allowed: narrow the budget, offer fewer layers, drop an objective or a "
                   "rule, or allow an eps",
                   format_bytes((double)bytes, size, sizeof size), place, dp->rules.n_places,
                   format_bytes((double)dp->memory_bytes, limit, sizeof limit));
}

static void tell(const struct stack_dp *dp, bool has_labels, int64_t place, size_t n)
{
    struct stack_dp_at at = {has_labels, place, dp->rules.n_places, (int64_t)n};
    if (dp->told)
        dp->told(&at, dp->told_user);
}

static bool is_stopped(const struct stack_dp *dp)
{
    return dp->stop && *dp->stop;
}

static enum status stopped(struct err *err)
{
    return err_set(err, STATUS_INTERRUPTED, "interrupted");
}

static void release_layer(struct layer *layer)
{
    for (size_t k = 0; layer->labels && k < layer->keys.n; k++)
        label_set_release(&layer->labels[k]);
    memory_free(layer->labels);
    memory_free(layer->start);
    memory_free(layer->leads_on);
    key_steps_release(&layer->steps);
    key_table_release(&layer->keys);
}

static void release(struct table *table)
{
    for (int64_t i = 0; table->layer && i <= table->dp->rules.n_places; i++)
        release_layer(&table->layer[i]);
    memory_free(table->layer);
    memory_free(table->live);
    memory_free(table->rest_least);
    memory_free(table->rest_most);
    memory_free(table->rest_cost);
}

static bool is_allowed(const struct rule_automaton *rules, int64_t place, int choice)
{
    return !rules->allowed || rules->allowed[place * rules->n_choices + choice];
}

/* Bounds on what the places from one on add. */
static void bound_rests(struct table *table)
{
    const struct stack_dp *dp = table->dp;
    for (int64_t place = dp->rules.n_places - 1; place >= 0; place--) {
        for (int i = 0; i < dp->n_sums; i++) {
            int64_t least = INT64_MAX, most = 0;
            for (int c = 0; c < dp->rules.n_choices; c++) {
                int64_t value = dp->sum[c * dp->n_sums + i];
                if (!is_allowed(&dp->rules, place, c))
                    continue;
                least = value < least ? value : least;
                most = value > most ? value : most;
            }
            least = least == INT64_MAX ? 0 : least; /* no choice: the state of the rules is dead */
            int64_t at = place * dp->n_sums + i;
            table->rest_least[at] = table->rest_least[at + dp->n_sums] + least;
            table->rest_most[at] = table->rest_most[at + dp->n_sums] + most;
        }
        for (int i = 0; i < dp->labels.n_costs; i++) {
            int64_t at = place * dp->labels.n_costs + i;
            table->rest_cost[at] = table->rest_cost[at + dp->labels.n_costs] + dp->least[at];
        }
    }
}

static enum status start(const struct stack_dp *dp, struct table *table, struct err *err)
{
    size_t n = (size_t)dp->rules.n_places + 1, sums = (size_t)dp->n_sums;
    *table = (struct table){.dp = dp, .width = dp->n_sums + 1};
    table->live = rule_live(&dp->rules);
    table->rest_least = memory_new(n * sums, sizeof *table->rest_least);
    table->rest_most = memory_new(n * sums, sizeof *table->rest_most);
    table->rest_cost = memory_new(n * (size_t)dp->labels.n_costs, sizeof *table->rest_cost);
    table->layer = memory_new(n, sizeof *table->layer);
    if (!table->live || !table->rest_least || !table->rest_most || !table->rest_cost ||
        !table->layer)
        return err_set(err, STATUS_NOMEM, "out of memory for a table of %zu places", n);
    bound_rests(table);
    for (size_t i = 0; i < n; i++)
        table->layer[i].keys.width = table->width;
    return STATUS_OK;
}

/* The key after a choice; false: no whole stack inside the ranges follows from it. */
static bool step_key(const struct table *table, int64_t place, const int64_t *key, int choice,
                     int64_t *out)
{
    const struct stack_dp *dp = table->dp;
    const int64_t *least = table->rest_least + (place + 1) * dp->n_sums;
    const int64_t *most = table->rest_most + (place + 1) * dp->n_sums;
    for (int i = 0; i < dp->n_sums; i++) {
        out[i] = key[i] + dp->sum[choice * dp->n_sums + i];
        if (out[i] + least[i] > dp->sum_max[i] || out[i] + most[i] < dp->sum_min[i])
            return false;
    }
    int64_t state = rule_step(&dp->rules, key[dp->n_sums], place, choice);
    out[dp->n_sums] = state;
    return state != RULE_STATE_DEAD && table->live[(place + 1) * rule_states(&dp->rules) + state];
}

static int64_t layer_bytes(const struct layer *layer)
{
    size_t key = (size_t)layer->keys.width * sizeof(int64_t) + 2 * sizeof(uint32_t);
    return (int64_t)(layer->keys.n * (key + sizeof(size_t) + sizeof(struct label_set)) +
                     layer->steps.n * sizeof(struct key_step));
}

/* The keys after `place` from those before it. */
static enum status list_keys(struct table *table, int64_t place, struct err *err)
{
    const struct stack_dp *dp = table->dp;
    const struct layer *from = &table->layer[place];
    struct layer *to = &table->layer[place + 1];
    int64_t key[MAX_SUMS + 1];
    for (size_t k = 0; k < from->keys.n; k++) {
        for (int c = 0; c < dp->rules.n_choices; c++) {
            struct key_step step = {.source = (uint32_t)k, .choice = c};
            enum status status = STATUS_OK;
            if (!step_key(table, place, key_table_key(&from->keys, k), c, key))
                continue;
            if ((status = key_table_row(&to->keys, key, &step.target, err)) ||
                (status = key_steps_add(&to->steps, step, err)))
                return status;
        }
        if (k % 1024 == 0 && table->bytes + layer_bytes(to) > dp->memory_bytes)
            return too_large(table, place, table->bytes + layer_bytes(to), err);
        if (k % 1024 == 0 && is_stopped(dp))
            return stopped(err);
    }
    table->bytes += layer_bytes(to);
    if (table->bytes > dp->memory_bytes)
        return too_large(table, place, table->bytes, err);
    to->start = memory_new(to->keys.n + 1, sizeof *to->start);
    to->leads_on = memory_new(to->keys.n, sizeof *to->leads_on);
    to->labels = memory_new(to->keys.n, sizeof *to->labels);
    if (!to->start || !to->leads_on || !to->labels)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu keys", to->keys.n);
    return key_steps_sort(&to->steps, to->keys.n, to->start, err);
}

/* From the last place back: keys that end nowhere get no labels. */
static void mark_leading_on(struct table *table)
{
    const int64_t n = table->dp->rules.n_places;
    struct layer *last = &table->layer[n];
    for (size_t k = 0; k < last->keys.n; k++)
        last->leads_on[k] = true;
    for (int64_t place = n; place > 1; place--) {
        const struct layer *layer = &table->layer[place];
        for (size_t s = 0; s < layer->steps.n; s++)
            if (layer->leads_on[layer->steps.step[s].target])
                table->layer[place - 1].leads_on[layer->steps.step[s].source] = true;
    }
}

static enum status list_all_keys(struct table *table, struct err *err)
{
    const int64_t none[MAX_SUMS + 1] = {0}; /* RULE_STATE_START is 0 */
    struct layer *first = &table->layer[0];
    uint32_t row;
    enum status status = key_table_row(&first->keys, none, &row, err);
    for (int64_t place = 0; !status && place < table->dp->rules.n_places; place++) {
        status = list_keys(table, place, err);
        tell(table->dp, false, place + 1, table->layer[place + 1].keys.n);
    }
    if (!status)
        mark_leading_on(table);
    return status;
}

/* What a thread gathers the labels of a key in. */
struct gathering {
    struct label_set labels;
    struct label_room room;
};

static void release_gathering(struct gathering *gathering)
{
    label_set_release(&gathering->labels);
    label_room_release(&gathering->room);
}

/* The labels of one key after `place`. */
static enum status fill(const struct table *table, int64_t place, size_t k,
                        struct gathering *gathering, struct err *err)
{
    const struct stack_dp *dp = table->dp;
    const struct layer *from = &table->layer[place];
    struct layer *to = &table->layer[place + 1];
    const int64_t *rest = table->rest_cost + (place + 1) * dp->labels.n_costs;
    int64_t add[MAX_COSTS], most[MAX_COSTS];
    enum status status = STATUS_OK;
    gathering->labels.n = 0;
    for (int i = 0; i < dp->labels.n_costs; i++)
        most[i] = dp->most[i] == INT64_MAX ? INT64_MAX : dp->most[i] - rest[i];
    for (size_t s = to->start[k]; s < to->start[k + 1] && !status; s++) {
        const struct key_step *step = &to->steps.step[s];
        const int64_t *key = key_table_key(&from->keys, step->source);
        bool is_first = !rule_has_block(&dp->rules, key[dp->n_sums]);
        dp->cost(dp->user, place, step->choice, is_first, key, add);
        status =
            label_set_add(&dp->labels, &gathering->labels, &gathering->room,
                          &from->labels[step->source], add, most, step->source, step->choice, err);
    }
    if (!status)
        status = label_set_prune(&dp->labels, &gathering->labels, &gathering->room, err);
    return status ? status : label_set_copy(&dp->labels, &gathering->labels, &to->labels[k], err);
}

static size_t count_labels(const struct layer *layer)
{
    size_t n = 0;
    for (size_t k = 0; k < layer->keys.n; k++)
        n += layer->labels[k].n;
    return n;
}

static int64_t label_bytes(const struct stack_dp *dp, size_t n)
{
    return (int64_t)(n *
                     ((size_t)dp->labels.n_costs * sizeof(int64_t) + sizeof(struct label_origin)));
}

static void drop_costs(struct layer *layer)
{
    for (size_t k = 0; k < layer->keys.n; k++) {
        memory_free(layer->labels[k].cost);
        layer->labels[k].cost = NULL;
        layer->labels[k].cost_capacity = 0;
    }
}

static int threads_for(const struct stack_dp *dp, const struct layer *to)
{
    if (to->steps.n < WORTH_THREADS)
        return 1;
    return dp->n_jobs > 0 ? dp->n_jobs : omp_get_max_threads();
}

static enum status fill_layer(struct table *table, int64_t place, struct err *err)
{
    const struct stack_dp *dp = table->dp;
    struct layer *to = &table->layer[place + 1];
    enum status status = STATUS_OK;
#pragma omp parallel num_threads(threads_for(dp, to))
    {
        struct gathering gathering = {.labels = {0}};
#pragma omp for schedule(dynamic, 16)
        for (size_t k = 0; k < to->keys.n; k++) {
            enum status seen;
            struct err mine = {""};
#pragma omp atomic read
            seen = status;
            if (seen || is_stopped(dp) || !to->leads_on[k])
                continue;
            enum status one = fill(table, place, k, &gathering, &mine);
            if (one) {
#pragma omp critical(lathe_stack_dp)
                {
                    err_set(err, one, "%s", mine.message);
#pragma omp atomic write
                    status = one;
                }
            }
        }
        release_gathering(&gathering);
    }
    if (!status && is_stopped(dp))
        status = stopped(err);
    return status;
}

static enum status fill_all(struct table *table, struct err *err)
{
    const struct stack_dp *dp = table->dp;
    static int64_t nothing[MAX_COSTS];
    struct label_set *first = NULL;
    struct layer *layer = &table->layer[0];
    enum status status = STATUS_OK;
    layer->labels = first = memory_new(1, sizeof *first);
    struct label_set origin = {.n = 1, .cost = nothing};
    struct label_room room = {.order = NULL};
    if (!first)
        return err_set(err, STATUS_NOMEM, "out of memory for labels");
    status = label_set_add(&dp->labels, first, &room, &origin, nothing, dp->most, 0, -1, err);
    label_room_release(&room);
    for (int64_t place = 0; !status && place < dp->rules.n_places; place++) {
        if ((status = fill_layer(table, place, err)))
            break;
        size_t n = count_labels(&table->layer[place + 1]);
        tell(dp, true, place + 1, n);
        table->bytes += label_bytes(dp, n);
        if (table->bytes > dp->memory_bytes)
            status = too_large(table, place + 1, table->bytes, err);
        drop_costs(&table->layer[place]);
    }
    return status;
}

static void trace(const struct table *table, uint32_t set, uint32_t label, int *choices)
{
    for (int64_t place = table->dp->rules.n_places; place > 0; place--) {
        const struct label_origin *from = &table->layer[place].labels[set].from[label];
        choices[place - 1] = from->choice;
        set = from->set;
        label = from->label;
    }
}

/* Of all keys together: sums that had to hit a range do not matter any more. */
static enum status unite(const struct table *table, struct label_set *all, struct err *err)
{
    const struct stack_dp *dp = table->dp;
    const struct layer *last = &table->layer[dp->rules.n_places];
    static const int64_t nothing[MAX_COSTS];
    struct label_room room = {.order = NULL};
    enum status status = STATUS_OK;
    for (uint32_t k = 0; k < last->keys.n && !status; k++)
        status =
            label_set_add(&dp->labels, all, &room, &last->labels[k], nothing, dp->most, k, 0, err);
    if (!status)
        status = label_set_prune(&dp->labels, all, &room, err);
    label_room_release(&room);
    return status;
}

static enum status report(const struct table *table, stack_dp_found *found, void *user,
                          struct err *err)
{
    const struct stack_dp *dp = table->dp;
    struct label_set all = {0};
    int *choices = memory_new((size_t)dp->rules.n_places, sizeof *choices);
    enum status status = STATUS_OK;
    if (!choices)
        return err_set(err, STATUS_NOMEM, "out of memory for %" PRId64 " places",
                       dp->rules.n_places);
    status = unite(table, &all, err);
    for (size_t i = 0; i < all.n && !status; i++) {
        trace(table, all.from[i].set, all.from[i].label, choices);
        status = found(choices, all.cost + i * (size_t)dp->labels.n_costs, user, err);
    }
    memory_free(choices);
    label_set_release(&all);
    return status;
}

enum status stack_dp_run(const struct stack_dp *dp, stack_dp_found *found, void *user,
                         struct err *err)
{
    struct table table;
    enum status status = start(dp, &table, err);
    if (!status)
        status = list_all_keys(&table, err);
    if (!status)
        status = fill_all(&table, err);
    if (!status)
        status = report(&table, found, user, err);
    release(&table);
    return status;
}

enum status stack_dp_sums(const struct stack_dp *dp, stack_dp_found *found, void *user,
                          struct err *err)
{
    struct table table;
    enum status status = start(dp, &table, err);
    if (!status)
        status = list_all_keys(&table, err);
    for (size_t k = 0; !status && k < table.layer[dp->rules.n_places].keys.n; k++)
        status = found(NULL, key_table_key(&table.layer[dp->rules.n_places].keys, k), user, err);
    release(&table);
    return status;
}
