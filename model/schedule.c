#include "model/schedule.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *const names[N_SHARINGS] = {
    [SHARING_NONE] = "none",
    [SHARING_IMMEDIATE] = "immediate",
    [SHARING_REPEAT_ALL] = "repeat-all",
    [SHARING_REVERSE] = "reverse",
    [SHARING_BY_BLOCK] = "by-block",
};

const char *sharing_name(enum sharing sharing)
{
    assert(sharing < N_SHARINGS);
    return names[sharing];
}

char sharing_letter(enum sharing sharing)
{
    static const char letters[N_SHARINGS] = {
        [SHARING_NONE] = 'n',    [SHARING_IMMEDIATE] = 'm', [SHARING_REPEAT_ALL] = 'p',
        [SHARING_REVERSE] = 'v', [SHARING_BY_BLOCK] = 'b',
    };
    assert(sharing < N_SHARINGS);
    return letters[sharing];
}

enum status sharing_parse(const char *name, enum sharing *out, struct err *err)
{
    for (int i = 0; i < N_SHARINGS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum sharing)i;
            return STATUS_OK;
        }
    }
    const char *near = text_nearest(name, names, N_SHARINGS);
    return err_set(
        err, STATUS_USAGE,
        "unknown sharing mode '%s'%s%s%s (known: none immediate repeat-all reverse by-block)", name,
        near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

bool schedule_equal(const struct schedule *a, const struct schedule *b)
{
    return a->sharing == b->sharing && a->n_layers == b->n_layers && a->repeats == b->repeats &&
           a->share_ffn == b->share_ffn;
}

int64_t schedule_executions(const struct schedule *schedule)
{
    assert(schedule->sharing != SHARING_BY_BLOCK);
    return schedule->n_layers * schedule->repeats;
}

int64_t schedule_block(const struct schedule *schedule, int64_t i)
{
    assert(i >= 0 && i < schedule_executions(schedule));
    int64_t n = schedule->n_layers;
    switch (schedule->sharing) {
    case SHARING_NONE:
        return i;
    case SHARING_IMMEDIATE:
        return i / schedule->repeats;
    case SHARING_REPEAT_ALL:
        return i % n;
    case SHARING_REVERSE:
        return i / n % 2 == 0 ? i % n : n - 1 - i % n;
    case SHARING_BY_BLOCK:
    case N_SHARINGS:
        break;
    }
    assert(0 && "no such sharing mode");
    return 0;
}

char *schedule_describe(const struct schedule *schedule, char *buffer, int size)
{
    char repeats[24] = "";
    if (schedule->repeats > 1)
        snprintf(repeats, sizeof repeats, " x%" PRId64, schedule->repeats);
    snprintf(buffer, (size_t)size, "%s%s%s", sharing_name(schedule->sharing), repeats,
             schedule->share_ffn ? ", shared ffn" : "");
    return buffer;
}
