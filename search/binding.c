#include "search/binding.h"

#include <assert.h>
#include <math.h>

static bool is_upper(enum comparison comparison)
{
    return comparison == IS_LESS || comparison == IS_LESS_EQUAL;
}

/* A limit on an amount. */
static bool is_limit(const struct filter *filter, int i)
{
    const struct metric *metric = &filter->condition[i].metric;
    enum comparison comparison = filter->condition[i].comparison;
    return comparison != IS_EQUAL && comparison != IS_NOT_EQUAL && metric->kind != METRIC_CHOICE &&
           metric->field->unit != UNIT_BOOL && metric->field->unit != UNIT_ID;
}

static bool is_near(double value, double bound)
{
    return fabs(value - bound) <= BINDING_NEAR_FRAC * fabs(bound);
}

bool binding_holds(const struct bounds *bounds, const struct binding *binding,
                   const struct candidate *candidate)
{
    switch (binding->kind) {
    case BOUND_MOST_PARAMS:
    case BOUND_LEAST_PARAMS:
        return is_near((double)candidate->row.params, binding->value);
    case BOUND_CONDITION:
        return is_near(
            metric_value(&bounds->filter.condition[binding->condition].metric, candidate),
            binding->value);
    case BOUND_MOST_LAYERS:
    case BOUND_LEAST_LAYERS:
        return (double)candidate->row.n_layers == binding->value;
    case BOUND_WIDEST:
    case BOUND_NARROWEST:
        return (double)candidate->row.d_model == binding->value;
    }
    assert(!"no such kind of bound");
    return false;
}

static double beyond(double value, bool up)
{
    double step = BINDING_LOOSE_FRAC * fabs(value);
    return step == 0 ? (double)NAN : up ? value + step : value - step;
}

static double more_layers(int64_t layers)
{
    int64_t more = layers + (int64_t)(BINDING_LOOSE_FRAC * (double)layers);
    more = more > layers ? more : layers + 1;
    return more <= SPACE_MAX_LAYERS ? (double)more : (double)NAN;
}

static double fewer_layers(int64_t layers)
{
    int64_t fewer = layers - (int64_t)(BINDING_LOOSE_FRAC * (double)layers);
    fewer = fewer < layers ? fewer : layers - 1;
    return fewer >= 1 ? (double)fewer : (double)NAN;
}

/* All bounds, whether something lies on them or not. */
static int list_bounds(const struct bounds *bounds, struct binding *out)
{
    const struct space *space = &bounds->space;
    double least = (double)bounds->budget.min, most = (double)bounds->budget.max;
    int n = 0;
    out[n++] = (struct binding){BOUND_MOST_PARAMS, -1, most, floor(beyond(most, true)), 0};
    out[n++] = (struct binding){BOUND_LEAST_PARAMS, -1, least, ceil(beyond(least, false)), 0};
    for (int i = 0; i < bounds->filter.n; i++) {
        double value = bounds->filter.condition[i].value;
        if (is_limit(&bounds->filter, i))
            out[n++] = (struct binding){
                BOUND_CONDITION, i, value,
                beyond(value, is_upper(bounds->filter.condition[i].comparison)), 0};
    }
    if (space->min_layers < space->max_layers || space->layers.empty)
        out[n++] = (struct binding){BOUND_MOST_LAYERS, -1, (double)space->max_layers,
                                    more_layers(space->max_layers), 0};
    if (space->min_layers < space->max_layers && !space->layers.empty)
        out[n++] = (struct binding){BOUND_LEAST_LAYERS, -1, (double)space->min_layers,
                                    fewer_layers(space->min_layers), 0};
    if (space->d_model.n > 1) {
        double narrowest = (double)space->d_model.value[0];
        double widest = (double)space->d_model.value[space->d_model.n - 1];
        out[n++] = (struct binding){BOUND_WIDEST, -1, widest, (double)NAN, 0};
        out[n++] = (struct binding){BOUND_NARROWEST, -1, narrowest, (double)NAN, 0};
    }
    return n;
}

int bindings_find(const struct bounds *bounds, const struct candidate *front, size_t n,
                  struct binding *out)
{
    int found = 0, all = list_bounds(bounds, out);
    for (int b = 0; b < all; b++) {
        for (size_t i = 0; i < n; i++)
            out[b].n_on_it += binding_holds(bounds, &out[b], &front[i]);
        if (out[b].n_on_it > 0)
            out[found++] = out[b];
    }
    return found;
}

void binding_loosen(const struct binding *binding, struct bounds *bounds)
{
    assert(!isnan(binding->loosened));
    switch (binding->kind) {
    case BOUND_MOST_PARAMS:
        bounds->budget.max = (int64_t)binding->loosened;
        return;
    case BOUND_LEAST_PARAMS:
        bounds->budget.min = (int64_t)binding->loosened;
        return;
    case BOUND_CONDITION:
        bounds->filter.condition[binding->condition].value = binding->loosened;
        return;
    case BOUND_MOST_LAYERS:
        bounds->space.max_layers = (int64_t)binding->loosened;
        return;
    case BOUND_LEAST_LAYERS:
        bounds->space.min_layers = (int64_t)binding->loosened;
        return;
    case BOUND_WIDEST:
    case BOUND_NARROWEST:
        break;
    }
    assert(!"nothing beyond it");
}
