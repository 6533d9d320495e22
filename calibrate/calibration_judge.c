#include "calibrate/calibration_judge.h"

#include <math.h>
#include <stdio.h>

/* Every thread's arithmetic alone takes as long, but for a core that somebody else has. */
#define MOST_SLOWER 0.1

/* The thread count at which networks decode fastest; one that is slower than fewer threads says
 * that the machine was not ours. */
void calibration_compare_threads(struct calibration *c)
{
    double speed[MAX_THREAD_POINTS] = {0};
    int best = 0;
    for (int p = 0; p < c->n_points; p++) {
        int n = 0;
        for (int i = 0; i < c->n_trials; i++) {
            if (c->trials[i].threads != c->threads[p])
                continue;
            speed[p] += log(trial_decode_ns(&c->trials[i]));
            n++;
        }
        speed[p] = exp(-speed[p] / n);
        best = speed[p] > speed[best] ? p : best;
    }
    c->sourced.device.default_threads = c->threads[best];
    if (best < c->n_points - 1)
        snprintf(c->note, sizeof c->note,
                 "networks ran %.2g times as fast with %d threads as with %d: other programs had "
                 "the processors, or the cores share what bounds them; the default is %d",
                 speed[c->n_points - 1] / speed[best], c->threads[c->n_points - 1],
                 c->threads[best], c->threads[best]);
}

void calibration_judge(struct calibration *c)
{
    const struct trial_report *r = &c->trial_report;
    if (*c->note == '\0')
        trial_report_busy(r, c->note, sizeof c->note);
    /* All threads do the same sums, each in its own caches. */
    const struct state_reference *state = &r->state;
    for (int i = 1; *c->note == '\0' && i < state->n; i++) {
        double slower = state->at[i].sum_ns / state->at[0].sum_ns - 1;
        if (slower > MOST_SLOWER)
            snprintf(c->note, sizeof c->note,
                     "with %d threads arithmetic was at best %.0f %% slower than with %d: other "
                     "programs had a core all the time, or the cores slow down together",
                     state->threads[i], 100 * slower, state->threads[0]);
    }
}
