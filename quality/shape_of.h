/* A network as the law of loss sees it. */
#ifndef LATHE_QUALITY_SHAPE_OF_H
#define LATHE_QUALITY_SHAPE_OF_H

#include "model/transformer.h"
#include "quality/law.h"

/* `net` passed transformer_check. Errors: STATUS_UNSUPPORTED for layers that differ or have no
 * attention: the law knows uniform decoders. */
enum status quality_shape_of(const struct transformer *net, struct quality_shape *out,
                             struct err *err);

#endif
