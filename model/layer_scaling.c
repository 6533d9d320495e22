#include "model/layer_scaling.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

double round_decimals(double value, int digits)
{
    char text[400];
    snprintf(text, sizeof text, "%.*f", digits, value);
    return strtod(text, NULL);
}

static int64_t make_divisible(double value, int64_t divisor)
{
    assert(divisor > 0);
    int64_t whole = (int64_t)(value + (double)divisor / 2) / divisor * divisor;
    if (whole < divisor)
        whole = divisor;
    return (double)whole < 0.9 * value ? whole + divisor : whole;
}

double layer_multiplier(double first, double last, int64_t i, int64_t n)
{
    double value = n > 1 && i == n - 1 ? last : first;
    if (i > 0 && i < n - 1)
        value = (double)i * ((last - first) / (double)(n - 1)) + first;
    return round_decimals(value, 2);
}

int64_t scaled_heads(int64_t d_model, int64_t d_head, int64_t n_groups, double multiplier)
{
    return make_divisible((double)d_model * multiplier, d_head * n_groups) / d_head;
}

int64_t scaled_d_ff(int64_t d_model, int64_t multiple, double multiplier)
{
    return make_divisible(multiplier * (double)d_model, multiple);
}
