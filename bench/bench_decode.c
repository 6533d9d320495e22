/* Decode and prefill beside llama.cpp's llama-bench, on the same GGUF files in one run.
 * usage: bench_decode [peer=LLAMA_BENCH] [rounds=5] [threads=N] [type=TYPE] [model=NAME]
 * (the peer from $LLAMA_BENCH if not given; neither: lathe alone; all types, models, one and two
 * threads unless told)
 *
 * Files are exported to a temporary directory and removed. Each round runs llama-bench once and
 * lathe once for every thread count: 64 tokens generated into an empty cache, prompts of 128 and
 * 512. Shown are medians of the rounds and lathe's over llama.cpp's; `read` is a plain sum over as
 * many bytes in the same rounds, `of it` the share of that which decode's weights and cache reach.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/stats.h"
#include "kernels/threaded.h"
#include "model/gguf_architecture.h"
#include "model/gguf_write.h"
#include "model/ops.h"
#include "model/preset.h"
#include "runtime/runner.h"

enum { GENERATED = 64, N_PROMPTS = 2, MAX_ROUNDS = 50, MAX_THREAD_COUNTS = 2, N_MODELS = 4 };
static const int64_t prompts[N_PROMPTS] = {128, 512};

struct settings {
    const char *peer, *model; /* NULL: none, all */
    int rounds, n_threads, threads[MAX_THREAD_COUNTS];
    int n_types;
    enum dtype types[3];
    unsigned isa;
};

/* Tokens a second by round. */
struct speeds {
    double decode[MAX_ROUNDS], prefill[N_PROMPTS][MAX_ROUNDS];
};

static void fail(const struct err *err)
{
    fprintf(stderr, "bench_decode: %s\n", err->message);
    exit(1);
}

static double median(const double *values, int n)
{
    double copy[MAX_ROUNDS];
    memcpy(copy, values, (size_t)n * sizeof *copy);
    return stats_median(copy, (size_t)n);
}

static void make_models(struct transformer nets[N_MODELS])
{
    struct err err;
    if (preset_open("mobilellm-125m", &nets[0], &err) ||
        preset_open("mobilellm-350m", &nets[1], &err))
        fail(&err);
    transformer_init(&nets[2], 384, 60, 6, 2, 64, 1280, 32000);
    snprintf(nets[2].name, sizeof nets[2].name, "60-layer-125m");
    transformer_init(&nets[3], 1280, 4, 20, 5, 64, 4416, 32000);
    snprintf(nets[3].name, sizeof nets[3].name, "4-layer-125m");
}

static void read_result(const struct json *result, int round, struct speeds *out, struct err *err)
{
    int64_t n_prompt = 0, n_gen = 0;
    double speed = 0;
    if (json_get_int(result, "n_prompt", 0, INT32_MAX, &n_prompt, err) ||
        json_get_int(result, "n_gen", 0, INT32_MAX, &n_gen, err) ||
        json_get_number(result, "avg_ts", 0, 1e9, &speed, err))
        fail(err);
    if (n_gen == GENERATED)
        out->decode[round] = speed;
    for (int p = 0; p < N_PROMPTS; p++)
        if (n_prompt == prompts[p])
            out->prefill[p][round] = speed;
}

static void run_peer(const char *peer, const char *path, int threads, int round, struct speeds *out)
{
    struct err err;
    char command[8192], text[1 << 16];
    struct json_doc *doc = NULL;
    struct json root;
    snprintf(command, sizeof command,
             "'%s' -m '%s' -t %d -p 128,512 -n %d -r 1 -o json 2>/dev/null", peer, path, threads,
             GENERATED);
    FILE *pipe = popen(command, "r");
    size_t length = pipe ? fread(text, 1, sizeof text, pipe) : 0;
    if (!pipe || pclose(pipe) != 0 ||
        json_parse("llama-bench", text, (int64_t)length, &doc, &root, &err)) {
        fprintf(stderr, "bench_decode: failed: %s\n", command);
        exit(1);
    }
    for (struct json at = json_first(&root); at.item != NULL; at = json_next(&at))
        read_result(&at, round, out, &err);
    json_close(doc);
}

