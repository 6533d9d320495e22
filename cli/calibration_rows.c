#include "cli/calibration_rows.h"

#include "base/memory.h"
#include "base/version.h"

static void start_row(const struct calibration *c, const struct run_row *run,
                      struct kernel_timing_row *row)
{
    row_clear(TABLE_KERNEL_TIMING, row);
    row->run_id = run->id;
    row->device_id = run->device_id;
    row->device = run->device;
    row->isa = c->isa_names;
    row->compiler = version_compiler();
    row->flags = version_flags();
    row->source_commit = version_commit();
    row->measured_at = c->measured_at;
}

static void kernel_row(const struct kernel_time *time, struct kernel_timing_row *row)
{
    row->kernel = time->kernel != NULL ? time->kernel->name : NULL;
    row->operation = time->what;
    row->dtype = time->kernel != NULL ? dtype_name(time->kernel->dtype) : NULL;
    row->threads = time->threads;
    if (time->shape.n > 0)
        row->d_out = time->shape.n;
    if (time->shape.k > 0)
        row->d_in = time->shape.k;
    if (time->shape.m > 0)
        row->n_tokens = time->shape.m;
    row->context = time->shape.context;
    if (time->working_set_bytes > 0)
        row->working_set_bytes = time->working_set_bytes;
    row->cache_state = time->cache_state;
    row->min_ns = time->timing.min_ns;
    row->median_ns = time->timing.median_ns;
    row->mad_ns = time->timing.mad_ns;
    row->n_samples = time->timing.n;
    row->ended_by = time->timing.steady ? "spread" : "budget";
    row->flop = time->flop;
    row->bytes = time->bytes;
}

/* A whole network in place of a kernel. */
static void network_row(const struct trial *trial, bool prefill, struct kernel_timing_row *row)
{
    struct trial_spread spread =
        trial_spread(prefill ? trial->prefill_ns : trial->decode_ns, trial->n_rounds);
    row->kernel = trial->net->name;
    row->operation = prefill ? "prefill" : "decode";
    row->dtype = dtype_name(trial->net->block_dtype);
    row->threads = trial->threads;
    row->n_tokens = prefill ? trial->prompt : 1;
    row->context = prefill ? 0 : trial->context;
    row->cache_state = "cold";
    row->min_ns = spread.min_ns;
    row->median_ns = spread.median_ns;
    row->mad_ns = spread.mad_ns;
    row->n_samples = trial->n_rounds;
    row->ended_by = "budget";
}

enum status calibration_rows_make(const struct calibration *c, const struct run_row *run,
                                  struct kernel_timing_row **out, size_t *n, struct err *err)
{
    size_t most = c->n_times + 2 * (size_t)c->n_trials;
    struct kernel_timing_row *rows = memory_new(most, sizeof *rows);
    *out = rows;
    *n = 0;
    if (rows == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory for %zu timings", most);
    for (size_t i = 0; i < most; i++)
        start_row(c, run, &rows[i]);
    for (size_t i = 0; i < c->n_times; i++)
        kernel_row(&c->times[i], &rows[(*n)++]);
    for (int i = 0; i < c->n_trials; i++) {
        network_row(&c->trials[i], false, &rows[(*n)++]);
        if (c->trials[i].prompt > 0)
            network_row(&c->trials[i], true, &rows[(*n)++]);
    }
    return STATUS_OK;
}
