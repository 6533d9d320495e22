#include "base/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit counts[] = {{"", 1},    {"k", 1e3}, {"m", 1e6},
                                     {"b", 1e9}, {"g", 1e9}, {"t", 1e12}};
static const struct unit sizes[] = {
    {"", 1},
    {"b", 1},
    {"kb", 1e3},
    {"mb", 1e6},
    {"gb", 1e9},
    {"tb", 1e12},
    {"kib", 1024},
    {"mib", 1048576.0},
    {"gib", 1073741824.0},
    {"tib", 1099511627776.0},
};
static const struct unit times[] = {
    {"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"min", 60e9},
};
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* strtod alone would take "inf", "0x1p3", signs and leading blanks. */
static bool scan_digits(const char *text, const char **end, double *value)
{
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return false;
    if (text[1] == 'x' || text[1] == 'X')
        return false;
    char *stop;
    *value = strtod(text, &stop);
    *end = stop;
    return stop != text && isfinite(*value);
}

/* A number and a unit in the first `length` bytes of text; false when it is none. */
static bool scan(const char *text, size_t length, const struct unit *units, size_t n_units,
                 double *out)
{
    char copy[64];
    double value;
    const char *unit;
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (!scan_digits(copy, &unit, &value))
        return false;
    while (*unit == ' ')
        unit++;
    for (size_t i = 0; i < n_units; i++) {
        if (strcasecmp(unit, units[i].name) == 0 && isfinite(value * units[i].factor)) {
            *out = value * units[i].factor;
            return true;
        }
    }
    return false;
}

/* Digits alone are read exactly: a double has 53 bits. Below a million a unit must leave a whole
 * number (1.5K, not 1.5); above, the last digits are the double's. */
static bool scan_integer(const char *text, size_t length, const struct unit *units, size_t n_units,
                         int64_t *out)
{
    if (length > 0 && strspn(text, "0123456789") >= length) {
        errno = 0;
        long long exact = strtoll(text, NULL, 10);
        if (errno != 0)
            return false;
        *out = exact;
        return true;
    }
    double value;
    if (!scan(text, length, units, n_units, &value) || value >= 9.2e18)
        return false;
    if (value < 1e6 && fabs(value - nearbyint(value)) > 1e-6)
        return false;
    *out = llround(value);
    return true;
}

static enum status complain(struct err *err, const char *text, const char *wanted)
{
    return err_set(err, STATUS_USAGE, "cannot read '%.60s' as %s", text, wanted);
}

static bool set_tolerance(struct budget *budget, double frac)
{
    double half = (double)budget->target * frac;
    if (!(frac >= 0) || frac >= 1 || (double)budget->target + half >= 9.2e18)
        return false;
    budget->min = budget->target - (int64_t)floor(half);
    budget->max = budget->target + (int64_t)floor(half);
    return true;
}

enum status parse_budget(const char *text, struct budget *out, struct err *err)
{
    static const char wanted[] =
        "a parameter budget; write 125M, 125M+-2%, 100M..130M or 124635456";
    struct budget budget = {0};
    double frac = 0.02;
    const char *dots = strstr(text, "..");
    if (dots != NULL) {
        if (!scan_integer(text, (size_t)(dots - text), counts, LENGTH(counts), &budget.min) ||
            !scan_integer(dots + 2, strlen(dots + 2), counts, LENGTH(counts), &budget.max))
            return complain(err, text, wanted);
        if (budget.min <= 0 || budget.min > budget.max)
            return err_set(err, STATUS_USAGE,
                           "parameter budget '%.60s' is empty: give the smaller number first, "
                           "above 0",
                           text);
        budget.target = budget.min + (budget.max - budget.min) / 2;
        *out = budget;
        return STATUS_OK;
    }

    size_t length = strlen(text);
    const char *sign = strstr(text, "+-"), *tolerance = sign != NULL ? sign + 2 : NULL;
    if (sign == NULL && (sign = strstr(text, "\xc2\xb1")) != NULL)
        tolerance = sign + 2;
    if (tolerance != NULL) {
        static const struct unit percent[] = {{"%", 0.01}};
        length = (size_t)(sign - text);
        if (!scan(tolerance, strlen(tolerance), percent, 1, &frac))
            return complain(err, text, wanted);
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    if (!scan_integer(text, length, counts, LENGTH(counts), &budget.target))
        return complain(err, text, wanted);
    if (budget.target <= 0)
        return err_set(err, STATUS_USAGE, "parameter budget '%.60s' must be above 0", text);
    if (!set_tolerance(&budget, frac))
        return err_set(err, STATUS_USAGE, "parameter budget '%.60s': tolerance must be below 100%%",
                       text);
    *out = budget;
    return STATUS_OK;
}

enum status parse_count(const char *text, int64_t *out, struct err *err)
{
    if (!scan_integer(text, strlen(text), counts, LENGTH(counts), out))
        return complain(err, text, "a whole number; write 125M, 1.5B or 4096");
    return STATUS_OK;
}

enum status parse_bytes(const char *text, int64_t *out, struct err *err)
{
    if (!scan_integer(text, strlen(text), sizes, LENGTH(sizes), out))
        return complain(err, text, "a size; write 20MiB, 8GB or 512");
    return STATUS_OK;
}

enum status parse_time_ns(const char *text, double *out, struct err *err)
{
    if (!scan(text, strlen(text), times, LENGTH(times), out))
        return complain(err, text, "a time with its unit; write 20ms, 1.5s, 300us or 40ns");
    return STATUS_OK;
}

/* Three digits after rounding would carry into the next unit: 999.96 K is 1 M, not 1000 K. */
static char *format_scaled(double value, const struct unit *units, size_t n_units, int digits,
                           char *buffer, size_t size)
{
    if (isnan(value)) {
        snprintf(buffer, size, "-");
        return buffer;
    }
    size_t i = 0;
    double limit = 1000 - 0.5 * pow(10, 3 - digits);
    while (i + 1 < n_units && fabs(value) / units[i].factor >= limit)
        i++;
    double scaled = value / units[i].factor;
    int before = 1;
    for (double power = 10; before < 3 && fabs(scaled) >= power - 0.5 * pow(10, before - digits);
         power *= 10)
        before++;
    bool is_whole = units[i].factor == 1 && scaled == floor(scaled);
    snprintf(buffer, size, "%.*f%s", is_whole ? 0 : digits - before, scaled, units[i].name);
    return buffer;
}

char *format_count(int64_t value, char *buffer, size_t size)
{
    static const struct unit units[] = {{"", 1}, {"K", 1e3}, {"M", 1e6}, {"B", 1e9}, {"T", 1e12}};
    if (value > -10000 && value < 10000) {
        snprintf(buffer, size, "%lld", (long long)value);
        return buffer;
    }
    return format_scaled((double)value, units, LENGTH(units), 4, buffer, size);
}

char *format_count_short(int64_t value, char *buffer, size_t size)
{
    char *point = strchr(format_count(value, buffer, size), '.');
    char *unit = point == NULL ? NULL : point + strspn(point, ".0123456789");
    while (unit != NULL && (unit[-1] == '0' || unit[-1] == '.')) {
        bool done = unit[-1] == '.';
        memmove(unit - 1, unit, strlen(unit) + 1);
        unit = done ? NULL : unit - 1;
    }
    return buffer;
}

char *format_bytes(double value, char *buffer, size_t size)
{
    static const struct unit units[] = {
        {" B", 1}, {" kB", 1e3}, {" MB", 1e6}, {" GB", 1e9}, {" TB", 1e12},
    };
    return format_scaled(value, units, LENGTH(units), 3, buffer, size);
}

char *format_time_ns(double value, char *buffer, size_t size)
{
    static const struct unit units[] = {{" ns", 1}, {" us", 1e3}, {" ms", 1e6}, {" s", 1e9}};
    return format_scaled(value, units, LENGTH(units), 3, buffer, size);
}

char *format_energy_pj(double value, char *buffer, size_t size)
{
    static const struct unit units[] = {
        {" pJ", 1}, {" nJ", 1e3}, {" uJ", 1e6}, {" mJ", 1e9}, {" J", 1e12},
    };
    return format_scaled(value, units, LENGTH(units), 3, buffer, size);
}