static void run_lathe(struct runner *runner, const int32_t *tokens, int round, struct speeds *out)
{
    struct err err;
    runner_set_position(runner, 0);
    if (runner_decode(runner, tokens[0], &err))
        fail(&err);
    runner_set_position(runner, 0);
    int64_t start = clock_ns();
    for (int i = 0; i < GENERATED; i++)
        if (runner_decode(runner, tokens[i], &err))
            fail(&err);
    out->decode[round] = 1e9 * GENERATED / (double)(clock_ns() - start);
    for (int p = 0; p < N_PROMPTS; p++) {
        runner_set_position(runner, 0);
        start = clock_ns();
        if (runner_prefill(runner, tokens, prompts[p], &err))
            fail(&err);
        out->prefill[p][round] = 1e9 * (double)prompts[p] / (double)(clock_ns() - start);
    }
}

static double read_gbps(const struct weights *weights, unsigned isa, int threads)
{
    int64_t start = clock_ns();
    threaded_read(kernel_find(KERNEL_READ, DTYPE_F32, isa), weights->memory, weights->memory_bytes,
                  threads);
    return (double)weights->memory_bytes / (double)(clock_ns() - start);
}

/* Bytes a generated token reads on average. */
static double bytes_read(const struct transformer *net)
{
    struct operator_list ops;
    struct op_totals totals;
    if (ops_decode(net, GENERATED / 2, &ops, NULL))
        return NAN;
    ops_totals(&ops, &totals);
    ops_release(&ops);
    return (double)(totals.weight_read_bytes + totals.kv_read_bytes);
}

static void compare(const char *name, const char *path, const struct settings *set)
{
    static struct speeds ours[MAX_THREAD_COUNTS], theirs[MAX_THREAD_COUNTS];
    double gbps[MAX_THREAD_COUNTS][MAX_ROUNDS];
    struct transformer net;
    struct weights weights;
    struct runner *runners[MAX_THREAD_COUNTS];
    struct err err;
    int32_t tokens[512];
    for (int i = 0; i < 512; i++)
        tokens[i] = 3 + i * 37 % 31000;
    if (gguf_read_architecture(path, &net, NULL, &err) ||
        weights_open_gguf(path, &net, &weights, &err))
        fail(&err);
    for (int t = 0; t < set->n_threads; t++) {
        struct runner_options options = {
            .n_threads = set->threads[t], .max_context = 512, .isa = set->isa};
        if (runner_create(&net, &weights, &options, &runners[t], &err))
            fail(&err);
    }
    for (int round = 0; round < set->rounds; round++)
        for (int t = 0; t < set->n_threads; t++) {
            if (set->peer)
                run_peer(set->peer, path, set->threads[t], round, &theirs[t]);
            gbps[t][round] = read_gbps(&weights, set->isa, set->threads[t]);
            run_lathe(runners[t], tokens, round, &ours[t]);
        }
    for (int t = 0; t < set->n_threads; t++) {
        double decode = median(ours[t].decode, set->rounds), read = median(gbps[t], set->rounds);
        printf("%-15s %-5s %d | %7.1f", name, dtype_name(net.block_dtype), set->threads[t], decode);
        if (set->peer)
            printf(" %7.1f  %4.2f", median(theirs[t].decode, set->rounds),
                   decode / median(theirs[t].decode, set->rounds));
        for (int p = 0; p < N_PROMPTS; p++) {
            double speed = median(ours[t].prefill[p], set->rounds);
            printf(" | %7.1f", speed);
            if (set->peer)
                printf(" %7.1f  %4.2f", median(theirs[t].prefill[p], set->rounds),
                       speed / median(theirs[t].prefill[p], set->rounds));
        }
        printf(" | %5.1f %3.0f %%\n", read, 100 * decode * bytes_read(&net) / 1e9 / read);
        runner_free(runners[t]);
    }
    fflush(stdout);
    weights_release(&weights);
    transformer_release(&net);
}

