/* A network as the law of loss sees it. */
#ifndef LATHE_QUALITY_SHAPE_OF_H
#define LATHE_QUALITY_SHAPE_OF_H

#include "model/transformer.h"
#include "quality/law.h"

/* By the bits of an element, scales included. */
enum quality_weights quality_weights_of(enum dtype dtype);

/* `net` passed transformer_check. Errors: STATUS_UNSUPPORTED for layers that differ or have no
 * attention: the law knows uniform decoders. The type of the weights is that of the blocks. */
enum status quality_shape_of(const struct transformer *net, struct quality_shape *out,
                             struct err *err);

#endif
