#include "device/profile_fields.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Limits catch slips of units, not unlikely machines: a petabyte a second, eleven days. */
#define LEAST_GBPS   1e-6
#define MOST_GBPS    1e6
#define LEAST_GFLOPS 1e-6
#define MOST_GFLOPS  1e9
#define MOST_NS      1e15
#define MOST_BYTES   1125899906842624.0 /* 2^50 */
#define MOST_THREADS 4096

static const char *const basis_names[] = {"datasheet", "calibrated", "fitted", NULL};
static const char *const device_kinds[] = {"phone", "board", "laptop", "desktop", "generic", NULL};
static const char *const unit_kinds[] = {"cpu", "gpu", "npu", NULL};
static const char *const policy_names[] = {"lru", "managed", "pinned", NULL};
const char *const number_kind_names[] = {"datasheet", "measured", "fitted",
                                         "estimate",  "assumed",  NULL};

#define PLACE(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define DEVICE(member)      PLACE(struct device, member), .machine_offset = KEY_NOWHERE
#define LEVEL(member)       PLACE(struct level, member), .machine_offset = KEY_NOWHERE
#define RESOLVED(member) \
    PLACE(struct device, member), .machine_offset = offsetof(struct machine, member)
#define RESOLVED_LEVEL(member) \
    PLACE(struct level, member), .machine_offset = offsetof(struct machine_level, member)
#define TIMING(term) \
    .offset = offsetof(struct device, timing_ns[term]), .size = sizeof(struct by_threads), \
    .machine_offset = offsetof(struct machine, timing_ns[term])
#define NOT_STORED .offset = KEY_NOWHERE, .machine_offset = KEY_NOWHERE

/* clang-format off */
static const struct profile_field level_fields[] = {
    {"name", KEY_TEXT, KEY_ONE, "", LEVEL(name), .required = true,
     .meaning = "up to 15 bytes, unique", .by_default = "required"},
    {"capacity_bytes", KEY_WHOLE, KEY_ONE, "bytes", LEVEL(capacity_bytes), .least = 1, .most = MOST_BYTES,
     .absent = MOST_BYTES,
     .meaning = "what is there, as seen by one pass; of one core if `per_thread`",
     .by_default = "required; `flash`: all there is need for"},
    {"usable_frac", KEY_NUMBER, KEY_ONE, "", LEVEL(usable_frac), .most = 1, .absent = 1,
     .meaning = "share that weights and KV cache can really occupy", .by_default = "1"},
    {"spill_frac", KEY_NUMBER, KEY_ONE, "", LEVEL(spill_frac), .most = 1000, .absent = NAN,
     .meaning = "a walk over this share of the capacity finds nothing here any more; between `usable_frac` and it less and less, half of it at their geometric mean (docs/method.md, Fit). A cache that is no perfect LRU gives up a walk that is too long little by little",
     .by_default = "at `usable_frac`, at once"},
    {"reread_lost_frac", KEY_NUMBER, KEY_ONE, "", RESOLVED_LEVEL(reread_lost_frac), .most = 8,
     .meaning = "share of a block as large as the usable capacity that is not found here when it runs again right after it came from memory, and is read from there once more; of a smaller block less by the root of its size. A cache that is no LRU",
     .by_default = "0"},
    {"per_thread", KEY_FLAG, KEY_ONE, "", LEVEL(per_thread),
     .meaning = "true: capacity grows with the threads (private caches)", .by_default = "false"},
    {"read_gbps", KEY_BY_THREADS, KEY_ONE, "GB/s", LEVEL(read_gbps), .least = LEAST_GBPS, .most = MOST_GBPS,
     .absent = NAN, .meaning = "bandwidth that reading weights reaches: achieved, not the pins' peak",
     .by_default = "required"},
    {"write_gbps", KEY_BY_THREADS, KEY_ONE, "GB/s", LEVEL(write_gbps), .least = LEAST_GBPS, .most = MOST_GBPS,
     .absent = NAN, .meaning = "the same for writing", .by_default = "as read"},
    {"latency_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED_LEVEL(latency_ns), .most = 1e12, .absent = NAN,
     .meaning = "one dependent read", .by_default = "unknown"},
    {"energy_pj_per_byte", KEY_NUMBER, KEY_ONE, "pJ/byte", RESOLVED_LEVEL(energy_pj_per_byte), .most = 1e9,
     .absent = NAN, .meaning = "to move a byte from this level to the compute units", .by_default = "unknown"},
    {"policy", KEY_WORD, KEY_ONE, "", RESOLVED_LEVEL(policy), .absent = POLICY_LRU, .words = policy_names,
     .meaning = "what a full level above DRAM keeps: `lru`, a cache; `managed`, a buffer whose owner knows the schedule; `pinned`, seven eighths hold the weights read most often",
     .by_default = "`lru`"},
    {"efficiency_frac", KEY_NUMBER, KEY_ONE, "", LEVEL(efficiency_frac), .least = 0.01, .most = 1, .absent = 1,
     .meaning = "what refresh and the traffic of other units leave of `read_gbps` and `write_gbps`",
     .by_default = "1: these are achieved figures already"},
    {"turnaround_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED_LEVEL(turnaround_ns), .most = 1e6,
     .absent = DEFAULT_TURNAROUND_NS,
     .meaning = "the bus is idle between a read and a write; the simulator counts it on DRAM", .by_default = "30"},
    {"ports", KEY_WHOLE, KEY_ONE, "", RESOLVED_LEVEL(ports), .least = 1, .most = 2, .absent = DEFAULT_PORTS,
     .meaning = "2: weights and activations do not wait for one another at this level; 1: they do",
     .by_default = "2"},
    {"page_bytes", KEY_WHOLE, KEY_ONE, "bytes", RESOLVED_LEVEL(page_bytes), .least = 1, .most = 1 << 30,
     .absent = DEFAULT_PAGE_BYTES, .meaning = "flash: the smallest read", .by_default = "4096"},
    {"queue_depth", KEY_WHOLE, KEY_ONE, "", RESOLVED_LEVEL(queue_depth), .least = 1, .most = 65536,
     .absent = DEFAULT_QUEUE_DEPTH, .meaning = "flash: commands under way at once", .by_default = "32"},
    {0},
};

