#include "cli/validation_store.h"

#include <math.h>

#include "base/memory.h"
#include "base/version.h"
#include "cli/measured_rows.h"
#include "cli/run_record.h"
#include "db/store.h"
#include "device/device.h"

static struct prediction_row prediction_row(const struct validation_run *run, int i,
                                            enum validation_clock clock)
{
    const struct validation *v = &run->validation;
    struct prediction_row row;
    row_clear(TABLE_PREDICTION, &row);
    describe_subject(v->trials[i].net, &row.subject);
    row.subject.device = run->device.id;
    row.subject.threads = v->trials[i].threads;
    row.subject.prompt = v->trials[i].prompt;
    row.subject.context = v->trials[i].context;
    row.clock = clock == CLOCK_LATHE       ? "estimate"
                : clock == CLOCK_SIMULATOR ? "simulate"
                                           : validation_clock_name(clock);
    row.price.decode_ns = v->decode_ns[clock][i];
    row.price.decode_tok_s = 1e9 / row.price.decode_ns;
    bool is_ours = clock == CLOCK_LATHE || clock == CLOCK_SIMULATOR;
    row.basis = is_ours ? basis_name(run->device.basis) : "fitted";
    if (clock != CLOCK_LATHE)
        return row;
    row.price.prefill_ns = v->prefill_ns[i];
    row.error_median_frac = run->device.error_median_frac;
    row.error_p90_frac = run->device.error_p90_frac;
    return row;
}

static struct measurement_row measurement_row(const struct trial *trial, bool is_ours)
{
    struct measurement_row row;
    row_clear(TABLE_MEASUREMENT, &row);
    describe_subject(trial->net, &row.subject);
    row.subject.threads = trial->threads;
    row.subject.prompt = trial->prompt;
    row.subject.context = trial->context;
    row.decode_ns = trial_decode_ns(trial);
    row.prefill_ns = trial_prefill_ns(trial);
    if (!isnan(row.decode_ns)) {
        row.decode_tok_s = 1e9 / row.decode_ns;
        row.decode_ns_mad = trial_spread(trial->decode_ns, trial->n_rounds).mad_ns;
        row.decode_ns_n = trial->n_rounds;
        row.noise_frac = trial_noise_frac(trial->decode_ns, trial->n_rounds);
    }
    if (!isnan(row.prefill_ns)) {
        row.prefill_ns_mad = trial_spread(trial->prefill_ns, trial->n_rounds).mad_ns;
        row.prefill_ns_n = trial->n_rounds;
    }
    row.cache_state = "warm";
    if (!is_ours)
        return row;
    row.version = version_number();
    row.compiler = version_compiler();
    row.flags = version_flags();
    row.source_commit = version_commit();
    return row;
}

static enum status store_rows(struct store *db, const struct validation_run *run, int64_t run_id,
                              int64_t device_id, struct err *err)
{
    const struct validation *v = &run->validation;
    size_t n = (size_t)v->n_trials, n_predictions = 0;
    struct measurement_row *measured = memory_new(n, sizeof *measured);
    struct prediction_row *predicted = memory_new(n * N_CLOCKS, sizeof *predicted);
    enum status status = measured && predicted
                             ? STATUS_OK
                             : err_set(err, STATUS_NOMEM, "out of memory for %zu rows", n);
    for (int i = 0; i < v->n_trials && status == STATUS_OK; i++) {
        measured[i] = measurement_row(&v->trials[i], run->rows.n == 0);
        measured[i].run_id = run_id;
        for (int clock = 0; clock < N_CLOCKS; clock++) {
            if (isnan(v->decode_ns[clock][i]))
                continue;
            struct prediction_row *row = &predicted[n_predictions++];
            *row = prediction_row(run, i, (enum validation_clock)clock);
            row->run_id = run_id;
            row->subject.device_id = device_id;
        }
    }
    if (status == STATUS_OK)
        status = store_put_measurements(db, measured, n, err);
    if (status == STATUS_OK)
        status = store_put_predictions(db, predicted, n_predictions, err);
    memory_free(measured);
    memory_free(predicted);
    return status;
}

enum status validation_store(const struct args *args, const struct validation_run *run,
                             struct err *err)
{
    struct store *db = NULL;
    char *profile = NULL;
    struct run_row row;
    run_record_start(args, &row);
    row.seed = (int64_t)run->seed;
    enum status status = device_text(run->device_name, &profile, err);
    struct device_row device = device_record(&run->device, profile);
    if (status == STATUS_OK)
        status = store_open(args_text(args, "db"), STORE_WRITE, &db, err);
    if (status == STATUS_OK)
        status = run_record_begin(db, &device, &row, err);
    if (status == STATUS_OK)
        status = store_rows(db, run, row.id, row.device_id, err);
    if (status == STATUS_OK)
        status = run_record_end(db, row.id, true, err);
    store_close(db);
    memory_free(profile);
    return status;
}
