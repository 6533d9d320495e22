#include "fit/fit.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/least_squares.h"
#include "base/memory.h"
#include "base/stats.h"
#include "costmodel/price.h"
#include "model/count.h"

enum { MAX_ROUNDS = 12 };

char *fit_term_name(int term, char *buffer, size_t size)
{
    static const char *const names[] = {"layer",          "pass",       "operator", "cache bytes",
                                        "attention flop", "head bytes", "load",     "file bytes"};
    if (term >= FIT_LAYER)
        snprintf(buffer, size, "%s", names[term - FIT_LAYER]);
    else if (term >= FIT_FLOP)
        snprintf(buffer, size, "%s flop", dtype_name((enum dtype)(term - FIT_FLOP)));
    else
        snprintf(buffer, size, "%s bytes", dtype_name((enum dtype)term));
    return buffer;
}

double fit_measured_ns(const struct fit_row *row, enum fit_phase phase)
{
    return phase == FIT_DECODE    ? row->decode_ns
           : phase == FIT_PREFILL ? row->prefill_ns
                                  : row->load_ns;
}

static double noise_frac(const struct fit_row *row, enum fit_phase phase)
{
    double claimed = phase == FIT_DECODE    ? row->decode_noise_frac
                     : phase == FIT_PREFILL ? row->prefill_noise_frac
                                            : 0;
    return fmax(TIMING_NOISE_FRAC, claimed);
}

static bool has(const struct fit_theta *theta, int term)
{
    return (theta->fitted & FIT_TERM(term)) != 0;
}

static void add_op(const struct op *op, double times, struct fit_sums *sums)
{
    double bytes = (double)op->weight_bytes * times;
    sums->all_bytes += bytes + (double)(op->kv_read_bytes + op->kv_write_bytes) * times;
    sums->all_flop += (double)op->flop * times;
    if (op->kind == OP_ATTENTION)
        sums->attention_flop += (double)op->flop * times;
    if (op->kind == OP_MATMUL) {
        sums->bytes[op->dtype] += bytes;
        sums->flop[op->dtype] += (double)op->flop * times;
    }
}

enum status fit_sum_row(const struct fit_row *row, enum fit_phase phase, struct fit_sums *sums,
                        struct err *err)
{
    struct operator_list list;
    struct weight_bytes stored;
    enum status status = phase == FIT_PREFILL ? ops_prefill(&row->net, row->prompt, &list, err)
                                              : ops_decode(&row->net, row->context, &list, err);
    *sums = (struct fit_sums){0};
    if (status != STATUS_OK)
        return status;
    for (int64_t i = 0; i < ops_executions(&list); i++) {
        const struct block_ops *block = ops_class(&list, i);
        for (int k = 0; k < block->n_ops; k++)
            add_op(&block->ops[k], 1, sums);
        sums->layers++;
    }
    for (int i = 0; i < list.n_epilogue; i++)
        add_op(&list.epilogue[i], 1, sums);
    ops_release(&list);
    transformer_weight_bytes(&row->net, &stored);
    sums->stored_bytes = (double)stored.total;
    return STATUS_OK;
}

fit_terms fit_byte_terms(const struct fit_row *const *rows, int n_rows)
{
    fit_terms terms = 0;
    for (int i = 0; i < n_rows; i++)
        if (!isnan(rows[i]->decode_ns))
            terms |= FIT_TERM(FIT_BYTE + (int)rows[i]->net.block_dtype);
    return terms;
}

