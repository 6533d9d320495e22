/* What differs from layer to layer in a config.json: attention windows and rotary
 * positions by the family's rules, and lathe's own keys for schedules and blocks that no family has a key for. */
#ifndef LATHE_MODEL_HF_LAYERS_H
#define LATHE_MODEL_HF_LAYERS_H

#include "base/json.h"
#include "base/status.h"
#include "model/hf_family.h"

/* After the row has been applied to `net`: sets block.window, or fills blocks where layers differ.
 */
enum status hf_read_windows(struct hf_reader *reader, const struct hf_family *family,
                            struct transformer *net, struct err *err);
void hf_write_windows(struct json_node *out, const struct hf_family *family,
                      const struct transformer *net);

/* Then which layers have rotary positions: block.is_unturned. */
enum status hf_read_turns(struct hf_reader *reader, const struct hf_family *family,
                          struct transformer *net, struct err *err);
void hf_write_turns(struct json_node *out, const struct hf_family *family,
                    const struct transformer *net);

/* The lathe_* keys: override what the family's keys said. */
enum status hf_read_extensions(struct hf_reader *reader, struct transformer *net, struct err *err);
void hf_write_extensions(struct json_node *out, const struct transformer *net);

#endif
