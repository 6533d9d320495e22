#include "timing/timed_cases.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/stats.h"
#include "model/quantize.h"
#include "runtime/pages.h"

enum { WIDTH = 1024, X_FLOATS = 1 << 17, SCRATCH_BYTES = 1 << 23 };

size_t kernel_times_disturbed(const struct kernel_time *times, size_t n)
{
    size_t disturbed = 0;
    for (size_t i = 0; i < n; i++)
        disturbed += 2 * timing_undisturbed(&times[i].timing).n < times[i].timing.n;
    return disturbed;
}

enum status timed_space_init(struct timed_space *space, unsigned isa, int64_t data_bytes,
                             struct err *err)
{
    *space = (struct timed_space){
        .isa = isa, .plan = timing_plan_default(), .data_bytes = data_bytes, .filled = N_DTYPES};
    space->data = pages_new(data_bytes); /* as the runtime keeps weights */
    space->x = memory_new(X_FLOATS, sizeof *space->x);
    space->y = memory_new((size_t)data_bytes / 16, sizeof *space->y);
    space->scratch = memory_new_aligned(SCRATCH_BYTES);
    if (!space->data || !space->x || !space->y || !space->scratch) {
        timed_space_release(space);
        return err_set(err, STATUS_NOMEM, "out of memory: calibration needs %lld MB",
                       (long long)(data_bytes + data_bytes / 4) / 1000000);
    }
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < X_FLOATS; i++)
        space->x[i] = (float)rng_normal(&rng);
    memset(space->data, 1, (size_t)data_bytes);
    memset(space->scratch, 0, SCRATCH_BYTES);
    return STATUS_OK;
}

void timed_space_release(struct timed_space *space)
{
    pages_free(space->data, space->data_bytes);
    memory_free(space->x);
    memory_free(space->y);
    memory_free(space->scratch);
    *space = (struct timed_space){0};
}

/* Fills the buffer with copies of a few true rows: values do not change the time, but NaNs and
 * subnormals would. */
static void fill_rows(struct timed_space *space, enum dtype dtype, int64_t k)
{
    enum { DIFFERENT = 16 };
    int64_t row_bytes = dtype_row_bytes(dtype, k), at = 0;
    if (space->filled == dtype && space->fill_k == k)
        return;
    for (int r = 0; r < DIFFERENT; r++, at += row_bytes)
        quantize_row(dtype, k, space->x + r * k, space->data + at);
    for (; at < space->data_bytes; at += at) {
        int64_t left = space->data_bytes - at;
        memcpy(space->data + at, space->data, (size_t)(left < at ? left : at));
    }
    space->filled = dtype;
    space->fill_k = k;
}

static void describe(struct kernel_time *out, const char *what, const struct kernel *kernel,
                     struct kernel_shape shape, int threads, int64_t working_set_bytes)
{
    out->what = what;
    out->kernel = kernel;
    out->shape = shape;
    out->threads = threads;
    out->working_set_bytes = working_set_bytes;
    snprintf(out->cache_state, sizeof out->cache_state, "hot");
    out->flop = kernel != NULL ? kernel_flop(kernel, &shape) : 0;
    out->bytes = kernel != NULL ? kernel_bytes(kernel, &shape) : 0;
}

/* One thread is timed by what it runs, so that other programs count less. */
static void time_it(const struct timed_space *space, void (*call)(void *), void *context,
                    int threads, struct timing *out)
{
    struct timing_plan plan = space->plan;
    plan.thread_time = threads == 1;
    timing_run(call, context, &plan, out);
}

/* A call of a streaming case: every thread walks its slice `repeats` times. */
struct stream {
    struct timed_space *space;
    const struct kernel *kernel;
    int64_t n, k, repeats;
    const void *x;
    int threads;
    uint32_t sum; /* kept, so that reading is not optimised away */
};

