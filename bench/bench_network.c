/* A network on a device that has nothing but a C library: prefill, decode, load, by thread count.
 * The aarch64 preset makes it static, so that it can be pushed to a phone:
 *
 *   adb push build-aarch64/bench/bench_network m.gguf /data/local/tmp
 *   adb shell /data/local/tmp/bench_network /data/local/tmp/m.gguf 1,2,4
 *
 *   bench_network FILE.gguf|TYPE [threads [prompt [context]]]
 * A TYPE (q8_0, f16, ...) runs MobileLLM-125M's shape on random weights of that type.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "kernels/cpu.h"
#include "model/gguf_architecture.h"
#include "timing/measure.h"

static enum status read_network(const char *what, struct transformer *net, bool *is_file,
                                struct err *err)
{
    enum dtype dtype;
    *is_file = file_exists(what);
    if (!*is_file) {
        enum status status = dtype_parse(what, &dtype, err);
        if (status != STATUS_OK)
            return status;
        transformer_init(net, 576, 30, 9, 3, 64, 1536, 32000);
        transformer_set_dtype(net, dtype);
        return STATUS_OK;
    }
    return gguf_read_architecture(what, net, NULL, err);
}

static void show(const struct measurement *m, const char *what, enum measure_kind kind, int thread,
                 int threads, int64_t tokens, int64_t tokens_a_pass)
{
    struct measured_time time = measure_time(m, kind, 0, thread, tokens);
    if (time.n > 0)
        printf("%-8s %7d %7" PRId64 " %12.3f %8.3f %5" PRId64 " %12.1f\n", what, threads, tokens,
               time.median_ns / 1e6, time.mad_ns / 1e6, time.n,
               (double)tokens_a_pass * 1e9 / time.median_ns);
}

int main(int argc, char **argv)
{
    struct transformer net = {0};
    struct measurement m = {0};
    struct text doubts = {0};
    struct err err = {""};
    bool is_file = false;
    int64_t prompt = argc > 3 ? atoll(argv[3]) : 128, context = argc > 4 ? atoll(argv[4]) : 128;
    struct measure_plan plan = {.n_models = 1,
                                .prompts = &prompt,
                                .contexts = &context,
                                .n_prompts = 1,
                                .n_contexts = 1,
                                .error_frac = 0.01,
                                .budget_ns = 20e9};
    if (argc < 2 || argc > 5 || prompt < 1 || context < 0) {
        fprintf(stderr, "usage: bench_network FILE.gguf|TYPE [threads [prompt [context]]]\n");
        return 2;
    }
    for (const char *at = argc > 2 ? argv[2] : "1";
         at != NULL && plan.n_threads < MEASURE_MAX_THREAD_COUNTS; at = strchr(at, ',')) {
        at += *at == ',';
        plan.threads[plan.n_threads++] = atoi(at) > 0 ? atoi(at) : 1;
    }
    enum status status = cpu_isa(NULL, &plan.isa, &err);
    if (status == STATUS_OK)
        status = read_network(argv[1], &net, &is_file, &err);
    struct measure_model model = {.net = &net, .gguf = is_file ? argv[1] : NULL, .seed = 1};
    plan.models = &model;
    if (status == STATUS_OK)
        status = measure_run(&plan, &m, &err);
    if (status == STATUS_OK) {
        printf("%-8s %7s %7s %12s %8s %5s %12s\n", "phase", "threads", "tokens", "median ms", "MAD",
               "n", "tokens/s");
        for (int t = 0; t < plan.n_threads; t++) {
            show(&m, "prefill", MEASURE_PREFILL, t, plan.threads[t], prompt, prompt);
            show(&m, "decode", MEASURE_DECODE, t, plan.threads[t], context, 1);
        }
        measure_doubts(&m, &plan, &doubts);
        fputs(doubts.data != NULL ? doubts.data : "", stderr);
    } else {
        fprintf(stderr, "bench_network: %s\n", err.message);
    }
    text_release(&doubts);
    measurement_release(&m);
    transformer_release(&net);
    return status != STATUS_OK;
}
