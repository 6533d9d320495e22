/* A network that ran: medians, each with its median absolute deviation and sample count. A row of
 * the store's table `measurement`. */
#ifndef LATHE_CONTRACT_MEASUREMENT_FIELDS_H
#define LATHE_CONTRACT_MEASUREMENT_FIELDS_H

#include "contract/prediction_fields.h"

/* M(name, unit, title, places, meaning): three members, name, name_mad and name_n.
 * F(type, name, unit, places, title, meaning) */
/* clang-format off */
#define MEASUREMENT_FIELDS(F, M) \
    M(load_ns, UNIT_NS, "load", 0, "file to memory") \
    M(init_ns, UNIT_NS, "init", 0, "repack, allocate") \
    M(prefill_ns, UNIT_NS, "prefill", 0, "pass over prompt tokens") \
    M(ttft_cold_ns, UNIT_NS, "cold TTFT", 0, "load + init + prefill") \
    M(decode_ns, UNIT_NS, "decode", OF_A_TOKEN, "one token after context tokens") \
    F(double, decode_tok_s, UNIT_TOKENS_PER_S, KEPT | IN_TABLE, "speed", "1e9 / decode_ns") \
    M(energy_pj_per_token, UNIT_PJ, "energy", OF_A_TOKEN, "of one decoded token") \
    F(int64_t, peak_bytes, UNIT_BYTES, KEPT | IN_TABLE, "memory", "resident at most") \
    F(const char *, cache_state, UNIT_NONE, KEPT | IN_TABLE, "weights", "cold or warm weights") \
    F(double, noise_frac, UNIT_FRAC, KEPT | IN_TABLE, "noise", "spread of equal runs, 0..1") \
    F(double, steal_frac, UNIT_FRAC, KEPT, NULL, "CPU time that other guests took, 0..1") \
    F(double, sentinel_before_gbps, UNIT_GBPS, KEPT, NULL, "read bandwidth before") \
    F(double, sentinel_after_gbps, UNIT_GBPS, KEPT, NULL, "read bandwidth after") \
    F(const char *, version, UNIT_NONE, IN_STORE, NULL, "of the runtime") \
    F(const char *, compiler, UNIT_NONE, IN_STORE, NULL, "") \
    F(const char *, flags, UNIT_NONE, IN_STORE, NULL, "of the compiler") \
    F(const char *, source_commit, UNIT_NONE, IN_STORE, NULL, "of lathe") \
    F(const char *, measured_at, UNIT_UTC, IN_STORE, NULL, "")
/* clang-format on */

#define MEASURED_MEMBERS(name, ...) \
    double name, name##_mad; \
    int64_t name##_n;

struct measurement_row {
    const struct fields *fields;
    int64_t id, run_id;
    struct subject subject;
    MEASUREMENT_FIELDS(RECORD_MEMBER, MEASURED_MEMBERS)
};
extern const struct fields measurement_fields;

#endif
