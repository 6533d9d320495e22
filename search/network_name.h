/* Names of architectures: "d576-l30x2m-h9x64-kv3-f1536-v32000". */
#ifndef LATHE_SEARCH_NETWORK_NAME_H
#define LATHE_SEARCH_NETWORK_NAME_H

#include "model/transformer.h"

/* Sets net->name: all that architectures of a space can differ in, types aside. */
void name_network(struct transformer *net);

#endif