enum status fit_base_machine(const struct device *base, int threads,
                             const struct fit_row *const *rows, int n_rows, struct machine *out,
                             struct err *err)
{
    struct device bare = *base;
    bare.max_threads = threads > bare.max_threads ? threads : bare.max_threads;
    bare.layer_ns.n = bare.pass_ns.n = bare.attention_gbps.n = 0;
    bare.attention_gflops.n = bare.head_gbps.n = 0;
    bare.has_timings = false;
    for (int kind = 0; kind < N_OP_KINDS; kind++)
        bare.op_ns[kind].n = 0;
    enum status status = machine_resolve(&bare, threads, out, err);
    if (status == STATUS_OK && strcmp(base->unit, "gpu") != 0)
        out->kv_gbps[out->dram] = out->levels[out->dram].read_gbps / FIT_CACHE_FACTOR;
    for (int i = 0; i < n_rows && status == STATUS_OK; i++) {
        struct fit_sums sums;
        if (isnan(rows[i]->decode_ns))
            continue;
        status = fit_sum_row(rows[i], FIT_DECODE, &sums, err);
        for (int type = 0; type < N_DTYPES; type++)
            out->peak_gflops[type] =
                fmax(out->peak_gflops[type], 4 * sums.all_flop / rows[i]->decode_ns);
    }
    return status;
}

static void apply_bandwidth(const struct fit_theta *theta, struct machine *out)
{
    double fastest = 0, unit = 1;
    double cache_frac =
        has(theta, FIT_ATTENTION) ? 1 : out->kv_gbps[out->dram] / out->levels[out->dram].read_gbps;
    for (int type = 0; type < N_DTYPES; type++) {
        double ns = has(theta, FIT_BYTE + type) ? theta->value[FIT_BYTE + type] : 0;
        if (ns > 0 && 1 / ns > fastest) {
            fastest = 1 / ns;
            unit = fastest / out->weight_gbps[type][out->dram];
        }
    }
    if (fastest <= 0)
        return;
    out->levels[out->dram].read_gbps = out->levels[out->dram].write_gbps = fastest;
    for (int i = 0; i < out->dram; i++)
        out->levels[i].read_gbps = fmax(out->levels[i].read_gbps, fastest);
    out->levels[out->flash].read_gbps = fmin(out->levels[out->flash].read_gbps, fastest);
    for (int type = 0; type < N_DTYPES; type++) {
        double ns = theta->value[FIT_BYTE + type];
        double as_in_base = fmin(fastest, unit * out->weight_gbps[type][out->dram]);
        for (int i = 0; i < out->n_levels; i++)
            out->weight_gbps[type][i] = out->levels[i].read_gbps;
        out->weight_gbps[type][out->dram] =
            has(theta, FIT_BYTE + type) && ns > 0 ? 1 / ns : as_in_base;
    }
    double cache = has(theta, FIT_KV_BYTE) && theta->value[FIT_KV_BYTE] > 0
                       ? 1 / theta->value[FIT_KV_BYTE]
                       : fastest * cache_frac;
    for (int i = 0; i < out->n_levels; i++)
        out->kv_gbps[i] = fmin(out->levels[i].read_gbps, cache);
}

static void apply_peaks(const struct fit_theta *theta, struct machine *out)
{
    double slowest = INFINITY;
    for (int type = 0; type < N_DTYPES; type++)
        if (has(theta, FIT_FLOP + type) && theta->value[FIT_FLOP + type] > 0) {
            out->peak_gflops[type] = 1 / theta->value[FIT_FLOP + type];
            slowest = fmin(slowest, out->peak_gflops[type]);
        }
    for (int type = 0; type < N_DTYPES && isfinite(slowest); type++)
        if (!has(theta, FIT_FLOP + type))
            out->peak_gflops[type] = fmax(out->peak_gflops[type], slowest);
}

