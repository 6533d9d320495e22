/* What MobileLLM's layer sharing (arXiv 2402.14905) does on other buffers than the phone's. */
#ifndef LATHE_PAPER_SHARING_SWEEP_H
#define LATHE_PAPER_SHARING_SWEEP_H

#include "base/status.h"
#include "device/machine.h"
#include "paper/claim.h"

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