static const struct profile_field reach_fields[] = {
    {"d_in", KEY_NUMBER, KEY_ONE, "", RESOLVED(timed_d_in), .least = 1, .most = 1e9, .required = true,
     .meaning = "the widest input of a matrix", .by_default = "required"},
    {"context", KEY_NUMBER, KEY_ONE, "", RESOLVED(timed_context), .most = 1e12, .required = true,
     .meaning = "the longest context of a decode", .by_default = "required"},
    {"tokens", KEY_NUMBER, KEY_ONE, "", RESOLVED(timed_tokens), .least = 1, .most = 1e12, .required = true,
     .meaning = "the longest prompt", .by_default = "required"},
    {0},
};

static const struct profile_field sentinel_fields[] = {
    {"sum_ns", KEY_BY_THREADS, KEY_ONE, "ns", DEVICE(sentinel_sum_ns), .least = 1, .most = MOST_NS,
     .absent = NAN, .meaning = "products in every thread's nearest caches", .by_default = "unknown"},
    {"read_gbps", KEY_BY_THREADS, KEY_ONE, "GB/s", DEVICE(sentinel_read_gbps), .least = LEAST_GBPS,
     .most = MOST_GBPS, .absent = NAN, .meaning = "a read of memory by all threads together",
     .by_default = "unknown"},
    {"meet_ns", KEY_BY_THREADS, KEY_ONE, "ns", DEVICE(sentinel_meet_ns), .least = 1, .most = MOST_NS,
     .absent = NAN, .meaning = "a meeting of all threads", .by_default = "unknown"},
    {0},
};