void fit_machine(const struct machine *base, const struct fit_theta *theta, struct machine *out)
{
    *out = *base;
    apply_bandwidth(theta, out);
    apply_peaks(theta, out);
    if (has(theta, FIT_LAYER))
        out->layer_ns = theta->value[FIT_LAYER];
    if (has(theta, FIT_PASS))
        out->pass_ns = theta->value[FIT_PASS];
    for (int kind = 0; kind < N_OP_KINDS && has(theta, FIT_OPERATOR); kind++)
        out->op_ns[kind] = theta->value[FIT_OPERATOR];
    if (theta->value[FIT_ATTENTION] > 0)
        out->attention_gflops = 1 / theta->value[FIT_ATTENTION];
    if (theta->value[FIT_HEAD_BYTE] > 0)
        out->head_gbps = 1 / theta->value[FIT_HEAD_BYTE];
    if (has(theta, FIT_LOAD_BYTE) && theta->value[FIT_LOAD_BYTE] > 0) {
        out->load_gbps = 1 / theta->value[FIT_LOAD_BYTE];
        out->load_fixed_ns = theta->value[FIT_LOAD];
        out->load_layer_ns = out->init_fixed_ns = out->init_layer_ns = out->init_block_sq_ns = 0;
        out->init_gbps = INFINITY;
    }
}

enum status fit_predict(const struct machine *machine, const struct fit_row *row,
                        enum fit_phase phase, double *ns, struct err *err)
{
    struct workload workload = {.prompt = phase == FIT_PREFILL ? row->prompt : 1,
                                .context = phase == FIT_DECODE ? row->context : 0};
    struct price price;
    enum status status = price_network(&row->net, machine, &workload, &price, NULL, err);
    if (status == STATUS_OK)
        *ns = phase == FIT_DECODE    ? price.decode_ns
              : phase == FIT_PREFILL ? price.prefill_ns
                                     : price.load_ns + price.init_ns;
    return status;
}

/* One call of fit_solve. */
struct solver {
    const struct machine *base;
    enum fit_phase phase;
    int n_terms, terms[N_FIT_TERMS];
    int n_rows;
    const struct fit_row **rows; /* those with a figure */
    struct fit_sums *sums;
    double *x, *y, *sigma, *residual; /* [n_rows, n_terms], [n_rows] ... */
    double *scratch;                  /* [n_rows] */
    double start[N_FIT_TERMS], mean[N_FIT_TERMS], scale[N_FIT_TERMS]; /* by index in `terms` */
};

static enum status open_solver(struct solver *s, const struct fit_row *const *rows, int n_rows,
                               fit_terms terms, struct err *err)
{
    for (int term = 0; term < N_FIT_TERMS; term++)
        if (terms & FIT_TERM(term))
            s->terms[s->n_terms++] = term;
    assert(s->n_terms >= 1 && s->n_terms <= MAX_LEAST_SQUARES_TERMS);
    size_t n = (size_t)n_rows;
    s->rows = memory_new(n, sizeof *s->rows);
    s->sums = memory_new(n, sizeof *s->sums);
    s->x = memory_new(n * (size_t)s->n_terms, sizeof *s->x);
    s->y = memory_new(n, sizeof *s->y);
    s->sigma = memory_new(n, sizeof *s->sigma);
    s->residual = memory_new(n, sizeof *s->residual);
    s->scratch = memory_new(n, sizeof *s->scratch);
    if (s->rows == NULL || s->sums == NULL || s->x == NULL || s->y == NULL || s->sigma == NULL ||
        s->residual == NULL || s->scratch == NULL)
        return err_set(err, STATUS_NOMEM, "out of memory");
    for (int i = 0; i < n_rows; i++) {
        if (isnan(fit_measured_ns(rows[i], s->phase)))
            continue;
        enum status status = fit_sum_row(rows[i], s->phase, &s->sums[s->n_rows], err);
        if (status != STATUS_OK)
            return status;
        s->rows[s->n_rows++] = rows[i];
    }
    return s->n_rows > 0 ? STATUS_OK : err_set(err, STATUS_INPUT, "no row to fit to");
}

static void close_solver(struct solver *s)
{
    memory_free(s->rows);
    memory_free(s->sums);
    memory_free(s->x);
    memory_free(s->y);
    memory_free(s->sigma);
    memory_free(s->residual);
    memory_free(s->scratch);
}

static double measured(const struct solver *s, int i)
{
    return fit_measured_ns(s->rows[i], s->phase);
}

