/* Which networks a GGUF file can hold so that the usual runtimes load it; see gguf_write.h. */
#ifndef LATHE_MODEL_GGUF_WRITABLE_H
#define LATHE_MODEL_GGUF_WRITABLE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "model/transformer.h"

/* Lines about what the file cannot say are appended to `warnings`, NULL allowed.
 * Errors: STATUS_UNSUPPORTED with the reason. */
enum status gguf_writable(const struct transformer *net, bool expand_shared, struct text *warnings,
                          struct err *err);

#endif
