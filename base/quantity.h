/* Numbers with units, as people type and read them. */
#ifndef LATHE_BASE_QUANTITY_H
#define LATHE_BASE_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A parameter budget: everything in min .. max (inclusive) is inside. */
struct budget {
    int64_t min, max, target; /* target: the number named, or the middle of a range */
};

/* "125M" (target, default tolerance 2 %), "125M+-2%", "125M±2%", "100M..130M", "124635456".
 * Suffixes K M B T (10^3 .. 10^12), case folded, G as B. Errors: STATUS_USAGE. */
enum status parse_budget(const char *text, struct budget *out, struct err *err);
/* "125M", "1.5B", "4096". */
enum status parse_count(const char *text, int64_t *out, struct err *err);
/* "20MiB", "8GB", "512". kB MB GB TB are powers of 1000, KiB MiB GiB TiB of 1024. */
enum status parse_bytes(const char *text, int64_t *out, struct err *err);
/* "20ms", "1.5s", "300us", "40ns"; a bare number is refused: it has no unit. */
enum status parse_time_ns(const char *text, double *out, struct err *err);

/* For tables: three or four significant digits and a unit. Returns `buffer`. */
char *format_count(int64_t value, char *buffer, size_t size);       /* 124.6M, 125.0M */
char *format_count_short(int64_t value, char *buffer, size_t size); /* 124.6M, 125M */
char *format_bytes(double value, char *buffer, size_t size);        /* 249 MB */
char *format_time_ns(double value, char *buffer, size_t size);      /* 15.6 ms; "-" if NaN */
char *format_energy_pj(double value, char *buffer, size_t size);    /* 12.5 mJ */

#endif