/* Immediate sharing, random weights: 30 blocks, each of them twice, and 60 of their own. */
static void compare_sharing(const struct settings *set)
{
    static const char *const names[] = {"mobilellm-125m", "mobilellm-ls-125m",
                                        "mobilellm-60-layer"};
    static const double published_ms[] = {15.6, 16.0, 29.0};
    struct transformer nets[3];
    struct weights weights[3];
    struct err err;
    for (int i = 0; i < 3; i++)
        if (preset_open(names[i], &nets[i], &err) ||
            weights_random(&nets[i], 1, 2, &weights[i], &err))
            fail(&err);
    for (int t = 0; t < set->n_threads; t++) {
        static double ns[3][MAX_ROUNDS];
        struct runner *runners[3];
        for (int i = 0; i < 3; i++) {
            struct runner_options options = {
                .n_threads = set->threads[t], .max_context = 512, .isa = set->isa};
            if (runner_create(&nets[i], &weights[i], &options, &runners[i], &err))
                fail(&err);
        }
        for (int round = 0; round < set->rounds; round++)
            for (int i = 0; i < 3; i++) {
                runner_set_position(runners[i], 0);
                runner_decode(runners[i], 5, NULL);
                int64_t start = clock_ns();
                for (int k = 0; k < GENERATED; k++)
                    runner_decode(runners[i], 5 + k, NULL);
                ns[i][round] = (double)(clock_ns() - start) / GENERATED;
            }
        double first = median(ns[0], set->rounds);
        for (int i = 0; i < 3; i++) {
            printf("%-18s f16 %d | %6.2f ms  %4.2f | Table 7: %4.1f ms  %4.2f\n", names[i],
                   set->threads[t], median(ns[i], set->rounds) / 1e6,
                   median(ns[i], set->rounds) / first, published_ms[i],
                   published_ms[i] / published_ms[0]);
            runner_free(runners[i]);
        }
    }
    for (int i = 0; i < 3; i++) {
        weights_release(&weights[i]);
        transformer_release(&nets[i]);
    }
}

static bool read_word(const char *word, struct settings *set)
{
    const char *value = strchr(word, '=');
    if (value == NULL)
        return false;
    size_t length = (size_t)(value++ - word);
    struct err err;
    if (strncmp(word, "peer", length) == 0)
        set->peer = value;
    else if (strncmp(word, "model", length) == 0)
        set->model = value;
    else if (strncmp(word, "rounds", length) == 0)
        set->rounds = atoi(value);
    else if (strncmp(word, "threads", length) == 0)
        set->threads[0] = atoi(value), set->n_threads = 1;
    else if (strncmp(word, "type", length) == 0 && !dtype_parse(value, &set->types[0], &err))
        set->n_types = 1;
    else
        return false;
    return set->rounds >= 1 && set->rounds <= MAX_ROUNDS && set->threads[0] >= 1;
}

int main(int argc, char **argv)
{
    struct settings set = {.peer = getenv("LLAMA_BENCH"),
                           .rounds = 5,
                           .n_threads = 2,
                           .threads = {1, 2},
                           .n_types = 3,
                           .types = {DTYPE_F16, DTYPE_Q8_0, DTYPE_Q4_0}};
    const char *temporary = getenv("TMPDIR");
    char folder[512], path[1024];
    struct transformer nets[N_MODELS];
    struct err err;
    for (int i = 1; i < argc; i++) {
        if (!read_word(argv[i], &set)) {
            fprintf(stderr,
                    "bench_decode: '%s'? usage: bench_decode [peer=LLAMA_BENCH] [rounds=5] "
                    "[threads=N] [type=TYPE] [model=NAME]\n",
                    argv[i]);
            return 2;
        }
    }
    if (cpu_isa(NULL, &set.isa, &err))
        fail(&err);
    snprintf(folder, sizeof folder, "%.400s/bench_decode.XXXXXX", temporary ? temporary : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        return 1;
    }
    make_models(nets);
    printf("tokens/s: lathe%s\n%-23s | decode | prompt 128 | prompt 512 | read GB/s, of it\n",
           set.peer ? ", llama.cpp, ratio" : "", "model, type, threads");
    for (int i = 0; i < N_MODELS; i++) {
        for (int k = 0; k < set.n_types; k++) {
            if (set.model && strcmp(set.model, nets[i].name) != 0)
                continue;
            snprintf(path, sizeof path, "%s/%.100s.gguf", folder, nets[i].name);
            transformer_set_dtype(&nets[i], set.types[k]);
            if (gguf_write(&nets[i], path, &(struct gguf_write_options){.seed = 1}, NULL, &err))
                fail(&err);
            compare(nets[i].name, path, &set);
            remove(path);
        }
        transformer_release(&nets[i]);
    }
    rmdir(folder);
    if (!set.model)
        compare_sharing(&set);
    return 0;
}
