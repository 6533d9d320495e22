/* A number that a paper printed, beside what lathe makes of it. */
#ifndef LATHE_PAPER_CLAIM_H
#define LATHE_PAPER_CLAIM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Which phase of which model a number belongs to, for measurements of the same. */
enum claim_phase {
    CLAIM_OTHER,
    CLAIM_LOAD,
    CLAIM_INIT,
    CLAIM_DECODE,
};

struct claim {
    const char *section; /* "latency", "energy", "parameters", "sharing"; static */
    char what[112];
    const char *unit;   /* static */
    double paper;       /* as printed; NaN: nothing was printed */
    double closed_form; /* lathe's clocks or arithmetic; NaN: does not apply */
    double simulator;
    double measured; /* on this machine, of the store; NaN: not measured */
    bool fitted;     /* the profile was fitted on the printed number: no evidence */
    enum claim_phase phase;
    char model[48];   /* preset, "" for none */
    char source[112]; /* where it was printed */
};

/* Start with = {0}; release with claims_release. */
struct claims {
    struct claim *items;
    size_t n, capacity;
};

/* Appends one whose numbers are all unknown. Errors: STATUS_NOMEM, *out is then NULL. */
enum status claims_add(struct claims *claims, const char *section, const char *unit,
                       struct claim **out, struct err *err);
void claims_release(struct claims *claims);

#endif
