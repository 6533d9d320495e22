/* What a network costs on a device: what the estimate, the simulator and the store say of it.
 *
 * One row a field, for both tables that have it: `candidate`, where it stands beside thousands of
 * others, and `prediction`, where it stands alone. */
#ifndef LATHE_CONTRACT_PRICE_FIELDS_H
#define LATHE_CONTRACT_PRICE_FIELDS_H

#include "contract/field.h"

/* F(type, name, unit, meaning, places and title in `candidate`, the same in `prediction`)
 * RUN: whose prompt and context they are; WHOSE: whose interval. */
/* clang-format off */
#define PRICE_FIELDS(F, RUN, WHOSE) \
    F(double, load_ns, UNIT_NS, "file to memory", \
      METRIC, "load", PREDICTED, "load") \
    F(double, init_ns, UNIT_NS, "repack, compile, allocate", \
      METRIC, "init", PREDICTED, "init") \
    F(double, prefill_ns, UNIT_NS, "pass over " RUN "prompt tokens", \
      METRIC, "prefill", PREDICTED, "prefill") \
    F(double, ttft_cold_ns, UNIT_NS, "load + init + prefill", \
      METRIC | IN_TABLE, "cold TTFT", PREDICTED, "cold TTFT") \
    F(double, decode_ns, UNIT_NS, "one token after " RUN "context tokens", \
      METRIC | IN_TABLE, "decode", PREDICTED | OF_A_TOKEN, "decode") \
    F(double, decode_ns_low, UNIT_NS, "lower end of the " WHOSE "interval", \
      KEPT, "decode, at least", PREDICTED | OF_A_TOKEN | OF_ESTIMATE, "low") \
    F(double, decode_ns_high, UNIT_NS, "upper end", \
      KEPT, "decode, at most", PREDICTED | OF_A_TOKEN | OF_ESTIMATE, "high") \
    F(double, decode_tok_s, UNIT_TOKENS_PER_S, "1e9 / decode_ns", \
      METRIC, "speed", PREDICTED, "speed") \
    F(double, energy_pj_per_token, UNIT_PJ, "of one decoded token", \
      METRIC, "energy", PREDICTED | OF_A_TOKEN, "energy") \
    F(double, energy_rule_pj_per_token, UNIT_PJ, "0.1 J per 10^9 parameters: a cross-check", \
      0, NULL, IN_JSON | IN_TABLE | OF_A_TOKEN, "rule") \
    F(int64_t, peak_bytes, UNIT_BYTES, "weights + KV cache + activations", \
      METRIC | IN_TABLE, "memory", PREDICTED, "memory") \
    F(int64_t, fits_app_share, UNIT_BOOL, "peak within what an app should use", \
      METRIC, "fits the app share", PREDICTED, "fits") \
    F(int64_t, beyond_timings, UNIT_BOOL, "a type or shape far beyond the profile's timings", \
      0, NULL, IN_JSON | OF_ESTIMATE, NULL)
/* clang-format on */

/* energy_pj_per_token is NaN when the profile has no energies, the ends of the interval are where
 * nobody has checked it (device/interval.h). beyond_timings: the profile has timings, but some
 * operator's type was not timed or its shape is more than four times what was: the roofline
 * spoke. */
struct price {
    PRICE_FIELDS(RECORD_MEMBER, "", "")
};

#endif
