#include "plots/kinds.h"

#include <string.h>

#include "base/text.h"

enum { N_KINDS = 9 };

const struct plot_kind plot_kinds[] = {
    {"depth", "decode latency against depth at equal parameters, a line for each sharing mode",
     "a run of search", true},
    {"front", "decode latency against parameters in blocks: candidates, their front, known models",
     "a run of search", true},
    {"phases", "load, init, prefill and decode of chosen models, a panel each", "models", false},
    {"breakdown", "where the time goes, by memory level and by operator role", "models", false},
    {"accuracy", "published accuracy against predicted latency", "models with published accuracy",
     false},
    {"validate", "predicted against measured time, with the band of 10 %", "measurements", false},
    {"error", "error of the prediction against depth", "measurements", false},
    {"contest", "measured, predicted and baseline latency against depth", "measurements", false},
    {"timeline", "what each resource does over time", "a simulated model", false},
    {NULL, NULL, NULL, false},
};

const struct plot_kind *plot_kind_find(const char *name, const char **near)
{
    const char *names[N_KINDS];
    for (int i = 0; i < N_KINDS; i++) {
        names[i] = plot_kinds[i].name;
        if (strcmp(names[i], name) == 0)
            return &plot_kinds[i];
    }
    if (near)
        *near = text_nearest(name, names, N_KINDS);
    return NULL;
}
