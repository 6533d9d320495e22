#include "fit/probe.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { N = N_DTYPES + 4, CONTEXTS = 2 };

/* The term that column j of a design tells apart. */
static int term_of(int j)
{
    static const int others[N - N_DTYPES] = {FIT_LAYER, FIT_PASS, FIT_HEAD_BYTE, FIT_ATTENTION};
    return j < N_DTYPES ? FIT_BYTE + j : others[j - N_DTYPES];
}

/* What one candidate's two timings say: rows of prior scales over noise. */
struct evidence {
    double x[CONTEXTS][N];
};

/* The machine's own coefficients, as a fit would name them. */
static void guess(const struct machine *machine, struct fit_theta *theta)
{
    *theta = (struct fit_theta){0};
    for (int j = 0; j < N; j++)
        theta->fitted |= FIT_TERM(term_of(j));
    for (int type = 0; type < N_DTYPES; type++)
        theta->value[FIT_BYTE + type] = 1 / machine->weight_gbps[type][machine->dram];
    double dram = 1 / machine->levels[machine->dram].read_gbps;
    theta->value[FIT_LAYER] = machine->layer_ns;
    theta->value[FIT_PASS] = machine->pass_ns;
    theta->value[FIT_HEAD_BYTE] = dram;
    theta->value[FIT_ATTENTION] = 2 * dram; /* slower than reading an f16 cache: it shows */
}

static enum status decode_ns(const struct machine *base, const struct fit_theta *theta,
                             const struct fit_row *row, double *ns, struct err *err)
{
    struct machine machine;
    fit_machine(base, theta, &machine);
    return fit_predict(&machine, row, FIT_DECODE, ns, err);
}

/* How far the prior lets a coefficient be from its mean, ns a unit. */
static double scale_of(const struct fit_theta *theta, int term, const struct fit_row *row,
                       double ns)
{
    if (term == FIT_LAYER)
        return FIT_LAYER_SCALE_FRAC * ns / (double)transformer_executions(&row->net);
    if (term == FIT_PASS)
        return FIT_PASS_SCALE_FRAC * ns;
    return FIT_BYTE_SCALE_FRAC * theta->value[term];
}

static enum status look(const struct machine *base, const struct fit_theta *theta,
                        const struct transformer *net, struct evidence *out, struct err *err)
{
    enum status status = STATUS_OK;
    for (int c = 0; c < CONTEXTS && status == STATUS_OK; c++) {
        struct fit_row row = {
            .net = *net, .prompt = 1, .context = c == 0 ? PROBE_SHORT_CONTEXT : PROBE_LONG_CONTEXT};
        double now, then;
        status = decode_ns(base, theta, &row, &now, err);
        for (int j = 0; j < N && status == STATUS_OK; j++) {
            struct fit_theta moved = *theta;
            double scale = scale_of(theta, term_of(j), &row, now);
            moved.value[term_of(j)] += 1e-4 * scale;
            status = decode_ns(base, &moved, &row, &then, err);
            out->x[c][j] = (then - now) / (1e-4 * TIMING_NOISE_FRAC * now);
        }
    }
    return status;
}

/* m += x x' */
static void add(double m[N][N], const double x[N])
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            m[i][j] += x[i] * x[j];
}

/* By Cholesky; m is the identity (the prior) and more. */
static double log_determinant(double m[N][N])
{
    double l[N][N], sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) {
            double rest = m[i][j];
            for (int k = 0; k < j; k++)
                rest -= l[i][k] * l[j][k];
            l[i][j] = i == j ? sqrt(rest) : rest / l[j][j];
            sum += i == j ? 2 * log(l[i][j]) : 0;
        }
    return sum;
}

static double gain_of(double m[N][N], const struct evidence *evidence, double before)
{
    double with[N][N];
    memcpy(with, m, sizeof with);
    for (int c = 0; c < CONTEXTS; c++)
        add(with, evidence->x[c]);
    return (log_determinant(with) - before) / 2;
}

static void pick(const struct evidence *evidence, size_t n, size_t n_wanted, size_t *picked,
                 double *gain)
{
    double m[N][N] = {{0}};
    for (int j = 0; j < N; j++)
        m[j][j] = 1;
    for (size_t k = 0; k < n_wanted && k < n; k++) {
        double before = log_determinant(m), best = -1;
        for (size_t i = 0; i < n; i++) {
            double won = gain_of(m, &evidence[i], before);
            bool taken = false;
            for (size_t p = 0; p < k; p++)
                taken = taken || picked[p] == i;
            if (!taken && won > best) {
                best = won;
                picked[k] = i;
            }
        }
        gain[k] = best;
        for (int c = 0; c < CONTEXTS; c++)
            add(m, evidence[picked[k]].x[c]);
    }
}

enum status probe_design(const struct machine *machine, const struct transformer *candidates,
                         size_t n, size_t n_wanted, size_t *picked, double *gain, struct err *err)
{
    struct fit_theta theta;
    struct machine base = *machine;
    base.has_timings = false;
    guess(machine, &theta);
    struct evidence *evidence = memory_new(n, sizeof *evidence);
    enum status status = evidence == NULL ? err_set(err, STATUS_NOMEM, "out of memory") : STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        status = look(&base, &theta, &candidates[i], &evidence[i], err);
    if (status == STATUS_OK)
        pick(evidence, n, n_wanted, picked, gain);
    memory_free(evidence);
    return status;
}
