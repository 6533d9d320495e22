#include "exact/params_parts.h"

/* Rounded down and up, for any sign of a. */
static int64_t floor_by(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t ceil_by(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

int params_parts(const struct stack_work *work, struct params_part parts[MAX_PARAMS_PARTS])
{
    const struct stack_problem *problem = work->problem;
    int64_t fixed = work->costs.params, unit = work->unit;
    struct byte_range budget = {problem->min_params - fixed, problem->max_params - fixed};
    int n = 0;
    if (budget.low <= work->params.low && budget.high >= work->params.high) {
        parts[n++] = (struct params_part){0, budget};
        return n;
    }
    budget.low = budget.low < work->params.low ? work->params.low : budget.low;
    budget.high = budget.high > work->params.high ? work->params.high : budget.high;
    if (unit == 0) {
        parts[n++] = (struct params_part){1, budget};
        return n;
    }
    struct byte_range sure = {ceil_by(budget.low - work->odd.low, unit),
                              floor_by(budget.high - work->odd.high, unit)};
    if (sure.low > sure.high) {
        parts[n++] = (struct params_part){1, budget};
        return n;
    }
    parts[n++] = (struct params_part){unit, sure};
    if ((sure.low - 1) * unit + work->odd.high >= budget.low)
        parts[n++] = (struct params_part){1, {budget.low, sure.low * unit - 1}};
    if ((sure.high + 1) * unit + work->odd.low <= budget.high)
        parts[n++] = (struct params_part){1, {(sure.high + 1) * unit, budget.high}};
    return n;
}