/* Median over the rows of time / unit(row), rows with no unit left out; 0 if there is none. */
static double typical(struct solver *s, double (*unit)(const struct fit_sums *, int type), int type)
{
    size_t n = 0;
    for (int i = 0; i < s->n_rows; i++) {
        double units = unit(&s->sums[i], type);
        if (units > 0)
            s->scratch[n++] = measured(s, i) / units;
    }
    return n == 0 ? 0 : stats_median(s->scratch, n);
}

/* The rows in which the type is what most bytes are of. */
static double bytes_of_rows_of(const struct fit_sums *sums, int type)
{
    return sums->bytes[type] >= 0.5 * sums->all_bytes ? sums->all_bytes : 0;
}

static double flop_of_rows_of(const struct fit_sums *sums, int type)
{
    return sums->flop[type] >= 0.5 * sums->all_flop ? sums->all_flop : 0;
}

static double all_bytes(const struct fit_sums *sums, int type)
{
    (void)type;
    return sums->all_bytes;
}

static double all_flop(const struct fit_sums *sums, int type)
{
    (void)type;
    return sums->all_flop;
}

static double layers(const struct fit_sums *sums, int type)
{
    (void)type;
    return sums->layers;
}

static double attention_flop(const struct fit_sums *sums, int type)
{
    (void)type;
    return sums->attention_flop;
}

static double stored_bytes(const struct fit_sums *sums, int type)
{
    (void)type;
    return sums->stored_bytes;
}

static double once(const struct fit_sums *sums, int type)
{
    (void)sums;
    (void)type;
    return 1;
}

static double first_positive(double a, double b)
{
    return a > 0 ? a : b;
}

/* Where the search starts, and the prior. Terms that only count once they bind (a maximum picks
 * them) start where they do. */
static void set_prior(struct solver *s, int j)
{
    int term = s->terms[j];
    double mean = 0, scale, start = 0;
    if (term < FIT_FLOP) {
        mean = first_positive(typical(s, bytes_of_rows_of, term), typical(s, all_bytes, 0));
        scale = FIT_BYTE_SCALE_FRAC * mean;
        start = mean;
    } else if (term < FIT_LAYER) {
        mean =
            first_positive(typical(s, flop_of_rows_of, term - FIT_FLOP), typical(s, all_flop, 0));
        scale = FIT_BYTE_SCALE_FRAC * mean;
        start = mean;
    } else if (term == FIT_LAYER) {
        scale = FIT_LAYER_SCALE_FRAC * typical(s, layers, 0);
    } else if (term == FIT_OPERATOR) {
        scale = 0.1 * FIT_LAYER_SCALE_FRAC * typical(s, layers, 0);
    } else if (term == FIT_PASS) {
        scale = FIT_PASS_SCALE_FRAC * typical(s, once, 0);
    } else if (term == FIT_KV_BYTE) {
        mean = typical(s, all_bytes, 0) * s->base->levels[s->base->dram].read_gbps /
               s->base->kv_gbps[s->base->dram];
        scale = mean;
        start = 4 * typical(s, all_bytes, 0);
    } else if (term == FIT_HEAD_BYTE) {
        mean = typical(s, all_bytes, 0);
        scale = mean;
        start = mean;
    } else if (term == FIT_ATTENTION) {
        scale = typical(s, attention_flop, 0);
        start = 0.3 * scale;
    } else if (term == FIT_LOAD) {
        scale = typical(s, once, 0);
    } else {
        mean = typical(s, stored_bytes, 0);
        scale = mean;
        start = mean;
    }
    s->start[j] = start;
    s->mean[j] = mean;
    s->scale[j] = scale > 0 ? scale : 1;
}

/* Time of row i with coefficient j moved by `step`. */
static enum status moved_ns(const struct solver *s, const struct fit_theta *theta, int term,
                            double step, int i, double *ns, struct err *err)
{
    struct fit_theta moved = *theta;
    struct machine machine;
    moved.value[term] += step;
    fit_machine(s->base, &moved, &machine);
    return fit_predict(&machine, s->rows[i], s->phase, ns, err);
}

