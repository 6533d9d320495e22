#include "calibrate/networks_drawn.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"
#include "model/count.h"
#include "model/draw.h"

const enum dtype run_types[N_RUN_TYPES] = {DTYPE_Q8_0, DTYPE_Q4_0, DTYPE_F16};
enum { TRIALS_A_POINT = 2 };

static bool has_twin(int i)
{
    return i % 6 == 3;
}
static bool is_twin(int i)
{
    return i % 6 == 4;
}
static int count_shapes(int n_networks)
{
    return n_networks - (n_networks + 1) / 6;
}

bool is_half_of_pair(const struct calibration *c, int i)
{
    return has_twin(c->trials[i].group) && c->trials[i].group + 1 < c->n_networks;
}

/* Latin hypercube: every shape has an aspect and a budget of its own stratum. `shape`: its number.
 */
static void draw_one(struct rng *rng, double most, int shape, int n_shapes, bool share,
                     bool immediate, struct transformer *out)
{
    const double least = 5e6;
    double n = n_shapes, size = (double)(shape * 7 % n_shapes);
    struct draw_options draw = {
        .params = (int64_t)(least * pow(most / least, (size + rng_uniform(rng)) / n)),
        .aspect = ((double)shape + rng_uniform(rng)) / n,
        .dtype = run_types[shape % N_RUN_TYPES],
        .share = share,
        .immediate = immediate};
    draw_network(rng, &draw, out);
}

int trials_of_network(const struct calibration *c)
{
    return c->n_points * TRIALS_A_POINT;
}

static void add_trials(struct rng *rng, struct calibration *out, int i)
{
    static const int64_t contexts[TRIALS_A_POINT][4] = {{0, 32, 64, 128}, {256, 512, 1024, 2048}};
    static const int64_t prompts[] = {16, 32, 64, 128, 256};
    const int64_t most_work = 4000000000; /* parameters times tokens: some seconds a prompt */
    struct param_count count;
    transformer_count(&out->networks[i], &count);
    int64_t prompt = prompts[rng_between(rng, 0, 4)];
    int64_t affordable = most_work / count.total / 16 * 16;
    prompt = prompt < affordable ? prompt : affordable;
    for (int p = 0; p < out->n_points; p++) {
        for (int c = 0; c < TRIALS_A_POINT; c++)
            out->trials[out->n_trials++] =
                (struct trial){.net = &out->networks[i],
                               .group = i,
                               .threads = out->threads[p],
                               .prompt = c == 0 ? prompt : 0,
                               .context = contexts[c][rng_between(rng, 0, 3)]};
    }
}

/* The same trials as of the network before. */
static void add_trials_of_twin(struct calibration *out, int i)
{
    const struct transformer *net = &out->networks[i], *before = net - 1;
    assert(net->schedule.sharing == SHARING_NONE &&
           net->schedule.n_layers == before->schedule.n_layers &&
           net->stack.first.d_ff == before->stack.first.d_ff &&
           net->block_dtype == before->block_dtype);
    for (int t = 0; t < trials_of_network(out); t++) {
        struct trial trial = out->trials[out->n_trials - trials_of_network(out)];
        trial.net = &out->networks[i];
        trial.group = i;
        out->trials[out->n_trials++] = trial;
    }
}

static void draw_all(struct calibration *out, double most_params)
{
    struct rng rng, before;
    int shape = 0, n_shapes = count_shapes(out->n_networks);
    rng_init(&rng, CALIBRATION_SEED);
    for (int i = 0; i < out->n_networks; i++) {
        if (is_twin(i)) {
            draw_one(&before, most_params, shape - 1, n_shapes, false, false, &out->networks[i]);
            add_trials_of_twin(out, i);
            continue;
        }
        before = rng;
        draw_one(&rng, most_params, shape, n_shapes, shape % 4 == 0 && !has_twin(i), has_twin(i),
                 &out->networks[i]);
        shape++;
        add_trials(&rng, out, i);
    }
}

static void note_reach(struct calibration *out)
{
    struct device *device = &out->sourced.device;
    for (int i = 0; i < out->n_trials; i++) {
        const struct trial *trial = &out->trials[i];
        double d_ff = (double)trial->net->stack.first.d_ff, d_model = (double)trial->net->d_model;
        device->timed_d_in = fmax(device->timed_d_in, fmax(d_ff, d_model));
        device->timed_context = fmax(device->timed_context, (double)trial->context);
        device->timed_tokens = fmax(device->timed_tokens, (double)trial->prompt);
    }
}

enum status draw_networks(int n_networks, double most_params, struct calibration *out,
                          struct err *err)
{
    size_t n_trials = (size_t)n_networks * (size_t)out->n_points * TRIALS_A_POINT;
    out->networks = memory_new((size_t)n_networks, sizeof *out->networks);
    out->trials = memory_new(n_trials, sizeof *out->trials);
    if (!out->networks || !out->trials)
        return err_set(err, STATUS_NOMEM, "out of memory for %d networks", n_networks);
    out->n_networks = n_networks;
    draw_all(out, most_params);
    note_reach(out);
    return STATUS_OK;
}