static const struct profile_field timing_fields[] = {
    {"matvec_row_ns", KEY_BY_THREADS, KEY_BY_DTYPE, "ns", TIMING(TIMING_ROW), .most = MOST_NS,
     .meaning = "object by weight type; decode: a row of a matrix, besides its bytes. A type that is not listed has no timings: it is priced by the roofline",
     .by_default = "no timings"},
    {"matvec_column_ns", KEY_BY_THREADS, KEY_BY_DTYPE, "ns", TIMING(TIMING_COLUMN), .most = MOST_NS,
     .meaning = "object by weight type; decode: an element of a vector made ready for its matrices (q, k, v share one, gate and up share one)",
     .by_default = "0 each"},
    {"matvec_start_ns", KEY_BY_THREADS, KEY_BY_DTYPE, "ns", TIMING(TIMING_START), .most = MOST_NS,
     .meaning = "object by weight type; decode: until the first bytes of a matrix come from memory. Prefetchers start anew with every matrix, which is what makes narrow layers slow",
     .by_default = "0 each"},
    {"matvec_step", KEY_WHOLE, KEY_BY_DTYPE, "", RESOLVED(matvec_step), .least = 1, .most = 1 << 20,
     .meaning = "object by weight type; decode: weights of a row that the kernel takes at a time. A rest takes as long as a whole step",
     .by_default = "any number"},
    {"cache_gbps", KEY_BY_THREADS, KEY_BY_LEVEL, "GB/s", DEVICE(cache_gbps), .least = LEAST_GBPS,
     .most = MOST_GBPS, .absent = NAN,
     .meaning = "object by level name; at what rate attention reads the KV cache from that level; takes the place of `read_gbps` and `attention_gbps`",
     .by_default = "these"},
    {"matmul_byte_ns", KEY_BY_THREADS, KEY_BY_DTYPE, "ns", TIMING(TIMING_PROMPT_BYTE), .most = MOST_NS,
     .meaning = "object by weight type; prompt: a byte of weights read and unpacked, once in 512 tokens",
     .by_default = "0 each"},
    {"matmul_column_ns", KEY_BY_THREADS, KEY_BY_DTYPE, "ns", TIMING(TIMING_PROMPT_COLUMN), .most = MOST_NS,
     .meaning = "object by weight type; prompt: an element of an input made ready", .by_default = "0 each"},
    {"matmul_row_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_PROMPT_ROW), .most = MOST_NS,
     .meaning = "prompt: an element of an output", .by_default = "0"},
    {"attention_query_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_QUERY), .most = MOST_NS,
     .meaning = "decode's attention: an element of a query", .by_default = "0"},
    {"attention_position_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_POSITION), .most = MOST_NS,
     .meaning = "decode's attention: a flop divided by `d_head`", .by_default = "0"},
    {"attention_flop_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_SCORE), .most = MOST_NS,
     .meaning = "decode's attention: a flop", .by_default = "0"},
    {"attention_prompt_position_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_PROMPT_POSITION),
     .most = MOST_NS, .meaning = "a prompt's attention: a flop divided by `d_head`", .by_default = "0"},
    {"attention_prompt_flop_ns", KEY_BY_THREADS, KEY_ONE, "ns", TIMING(TIMING_PROMPT_SCORE), .most = MOST_NS,
     .meaning = "a prompt's attention: a flop", .by_default = "0"},
    {"element_ns", KEY_BY_THREADS, KEY_BY_OP, "ns", TIMING(TIMING_ELEMENT), .most = MOST_NS,
     .meaning = "object by operator kind: an element of a norm, rotation, activation, ...",
     .by_default = "0 each"},
    {"sentinel", KEY_OBJECT, KEY_ONE, "", NOT_STORED, .members = sentinel_fields,
     .meaning = "the state of the machine that the terms speak of, as three sentinels tell it (docs/method.md, State)",
     .by_default = "unknown"},
    {"up_to", KEY_OBJECT, KEY_ONE, "", NOT_STORED, .required = true, .members = reach_fields,
     .meaning = "the largest that was timed. Beyond four times that the slower of timings and roofline counts, and a prediction says `beyond_timings`",
     .by_default = "required"},
    {"networks", KEY_NOTES, KEY_ONE, "", NOT_STORED,
     .meaning = "what the terms were fitted to, a line each, for people", .by_default = "none"},
    {0},
};

