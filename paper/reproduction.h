/* The speeds and energies of MobileLLM (arXiv 2402.14905) again: Table 7, and what its introduction
 * says of energy and battery. Each function appends claims. */
#ifndef LATHE_PAPER_REPRODUCTION_H
#define LATHE_PAPER_REPRODUCTION_H

#include "base/status.h"
#include "device/machine.h"
#include "paper/claim.h"

/* Load, init and execute of Table 7's three models and the overheads the text prints; execute of
 * each model from a fit to the other two, on the same device. fp16, one token after 128.
 * Errors: STATUS_NOT_FOUND and STATUS_INPUT (data), those of simulate. */
enum status reproduce_latency(const struct device *device, struct claims *claims, struct err *err);

/* Joules a token, hours and tokens a charge, and tokens a second of section 1. */
enum status reproduce_energy(const struct device *device, struct claims *claims, struct err *err);

#endif
