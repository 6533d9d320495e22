/* A simulation for people and for programs. */
#ifndef LATHE_CLI_SIMULATION_VIEW_H
#define LATHE_CLI_SIMULATION_VIEW_H

#include <stdio.h>

#include "base/json.h"
#include "device/machine.h"
#include "model/transformer.h"
#include "simulator/simulate.h"

struct simulation_view {
    const struct transformer *net;
    const struct machine *machine;
    const struct simulation *simulation;
    const struct simulated *simulated;
};

/* Phases, resources, what the time is bound by, operators, energy. Errors: STATUS_NOMEM. */
enum status simulation_print(const struct simulation_view *view, FILE *stream, struct err *err);
/* The contract's keys, then bytes and busy time by level and resource; null where unknown. */
void simulation_json(const struct simulation_view *view, struct json_node *object);

#endif