const struct profile_field profile_fields[] = {
    {"name", KEY_TEXT, KEY_ONE, "", DEVICE(name), .required = true,
     .meaning = "for people, up to 95 bytes", .by_default = "required"},
    {"kind", KEY_TEXT, KEY_ONE, "", DEVICE(kind), .required = true, .words = device_kinds,
     .meaning = "`phone`, `board`, `laptop`, `desktop` or `generic`", .by_default = "required"},
    {"unit", KEY_TEXT, KEY_ONE, "", DEVICE(unit), .required = true, .words = unit_kinds,
     .meaning = "which unit computes: `cpu`, `gpu` or `npu`", .by_default = "required"},
    {"runtime", KEY_TEXT, KEY_ONE, "", DEVICE(runtime),
     .meaning = "the software that the fixed costs belong to, `ExecuTorch MPS` say",
     .by_default = "`\"\"`: none in particular"},
    {"basis", KEY_WORD, KEY_ONE, "", RESOLVED(basis), .required = true, .words = basis_names,
     .meaning = "what predictions rest on: `datasheet`, `calibrated` (timed on the device by lathe) or `fitted` (to a runtime's own timings)",
     .by_default = "required"},
    {"default_threads", KEY_WHOLE, KEY_ONE, "", DEVICE(default_threads), .least = 1, .most = MOST_THREADS,
     .absent = 1, .is_stated = true,
     .meaning = "threads used unless `--threads` says otherwise; 1 for GPU and NPU", .by_default = "1"},
    {"max_threads", KEY_WHOLE, KEY_ONE, "", DEVICE(max_threads), .least = 1, .most = MOST_THREADS,
     .is_stated = true, .meaning = "more are refused", .by_default = "`default_threads`"},
    {"error_median_frac", KEY_NUMBER, KEY_ONE, "", RESOLVED(error_median_frac), .most = 10, .absent = NAN,
     .meaning = "how far decode predictions from this profile were off on rows it was not made from, median",
     .by_default = "unknown"},
    {"error_p90_frac", KEY_NUMBER, KEY_ONE, "", RESOLVED(error_p90_frac), .most = 10, .absent = NAN,
     .meaning = "the same, nine of ten rows", .by_default = "unknown"},
    {"app_share_frac", KEY_NUMBER, KEY_ONE, "", DEVICE(app_share_frac), .most = 1, .absent = 0.1,
     .meaning = "share of DRAM that one app should not exceed (MobileLLM, section 1)", .by_default = "0.1"},
    {"overlap_frac", KEY_NUMBER, KEY_ONE, "", RESOLVED(overlap_frac), .most = 1,
     .meaning = "share of a repeated block's compute under which the next block's DRAM stream hides; 0 = no prefetch",
     .by_default = "0"},
    {"load_fixed_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED(load_fixed_ns), .most = MOST_NS,
     .meaning = "of any file", .by_default = "0"},
    {"load_gbps", KEY_NUMBER, KEY_ONE, "GB/s", RESOLVED(load_gbps), .least = LEAST_GBPS, .most = MOST_GBPS,
     .absent = NAN, .meaning = "bytes of the file", .by_default = "the flash level's `read_gbps`"},
    {"load_layer_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED(load_layer_ns), .most = MOST_NS,
     .meaning = "an executed block", .by_default = "0"},
    {"init_fixed_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED(init_fixed_ns), .most = MOST_NS,
     .meaning = "of any network", .by_default = "0"},
    {"init_gbps", KEY_NUMBER, KEY_ONE, "GB/s", RESOLVED(init_gbps), .least = LEAST_GBPS, .most = MOST_GBPS,
     .absent = NAN, .meaning = "bytes of weights", .by_default = "bytes cost nothing"},
    {"init_layer_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED(init_layer_ns), .most = MOST_NS,
     .meaning = "an executed block", .by_default = "0"},
    {"init_block_sq_ns", KEY_NUMBER, KEY_ONE, "ns", RESOLVED(init_block_sq_ns), .most = MOST_NS,
     .meaning = "the square of the distinct blocks", .by_default = "0"},
    {"energy_pj_per_flop", KEY_NUMBER, KEY_ONE, "pJ", RESOLVED(energy_pj_per_flop), .most = 1e9, .absent = NAN,
     .meaning = "arithmetic alone", .by_default = "unknown"},
    {"battery_j", KEY_NUMBER, KEY_ONE, "J", RESOLVED(battery_j), .least = 1e-3, .most = 1e9, .absent = NAN,
     .meaning = "a full charge", .by_default = "unknown"},
    {"levels", KEY_LEVELS, KEY_ONE, "", RESOLVED(levels), .required = true, .members = level_fields,
     .meaning = "list of 2 to 6 memory levels from fastest to slowest; the last two are named `dram` and `flash`",
     .by_default = "required"},
    {"peak_gflops", KEY_BY_THREADS, KEY_BY_DTYPE, "GFLOP/s", DEVICE(peak_gflops), .least = LEAST_GFLOPS,
     .most = MOST_GFLOPS, .absent = NAN,
     .meaning = "object, weight type to what its matrix products reach, the arithmetic's peak for want of better; a type that is left out takes f16's, else f32's (f32: its own, else f16's)",
     .by_default = "one of `f32`, `f16` required"},
    {"stream_frac", KEY_NUMBER, KEY_BY_DTYPE, "", DEVICE(stream_frac), .least = 1e-3, .most = 1, .absent = NAN,
     .meaning = "object, weight type to share: what of a level's `read_gbps` is reached when weights of that type stream from it; unpacking is compute",
     .by_default = "1 each"},
    {"matvec_gbps", KEY_BY_THREADS, KEY_BY_DTYPE_AND_LEVEL, "GB/s", DEVICE(matvec_gbps), .least = LEAST_GBPS,
     .most = MOST_GBPS, .absent = NAN,
     .meaning = "object, weight type to object, level name to number: bandwidth of a matrix times a vector where it was measured; takes the place of `read_gbps` times `stream_frac`",
     .by_default = "not measured"},
    {"op_ns", KEY_BY_THREADS, KEY_BY_OP, "ns", RESOLVED(op_ns), .most = MOST_NS,
     .meaning = "object, operator kind to cost of dispatching one, of: matmul attention norm rope activation add embed time_mix kv_store sample (as operators are called everywhere)",
     .by_default = "0 each"},
    {"layer_ns", KEY_BY_THREADS, KEY_ONE, "ns", RESOLVED(layer_ns), .most = MOST_NS,
     .meaning = "per executed block", .by_default = "0"},
    {"pass_ns", KEY_BY_THREADS, KEY_ONE, "ns", RESOLVED(pass_ns), .most = MOST_NS,
     .meaning = "per token or prompt: entering, leaving, dispatching the head", .by_default = "0"},
    {"attention_gbps", KEY_BY_THREADS, KEY_ONE, "GB/s", DEVICE(attention_gbps), .least = LEAST_GBPS,
     .most = MOST_GBPS, .absent = NAN,
     .meaning = "ceiling on the bandwidth at which attention reads the KV cache. A fit to timings of one context cannot tell: on units other than GPUs it then takes a quarter of the weights' (docs/accuracy.md)",
     .by_default = "the level's"},
    {"attention_gflops", KEY_BY_THREADS, KEY_ONE, "GFLOP/s", RESOLVED(attention_gflops), .least = LEAST_GFLOPS,
     .most = MOST_GFLOPS,
     .meaning = "rate at which attention computes for the one token of a decode, per query head and position; the slower of it and the cache's bytes counts",
     .by_default = "the peak of the cache's type"},
    {"head_gbps", KEY_BY_THREADS, KEY_ONE, "GB/s", RESOLVED(head_gbps), .least = LEAST_GBPS, .most = MOST_GBPS,
     .meaning = "bandwidth of the head's matrix from DRAM, where it differs from other weights of its type (another unit computes it)",
     .by_default = "its type's"},
    {"timings", KEY_OBJECT, KEY_ONE, "", RESOLVED(has_timings), .members = timing_fields,
     .meaning = "what passes are made of on a runtime that was timed on the device itself", .by_default = "none"},
    {0},
};
/* clang-format on */

