/* What models are priced under: as the options say, or as a stored search had it. */
#ifndef LATHE_CLI_SETTING_H
#define LATHE_CLI_SETTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/quantity.h"
#include "cli/options.h"
#include "costmodel/price.h"
#include "db/query.h"
#include "search/space.h"

struct setting {
    struct machine machine;
    struct workload workload;
    bool has_dtype, has_kv_dtype; /* models take these types instead of their own */
    enum dtype dtype, kv_dtype;
};

/* `device` as --device takes it, --threads, --prompt, --context; types stay the models' own (what
 * --dtype says is for open_model). */
enum status setting_of_options(const struct args *args, const char *device, struct setting *out,
                               struct err *err);

/* A stored search with the profile as it was then.
 *   run_id   0: the latest search
 *   *found_run_id, *budget  out: which it is, and what it was asked for
 * Errors: STATUS_NOT_FOUND, STATUS_INPUT. */
enum status setting_of_run(struct store *store, int64_t run_id, struct setting *out,
                           int64_t *found_run_id, struct budget *budget, struct err *err);

/* The space a run searched. Errors: STATUS_INPUT. */
enum status run_space(const struct run_row *run, struct space *out, struct err *err);

/* The device a run searched on, with the profile as it was then. Errors: STATUS_INPUT. */
enum status run_device(struct store *store, const struct run_row *run, struct device *out,
                       struct err *err);

/* The row of run `run_id`, which is there, or the latest search for 0; release `rows`. */
enum status read_run(struct store *store, int64_t run_id, struct rows *rows, struct err *err);

#endif
