#include "model/mixer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct mixer_traits mixer_none = {.name = "none", .owner = "a network of FFNs alone"};

#define MIXER_ROW(kind, row) [kind] = &(row),
static const struct mixer_traits *const rows[N_MIXERS] = {MIXERS(MIXER_ROW)};

const struct mixer_traits *mixer_traits(enum mixer mixer)
{
    assert(mixer < N_MIXERS);
    return rows[mixer];
}

bool mixer_parse(const char *name, enum mixer *out)
{
    for (int i = 0; i < N_MIXERS; i++) {
        if (strcmp(name, rows[i]->name) == 0) {
            *out = (enum mixer)i;
            return true;
        }
    }
    return false;
}

const char *mixer_names(char buffer[128])
{
    size_t length = 0;
    for (int i = 0; i < N_MIXERS; i++) {
        length += (size_t)snprintf(buffer + length, 128 - length, "%s%s", i > 0 ? ", " : "",
                                   rows[i]->name);
        assert(length < 128);
    }
    return buffer;
}
