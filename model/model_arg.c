#include "model/model_arg.h"

#include <string.h>

#include "base/file.h"
#include "model/gguf_architecture.h"
#include "model/hf_config.h"
#include "model/preset.h"

enum status model_open(const char *arg, struct transformer *out, struct text *warnings,
                       struct err *err)
{
    struct preset_list presets = {0};
    struct err no_presets;
    bool is_known = false;
    const char *near = NULL;
    enum status status = preset_list_open(&presets, &no_presets);
    bool has_presets = status == STATUS_OK;
    if (has_presets) {
        is_known = preset_find(&presets, arg) != NULL;
        near = preset_nearest(&presets, arg);
    }
    if (is_known) {
        status = preset_open(arg, out, err);
    } else if (strcmp(arg, "-") == 0 || file_is_directory(arg) || file_exists(arg)) {
        status = file_begins_with(arg, "GGUF") ? gguf_read_architecture(arg, out, warnings, err)
                                               : hf_config_read(arg, out, warnings, err);
    } else if (!has_presets) {
        status = err_set(err, status, "no file '%s', and no presets: %s", arg, no_presets.message);
    } else {
        status = err_set(err, STATUS_NOT_FOUND, "no model '%s': %s%s%s ('lathe models' lists them)",
                         arg, near ? "did you mean '" : "neither a file nor a preset",
                         near ? near : "", near ? "'?" : "");
    }
    preset_list_release(&presets);
    return status;
}

bool model_arg_is_gguf(const char *arg)
{
    struct preset_list presets = {0};
    bool is_preset = preset_list_open(&presets, NULL) == STATUS_OK && preset_find(&presets, arg);
    preset_list_release(&presets);
    return !is_preset && !file_is_directory(arg) && file_begins_with(arg, "GGUF");
}