/* Row i of x and y around theta: the piece of price_network that theta is on. */
static enum status linearise(struct solver *s, const struct fit_theta *theta, int i,
                             struct err *err)
{
    double now, then, sum = 0;
    double *x = s->x + (size_t)i * (size_t)s->n_terms;
    enum status status = moved_ns(s, theta, s->terms[0], 0, i, &now, err);
    if (status != STATUS_OK)
        return status;
    for (int j = 0; j < s->n_terms; j++) {
        double value = theta->value[s->terms[j]];
        double step = 1e-4 * (value > 0 ? value : s->scale[j]);
        status = moved_ns(s, theta, s->terms[j], step, i, &then, err);
        if (status != STATUS_OK)
            return status;
        x[j] = (then - now) / step;
        sum += x[j] * value;
    }
    s->y[i] = measured(s, i) - (now - sum);
    s->residual[i] = (now - measured(s, i)) / measured(s, i);
    return STATUS_OK;
}

/* The rows' noise, from residuals, where they show more than was claimed. */
static double noise_factor(struct solver *s)
{
    double spare = s->n_rows - s->n_terms;
    if (spare < 2)
        return 1;
    for (int i = 0; i < s->n_rows; i++)
        s->scratch[i] = fabs(s->residual[i]) / noise_frac(s->rows[i], s->phase);
    double sigma = STATS_SIGMA_PER_MAD * stats_median(s->scratch, (size_t)s->n_rows);
    return fmax(1, sigma * sqrt(s->n_rows / spare));
}

static enum status solve(struct solver *s, struct fit_theta *theta, double *noise, struct err *err)
{
    double factor = 1, change = 1, solution[N_FIT_TERMS];
    enum status status = STATUS_OK;
    for (int j = 0; j < s->n_terms; j++) {
        set_prior(s, j);
        theta->value[s->terms[j]] = s->start[j];
        theta->fitted |= FIT_TERM(s->terms[j]);
    }
    for (int round = 0; round < MAX_ROUNDS && change > 1e-5 && status == STATUS_OK; round++) {
        for (int i = 0; i < s->n_rows && status == STATUS_OK; i++)
            status = linearise(s, theta, i, err);
        if (status != STATUS_OK)
            return status;
        if (round > 1)
            factor = noise_factor(s);
        for (int i = 0; i < s->n_rows; i++)
            s->sigma[i] = factor * noise_frac(s->rows[i], s->phase) * measured(s, i);
        const struct least_squares problem = {.n_terms = s->n_terms,
                                              .n_rows = (size_t)s->n_rows,
                                              .x = s->x,
                                              .y = s->y,
                                              .sigma = s->sigma,
                                              .prior_mean = s->mean,
                                              .prior_scale = s->scale,
                                              .huber = s->n_rows >= s->n_terms + 3 ? STATS_HUBER
                                                                                   : INFINITY};
        status = least_squares_solve(&problem, solution, err);
        change = round < 3 ? 1 : 0;
        for (int j = 0; j < s->n_terms && status == STATUS_OK; j++) {
            double *value = &theta->value[s->terms[j]];
            change = fmax(change, fabs(solution[j] - *value) / s->scale[j]);
            *value = solution[j];
        }
    }
    if (noise != NULL)
        *noise = factor * TIMING_NOISE_FRAC;
    return status;
}

enum status fit_solve(const struct machine *base, const struct fit_row *const *rows, int n_rows,
                      enum fit_phase phase, fit_terms terms, struct fit_theta *theta, double *noise,
                      struct err *err)
{
    struct solver s = {.base = base, .phase = phase};
    enum status status = open_solver(&s, rows, n_rows, terms, err);
    if (status == STATUS_OK)
        status = solve(&s, theta, noise, err);
    close_solver(&s);
    return status;
}