int profile_field_count(const struct profile_field *field)
{
    static const int counts[] = {[KEY_ONE] = 1,
                                 [KEY_BY_DTYPE] = N_DTYPES,
                                 [KEY_BY_OP] = N_OP_KINDS,
                                 [KEY_BY_LEVEL] = MAX_LEVELS,
                                 [KEY_BY_DTYPE_AND_LEVEL] = N_DTYPES * MAX_LEVELS};
    return counts[field->index];
}

size_t profile_field_stride(const struct profile_field *field)
{
    static const size_t strides[] = {[KEY_WORD] = sizeof(int),
                                     [KEY_FLAG] = sizeof(bool),
                                     [KEY_NUMBER] = sizeof(double),
                                     [KEY_BY_THREADS] = sizeof(struct by_threads),
                                     [KEY_OBJECT] = sizeof(bool)};
    if (field->kind == KEY_WHOLE)
        return field->index == KEY_ONE ? field->size : sizeof(int64_t);
    return field->kind == KEY_TEXT ? field->size : strides[field->kind];
}

void profile_field_put_whole(const struct profile_field *field, int64_t value, void *out)
{
    if (profile_field_stride(field) == sizeof(int))
        *(int *)out = (int)value;
    else
        *(int64_t *)out = value;
}

/* Texts start empty, lists by threads without any, words and flags at zero. */
static void put_absent(const struct profile_field *rows, char *base)
{
    for (const struct profile_field *row = rows; row->key != NULL; row++) {
        /* What has no place has no number either. */
        char *at = row->offset == KEY_NOWHERE ? base : base + row->offset;
        assert(row->offset != KEY_NOWHERE || (row->kind != KEY_NUMBER && row->kind != KEY_WHOLE));
        for (int i = 0; row->kind == KEY_LEVELS && i < MAX_LEVELS; i++)
            put_absent(row->members, at + (size_t)i * sizeof(struct level));
        if (row->kind == KEY_OBJECT)
            put_absent(row->members, base);
        bool is_plain = row->kind == KEY_NUMBER || row->kind == KEY_WHOLE;
        for (int i = 0; is_plain && i < profile_field_count(row); i++) {
            char *number = at + (size_t)i * profile_field_stride(row);
            if (row->kind == KEY_NUMBER)
                *(double *)(void *)number = row->absent;
            else
                profile_field_put_whole(row, (int64_t)row->absent, number);
        }
    }
}