static void stream_slice(struct stream *s, int thread, int threads)
{
    int64_t begin, end;
    uint32_t sum = 0;
    if (s->kernel->op == KERNEL_READ) {
        kernel_slice(s->n, 4096, thread, threads, &begin, &end);
        for (int64_t i = 0; i < s->repeats; i++)
            sum += s->kernel->run.read(s->space->data + begin, end - begin);
#pragma omp atomic
        s->sum += sum;
        return;
    }
    kernel_slice(s->n, 16, thread, threads, &begin, &end);
    for (int64_t i = 0; i < s->repeats; i++)
        s->kernel->run.matvec(s->k, s->space->data, s->x, s->space->y, begin, end);
}

static void call_stream(void *context)
{
    struct stream *s = context;
    if (s->threads == 1) {
        stream_slice(s, 0, 1);
        return;
    }
#pragma omp parallel num_threads(s->threads)
    stream_slice(s, omp_get_thread_num(), omp_get_num_threads());
}

/* ns of one call, the fastest of a few, for the sizes chosen below. */
static double rough_ns(struct stream *s)
{
    double fastest = INFINITY;
    s->repeats = 1;
    call_stream(s);
    for (int i = 0; i < 5; i++) {
        int64_t start = clock_ns();
        call_stream(s);
        fastest = fmin(fastest, (double)(clock_ns() - start));
    }
    return fastest;
}

/* Enough walks a call that entering the region vanishes, and the timing that of one walk. */
static void time_stream(struct stream *s, struct kernel_time *out)
{
    double ns = rough_ns(s);
    s->repeats = ns < 2e5 ? (int64_t)(4e5 / fmax(ns, 100)) + 1 : 1;
    time_it(s->space, call_stream, s, s->threads, &out->timing);
    timing_divide(&out->timing, s->repeats);
}

void time_read(struct timed_space *space, int64_t bytes, int threads, struct kernel_time *out)
{
    struct stream s = {.space = space,
                       .kernel = kernel_find(KERNEL_READ, DTYPE_F32, space->isa),
                       .n = bytes < space->data_bytes ? bytes : space->data_bytes,
                       .threads = threads};
    describe(out, "read", s.kernel, (struct kernel_shape){.m = 1, .n = s.n}, threads, s.n);
    time_stream(&s, out);
}

/* A kernel slower than memory need not walk all of a large buffer: as much as takes 0.1 s. */
static int64_t rows_worth_walking(struct stream *s, int64_t n)
{
    s->n = n < 512 ? n : 512;
    double row_ns = rough_ns(s) / (double)s->n;
    double most = 100e6 / fmax(row_ns, 1e-3);
    return (double)n > most ? (int64_t)most + 1 : n;
}

void time_matvec(struct timed_space *space, enum dtype dtype, int64_t k, int64_t bytes, int threads,
                 struct kernel_time *out)
{
    struct stream s = {.space = space,
                       .kernel = kernel_find(KERNEL_MATVEC, dtype, space->isa),
                       .k = k,
                       .threads = threads};
    int64_t row_bytes = dtype_row_bytes(dtype, s.k);
    fill_rows(space, dtype, s.k);
    s.x = kernel_prepare(s.kernel, s.k, space->x, space->scratch);
    s.n =
        rows_worth_walking(&s, (bytes < space->data_bytes ? bytes : space->data_bytes) / row_bytes);
    describe(out, "matvec", s.kernel, (struct kernel_shape){.m = 1, .n = s.n, .k = s.k}, threads,
             s.n * row_bytes);
    time_stream(&s, out);
}

struct matmul_call {
    struct timed_space *space;
    const struct kernel *kernel;
    int64_t m, n, k, x_bytes;
    const void *x;
    uint8_t *scratch;
    int threads;
};

static void call_matmul(void *context)
{
    struct matmul_call *c = context;
    threaded_matmul(c->kernel, c->m, c->n, c->k, c->space->data, c->x, c->x_bytes, c->space->y,
                    c->scratch, c->threads);
}

