/* A device profile's numbers from the timings of one runtime on one device.
 *
 * Rows of one thread count are fitted together: decode first, then prompts, then loads. Bandwidth
 * of each weight type and cost per layer are always fitted. A cost per pass and operator,
 * attention, cache and head are fitted when that improves the predictions of networks left out.
 *
 * The errors of these held-out predictions are what the profile states. With three or more networks
 * a whole network is held out, in all its types and contexts. With two, one type of one network.
 * Two timings leave nothing to hold out: the error is unknown.
 *
 * On the same rows it also gives the predictions of two simpler models: bytes over bandwidth, and
 * bytes over bandwidth plus a cost per layer (least squares of relative errors, no prior). Where the
 * latter predicts networks left out better, its costs are taken in place of the fit's: for weights
 * of one type the price then equals it, but for activations. With several types the head and the
 * cache, which a machine reads at one rate each, take the mean rate.
 *
 * Rows of prompts alone fit the compute peaks of their types on the base's other numbers. */
#ifndef LATHE_FIT_FIT_DEVICE_H
#define LATHE_FIT_FIT_DEVICE_H

#include "fit/fit_rows.h"

/* decode_ns by each model; NaN: not predicted (a type that no other row has). */
struct fit_prediction {
    double fitted_ns;           /* from all rows, including this one */
    double held_out_ns;         /* from the rows of other networks */
    double bytes_ns, layers_ns; /* by the simpler models, held out in the same way */
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
    struct device base; /* the numbers that the fit does not change */
    int n_groups;       /* ascending threads */
    struct fit_group groups[MAX_THREAD_POINTS];
    fit_terms optional;         /* of FIT_PASS ... FIT_HEAD_BYTE, chosen by held-out error */
    bool prompts_only;          /* decode is the base's */
    bool simpler;               /* bytes and layers are what the groups hold */
    struct fit_theta load;      /* fitted == 0: no row tells */
    const struct fit_row *rows; /* borrowed */
    size_t n_rows;
    struct fit_prediction *predictions; /* [n_rows], owned */
    struct fit_errors held_out, bytes, layers;
};

/* Rows that cannot be used are named in `notes`: thread counts with one network where two are
 * needed, contexts beyond the model's. That only prompts were fitted or that the simpler model was
 * taken is a note too. Errors: STATUS_INPUT when there are decodes and no thread count has those of
 * two networks, STATUS_RANGE (more than MAX_THREAD_POINTS thread counts), STATUS_NOMEM. Release with
 * device_fit_release, whatever the status. */
enum status fit_device(const struct device *base, const struct fit_rows *rows,
                       struct device_fit *out, struct text *notes, struct err *err);
void device_fit_release(struct device_fit *fit);

/* Of networks left out, by what the groups hold. */
const struct fit_errors *device_fit_errors(const struct device_fit *fit);

/* Fits to the rows of `anchors` alone, without optional terms, and predicts the decodes of all
 * rows. out: [rows->n]; held_out_ns stays NaN. Errors: as fit_device. */
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
