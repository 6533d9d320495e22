/* The numbers of MobileLLM (arXiv 2402.14905) again: Table 7, the energy and battery statements of
 * its introduction, the parameter counts of its ablations, and what its layer sharing does on other
 * buffers than the phone's. Each function appends claims; none prints. */
#ifndef LATHE_PAPER_REPRODUCTION_H
#define LATHE_PAPER_REPRODUCTION_H

#include "base/status.h"
#include "device/device.h"
#include "paper/claim.h"

/* Load, init and execute of Table 7's three models and the overheads the text prints; execute of
 * each model from a fit to the other two, on the same device. fp16, one token after 128.
 * Errors: STATUS_NOT_FOUND and STATUS_INPUT (data), those of simulate. */
enum status reproduce_latency(const struct device *device, struct claims *claims, struct err *err);

/* Joules a token, hours and tokens a charge, and tokens a second of section 1. */
enum status reproduce_energy(const struct device *device, struct claims *claims, struct err *err);

/* Every row of the ablation tables that has a shape: parameters counted and printed. */
enum status reproduce_parameters(struct claims *claims, struct err *err);

/* MobileLLM-125M's blocks under every sharing mode. */
enum { N_SWEEP_MODES = 7, N_SWEEP_SIZES = 6 };
struct sharing_sweep {
    const char *modes[N_SWEEP_MODES]; /* "none", "immediate x2", ... */
    double sram_mb[N_SWEEP_SIZES];    /* 2 .. 64, 10^6 bytes */
    double closed_form_ns[N_SWEEP_MODES][N_SWEEP_SIZES];
    double simulator_ns[N_SWEEP_MODES][N_SWEEP_SIZES];
    double hit_frac[N_SWEEP_MODES][N_SWEEP_SIZES]; /* of weights and cache, simulated */
};
/* Errors: STATUS_INPUT (the device has no level above DRAM), those of simulate. */
enum status sweep_sharing(const struct device *device, struct sharing_sweep *out, struct err *err);
enum status reproduce_sharing(const struct sharing_sweep *sweep, struct claims *claims,
                              struct err *err);

#endif
