/* The parameter counts of MobileLLM's ablations (arXiv 2402.14905) again. */
#ifndef LATHE_PAPER_REPRODUCED_PARAMETERS_H
#define LATHE_PAPER_REPRODUCED_PARAMETERS_H

#include "base/status.h"
#include "paper/claim.h"

/* Every row of the ablation tables that has a shape: parameters counted and printed. */
enum status reproduce_parameters(struct claims *claims, struct err *err);

#endif
