/* A device profile's numbers from the timings of one runtime on one device.
 *
 * Rows of one thread count are fitted together, decode first, then prompts, then loads. Which terms
 * are fitted is what the data support: bandwidth of each weight type and cost per layer always; a
 * cost per pass and operator, attention, cache and head when predictions of networks left out get
 * better for it. The same predictions are the error that the profile carries. Held out is a whole
 * network, in all its types and contexts, where there are three or more; where there are two, one
 * type of one network; two timings leave nothing to hold out, and the error is unknown.
 *
 * Beside it, on the same rows, what two simpler models would have said: bytes over bandwidth, and
 * bytes over bandwidth plus a cost per layer (least squares of relative errors, no prior). */
#ifndef LATHE_FIT_FIT_DEVICE_H
#define LATHE_FIT_FIT_DEVICE_H

#include "fit/fit_rows.h"

/* decode_ns by each model; NaN: not predicted (a type that no other row has). */
struct fit_prediction {
    double fitted_ns;           /* by all rows, its own among them */
    double held_out_ns;         /* by rows without this network */
    double bytes_ns, layers_ns; /* the simpler models, held out alike */
};

struct fit_errors {
    int n;
    double median_frac, p90_frac, worst_frac; /* of |predicted / measured - 1|; NaN when n is 0 */
};

struct fit_group {
    int threads; /* 0: not told */
    int n_rows;  /* with a decode or a prompt */
    struct machine base;
    struct fit_theta theta;
    double noise_frac; /* of its decodes */
};

struct device_fit {
    struct device base; /* what the fit does not touch */
    int n_groups;       /* ascending threads */
    struct fit_group groups[MAX_THREAD_POINTS];
    fit_terms optional;         /* of FIT_PASS ... FIT_HEAD_BYTE, chosen by held-out error */
    struct fit_theta load;      /* fitted == 0: no row tells */
    const struct fit_row *rows; /* borrowed */
    size_t n_rows;
    struct fit_prediction *predictions; /* [n_rows], owned */
    struct fit_errors held_out, bytes, layers;
};

/* Rows that cannot be used are named in `notes`: thread counts with one network where two are
 * needed, contexts beyond the model's. Errors: STATUS_INPUT when no thread count has two networks,
 * STATUS_RANGE (more than MAX_THREAD_POINTS thread counts), STATUS_NOMEM. Release with
 * device_fit_release, whatever the status. */
enum status fit_device(const struct device *base, const struct fit_rows *rows,
                       struct device_fit *out, struct text *notes, struct err *err);
void device_fit_release(struct device_fit *fit);

/* Fits to the rows of `anchors` and predicts the decodes of all rows: out, [rows->n]; held_out_ns
 * stays NaN, the rest is from the anchors alone. No optional terms. Errors: as fit_device. */
enum status fit_from_anchors(const struct device *base, const struct fit_rows *rows,
                             const bool *anchors, struct fit_prediction *out, struct err *err);

/* Errors of one model over rows. `predicted_ns` picks the model; rows with `skip` set (NULL: none)
 * or without a decode or prediction are left out. */
enum fit_model {
    FIT_MODEL_FITTED,
    FIT_MODEL_HELD_OUT,
    FIT_MODEL_BYTES,
    FIT_MODEL_LAYERS,
};
struct fit_errors fit_errors_of(const struct fit_row *rows, size_t n,
                                const struct fit_prediction *predictions, enum fit_model model,
                                const bool *skip);

#endif