void time_matmul(struct timed_space *space, enum dtype dtype, int threads, struct kernel_time *out)
{
    struct matmul_call c = {.space = space,
                            .kernel = kernel_find(KERNEL_MATMUL, dtype, space->isa),
                            .m = 128,
                            .n = 512,
                            .k = WIDTH,
                            .x = space->x,
                            .threads = threads};
    fill_rows(space, dtype, c.k);
    c.x_bytes = kernel_prepared_bytes(c.kernel, c.k);
    /* Tokens overlap in x where it is taken plainly: 64 starts are enough to be different. */
    if (c.kernel->prepare == NULL) {
        c.x_bytes = 4 * (c.k - 512);
    } else {
        for (int64_t t = 0; t < c.m; t++)
            c.kernel->prepare(c.k, space->x + 64 * t, space->scratch + t * c.x_bytes);
        c.x = space->scratch;
    }
    c.scratch = space->scratch + SCRATCH_BYTES / 2;
    int64_t most = SCRATCH_BYTES / 2 / (threaded_scratch_bytes(c.kernel, c.k) + 1);
    c.threads = threads < most ? threads : (int)most;
    describe(out, "matmul", c.kernel, (struct kernel_shape){.m = c.m, .n = c.n, .k = c.k},
             c.threads, c.n * dtype_row_bytes(dtype, c.k));
    time_it(space, call_matmul, &c, c.threads, &out->timing);
}

struct attention_call {
    struct timed_space *space;
    const struct kernel *kernel;
    struct attention attention;
    int64_t cache_bytes, n_caches, next;
    int threads;
};

static void call_attention(void *context)
{
    struct attention_call *c = context;
    struct attention *a = &c->attention;
    a->k = c->space->data + c->next * 2 * c->cache_bytes;
    a->v = (const uint8_t *)a->k + c->cache_bytes;
    c->next = (c->next + 1) % c->n_caches;
    threaded_attention(c->kernel, a, 1, c->space->x, c->space->y, c->space->scratch, c->threads);
}

void time_attention(struct timed_space *space, int64_t context, int64_t bytes, int threads,
                    struct kernel_time *out)
{
    enum { HEADS = 12, KV_HEADS = 4, D_HEAD = 64 };
    struct attention_call c = {.space = space,
                               .kernel = kernel_find(KERNEL_ATTENTION, DTYPE_F16, space->isa),
                               .threads = threads};
    fill_rows(space, DTYPE_F16, WIDTH);
    struct attention *a = &c.attention;
    *a = (struct attention){.n_heads = HEADS,
                            .n_kv_heads = KV_HEADS,
                            .d_head = D_HEAD,
                            .row_bytes = dtype_row_bytes(DTYPE_F16, D_HEAD),
                            .first = context,
                            .scale = 0.125f};
    a->head_bytes = (context + 1) * a->row_bytes;
    c.cache_bytes = KV_HEADS * a->head_bytes;
    c.n_caches = (bytes < space->data_bytes ? bytes : space->data_bytes) / (2 * c.cache_bytes);
    c.n_caches = c.n_caches > 0 ? c.n_caches : 1;
    describe(out, "attention", c.kernel,
             (struct kernel_shape){
                 .m = 1, .n = HEADS, .k = D_HEAD, .n_kv_heads = KV_HEADS, .context = context},
             threads, c.n_caches * 2 * c.cache_bytes);
    time_it(space, call_attention, &c, threads, &out->timing);
}

struct small_call {
    const struct timed_space *space;
    const struct kernel *kernel;
    enum small_op op;
};

