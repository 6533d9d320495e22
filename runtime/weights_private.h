/* What the ways to fill weights share; see weights.h. */
#ifndef LATHE_RUNTIME_WEIGHTS_PRIVATE_H
#define LATHE_RUNTIME_WEIGHTS_PRIVATE_H

#include "runtime/weights.h"

/* Allocates and points everything at its place; nothing is filled. Errors as weights_random. */
enum status weights_allocate(const struct transformer *net, struct weights *out, struct err *err);

#endif
