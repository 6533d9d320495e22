/* Fitting: a machine's coefficients from a runtime's own timings.
 *
 * Any time that price_network gives is linear, piece by piece, in the machine's coefficients:
 * nanoseconds a byte for each weight type, for the KV cache and for the head, a flop of attention,
 * a layer, an operator, a pass, a flop of each type's matrices. So the rows of the fit are the
 * derivatives of price_network itself (Gauss and Newton; two or three rounds, since only the piece
 * can change). There is no second formula: the fit predicts exactly what lathe predicts on the
 * profile it writes, with shared weights, SRAM levels and overlap.
 *
 * The estimate is the maximum a posteriori one. Rows are weighted by relative error, every
 * coefficient is >= 0 and has a prior (below), the loss is Huber's. The rows' noise is taken from
 * their residuals when these are larger than the rows claim. The estimator is the same for two
 * anchors and for two hundred rows.
 *
 * What it cannot show: heat, and costs that no row varies; those keep the base profile's values. */
#ifndef LATHE_FIT_FIT_H
#define LATHE_FIT_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "device/interval.h"
#include "device/machine.h"
#include "model/transformer.h"

/* Priors. A weight's ns per byte: normal, with all time divided by all bytes as mean and this share
 * of it as scale. */
#define FIT_BYTE_SCALE_FRAC 0.5
/* Fixed costs: half normal from 0. The scale of a layer's is this share of the median time of an
 * executed layer (100 us for the networks of MobileLLM's Table 7 on a phone), that of an operator's
 * a tenth of a layer's, that of a pass's this share of the median time of a token. */
#define FIT_LAYER_SCALE_FRAC 0.2
#define FIT_PASS_SCALE_FRAC  0.1
/* Where no row tells, a byte of the KV cache takes this many times as long as a byte of weights, on
 * units other than GPUs: a CPU turns f16 rows into dot products one head at a time, and NPU
 * runtimes leave attention to the CPU. From llama.cpp on an x86-64 CPU (docs/accuracy.md), contexts
 * up to 1024.
 */
#define FIT_CACHE_FACTOR 4

/* Where a term is not fitted: the KV cache keeps its ratio to the fastest weights as in the base
 * profile, attention runs at its type's peak, and the head takes its type's time. */
enum fit_term {
    FIT_BYTE = 0,             /* + dtype: ns per byte of weights from DRAM */
    FIT_FLOP = N_DTYPES,      /* + dtype: ns per flop of matrices over a prompt */
    FIT_LAYER = 2 * N_DTYPES, /* ns per executed layer */
    FIT_PASS,                 /* ns per pass */
    FIT_OPERATOR,             /* ns per operator */
    FIT_KV_BYTE,              /* ns per byte of the KV cache */
    FIT_ATTENTION,            /* ns per flop of a decode's attention */
    FIT_HEAD_BYTE,            /* ns per byte of the head */
    FIT_LOAD,                 /* ns per load */
    FIT_LOAD_BYTE,            /* ns per byte of the file */
    N_FIT_TERMS,
};
/* "q8_0 bytes", "layer", ... into `buffer`, which is returned. */
char *fit_term_name(int term, char *buffer, size_t size);

/* A set of terms: bit `term`. */
typedef uint64_t fit_terms;
#define FIT_TERM(term) (UINT64_C(1) << (term))

struct fit_theta {
    fit_terms fitted;
    double value[N_FIT_TERMS]; /* ns per unit; 0 where not fitted */
};

/* Timings of one network under one setting. */
struct fit_row {
    char label[128];        /* network and type, for people */
    char where[160];        /* file and line */
    struct transformer net; /* owned; types set, passed transformer_check */
    int threads;            /* 0: not told, or a GPU */
    int64_t prompt;         /* of prefill_ns, >= 1 */
    int64_t context;        /* of decode_ns: tokens in the cache, middle of the run */
    double decode_ns, prefill_ns, load_ns;        /* NaN: not told */
    double decode_noise_frac, prefill_noise_frac; /* 0: TIMING_NOISE_FRAC */
};

enum fit_phase {
    FIT_DECODE,
    FIT_PREFILL,
    FIT_LOADING,
};
/* Sums over the operators of a row's pass. */
struct fit_sums {
    double bytes[N_DTYPES], flop[N_DTYPES]; /* of matrices, by weight type */
    double all_bytes;                       /* weights and cache */
    double all_flop, attention_flop, layers;
    double stored_bytes; /* of the file */
};
/* Errors: those of ops_decode and ops_prefill. */
enum status fit_sum_row(const struct fit_row *row, enum fit_phase phase, struct fit_sums *out,
                        struct err *err);

/* The row's own figure, NaN if it has none. */
double fit_measured_ns(const struct fit_row *row, enum fit_phase phase);

/* The profile before fitting: public numbers only, at `threads`. Costs per layer, pass and operator
 * are 0. Of the types' bandwidths only the ratios are used; the KV cache's follows from
 * FIT_CACHE_FACTOR. Peaks stay, but are raised to four times the rate that the rows' decodes show,
 * since a decode is bound by reading. Errors: those of machine_resolve. */
enum status fit_base_machine(const struct device *base, int threads,
                             const struct fit_row *const *rows, int n_rows, struct machine *out,
                             struct err *err);
/* The base machine with the coefficients of theta. Levels above DRAM are at least as fast as DRAM,
 * flash at most. */
void fit_machine(const struct machine *base, const struct fit_theta *theta, struct machine *out);

/* What price_network says of the row. Errors: those of price_network. */
enum status fit_predict(const struct machine *machine, const struct fit_row *row,
                        enum fit_phase phase, double *ns, struct err *err);

/* The FIT_BYTE terms to fit: one for each weight type of the blocks of rows with a decode. A type
 * that only heads have keeps its ratio to the fastest of these as in the base profile: two anchors
 * cannot tell it apart. */
fit_terms fit_byte_terms(const struct fit_row *const *rows, int n_rows);

/* Fits `terms` to the rows that have a figure of the phase; other rows are skipped. What theta
 * holds already stays. FIT_BYTE terms go with FIT_DECODE, FIT_FLOP terms with FIT_PREFILL, FIT_LOAD
 * and FIT_LOAD_BYTE with FIT_LOADING. noise_frac: out, the noise that was used in the end; NULL
 * allowed. Errors: STATUS_INPUT (no row), STATUS_NOMEM, those of price_network. */
enum status fit_solve(const struct machine *base, const struct fit_row *const *rows, int n_rows,
                      enum fit_phase phase, fit_terms terms, struct fit_theta *theta,
                      double *noise_frac, struct err *err);

#endif