static void call_small(void *context)
{
    enum { D_HEAD = 64, D_FF = 2816, KV = 4 * D_HEAD, VOCABULARY = 32000 };
    struct small_call *c = context;
    const float *x = c->space->x;
    float *y = c->space->y;
    switch (c->op) {
    case SMALL_NORM:
        c->kernel->run.norm(WIDTH, x, x + WIDTH, NULL, 1e-5f, y);
        break;
    case SMALL_ROPE: /* a turn by the sine and cosine of 0.1 keeps the numbers' size */
        c->kernel->run.rope(ROPE_HALVES, WIDTH / D_HEAD, D_HEAD, D_HEAD, y + 2 * WIDTH,
                            y + 3 * WIDTH, y);
        break;
    case SMALL_ACTIVATION:
        c->kernel->run.activation(D_FF, x, x + D_FF, y);
        break;
    case SMALL_ADD:
        c->kernel->run.add(WIDTH, x, x + WIDTH, y);
        break;
    case SMALL_EMBED:
        c->kernel->run.embed(WIDTH, c->space->data, y);
        break;
    case SMALL_KV_STORE:
        c->kernel->run.store(KV, x, y);
        c->kernel->run.store(KV, x + KV, y + KV);
        break;
    case SMALL_SAMPLE:
        y[0] = (float)c->kernel->run.argmax(VOCABULARY, x);
        break;
    case SMALL_PREPARE:
    default:
        kernel_prepare(c->kernel, WIDTH, x, c->space->scratch);
        break;
    }
}

void time_small_op(struct timed_space *space, enum small_op op, struct kernel_time *out)
{
    static const struct {
        const char *what;
        enum kernel_op op;
        enum dtype dtype;
        int64_t n;
    } kinds[N_SMALL_OPS] = {
        [SMALL_NORM] = {"norm", KERNEL_RMS_NORM, DTYPE_F32, WIDTH},
        [SMALL_ROPE] = {"rope", KERNEL_ROPE, DTYPE_F32, WIDTH},
        [SMALL_ACTIVATION] = {"activation", KERNEL_SILU, DTYPE_F32, 2816},
        [SMALL_ADD] = {"add", KERNEL_ADD, DTYPE_F32, WIDTH},
        [SMALL_EMBED] = {"embed", KERNEL_EMBED, DTYPE_Q8_0, WIDTH},
        [SMALL_KV_STORE] = {"kv_store", KERNEL_STORE, DTYPE_F16, 256},
        [SMALL_SAMPLE] = {"sample", KERNEL_ARGMAX, DTYPE_F32, 32000},
        [SMALL_PREPARE] = {"prepare", KERNEL_MATVEC, DTYPE_Q8_0, WIDTH},
    };
    struct small_call c = {
        .space = space, .kernel = kernel_find(kinds[op].op, kinds[op].dtype, space->isa), .op = op};
    if (op == SMALL_EMBED)
        fill_rows(space, DTYPE_Q8_0, WIDTH);
    if (op == SMALL_ROPE) {
        for (int i = 0; i < WIDTH; i++) {
            space->y[i] = 1;
            space->y[2 * WIDTH + i] = 0.995004165f;
            space->y[3 * WIDTH + i] = 0.0998334166f;
        }
    }
    struct kernel_shape shape = {.m = 1, .n = kinds[op].n, .k = op == SMALL_PREPARE ? WIDTH : 0};
    describe(out, kinds[op].what, c.kernel, shape, 1, 0);
    time_it(space, call_small, &c, 1, &out->timing);
}

struct meeting {
    struct team_barrier barrier;
    int threads;
    int64_t n;
};

static void call_barriers(void *context)
{
    struct meeting *m = context;
#pragma omp parallel num_threads(m->threads)
    for (int64_t i = 0; i < m->n; i++)
        team_barrier_wait(&m->barrier);
}

void time_barrier(struct timed_space *space, int threads, struct kernel_time *out)
{
    struct meeting m = {.threads = threads, .n = 1000};
    team_barrier_init(&m.barrier, threads);
    describe(out, "barrier", NULL, (struct kernel_shape){0}, threads, 0);
    time_it(space, call_barriers, &m, threads, &out->timing);
    timing_divide(&out->timing, m.n);
}

static void call_region(void *context)
{
    struct meeting *m = context;
#pragma omp parallel num_threads(m->threads)
    team_barrier_wait(&m->barrier);
}

void time_region(struct timed_space *space, int threads, struct kernel_time *out)
{
    struct meeting m = {.threads = threads, .n = 1};
    team_barrier_init(&m.barrier, threads);
    describe(out, "region", NULL, (struct kernel_shape){0}, threads, 0);
    time_it(space, call_region, &m, threads, &out->timing);
}