void device_init(struct device *device)
{
    *device = (struct device){0};
    put_absent(profile_fields, (char *)device);
}

void profile_field_names(enum key_index index, const struct device *device, struct field_names *out)
{
    int n = 0;
    switch (index) {
    case KEY_BY_DTYPE:
    case KEY_BY_DTYPE_AND_LEVEL:
        for (; n < N_DTYPES; n++)
            out->at[n] = dtype_name((enum dtype)n);
        break;
    case KEY_BY_OP:
        for (; n < N_OP_KINDS; n++)
            out->at[n] = op_kind_name((enum op_kind)n);
        break;
    case KEY_BY_LEVEL:
        for (; n < device->n_levels; n++)
            out->at[n] = device->levels[n].name;
        break;
    case KEY_ONE:
    default:
        break;
    }
    out->at[n] = NULL;
}

double round_to_digits(double value, int digits)
{
    if (!isfinite(value) || !(fabs(value) > 0))
        return value;
    double unit = pow(10, digits - 1 - floor(log10(fabs(value))));
    return round(value * unit) / unit;
}

int name_index(const char *name, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

const char *basis_name(enum basis basis)
{
    return basis_names[basis];
}

enum status level_policy_parse(const char *name, enum level_policy *out, struct err *err)
{
    int i = name_index(name, policy_names);
    if (i < 0)
        return err_set(err, STATUS_USAGE, "no policy '%s': expected lru, managed or pinned", name);
    *out = (enum level_policy)i;
    return STATUS_OK;
}
