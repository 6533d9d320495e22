#include "validate/update_profile.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "validate/score.h"

static void add_error(struct json_node *root, const char *key, double value, const char *source)
{
    struct json_node *number = json_add_object(root, key);
    json_add_number(number, "value", round(value * 1e4) / 1e4);
    json_add_string(number, "kind", "measured");
    json_add_string(number, "source", source);
}

enum status validation_update_profile(struct validation *v, const char *path, struct err *err)
{
    struct validation_errors errors = {0};
    struct json_doc *doc = NULL;
    struct json old;
    char source[160], now[32], *text = NULL;
    struct json_node *root = json_new_object();
    enum status status = json_open(path, &doc, &old, err);
    if (status != STATUS_OK)
        goto out;
    validation_exchange_raw(v);
    status = validation_errors(v, &errors, err);
    validation_exchange_raw(v);
    if (status == STATUS_OK && errors.n == 0)
        status = err_set(err, STATUS_INPUT, "no decode was timed that tells an error");
    if (status != STATUS_OK)
        goto out;
    snprintf(source, sizeof source, "lathe validate, %.10s: decode of %d networks",
             clock_now_iso(now, sizeof now), v->n_networks);
    for (struct json at = json_first(&old); at.item != NULL; at = json_next(&at)) {
        if (strncmp(at.key, "error_", 6) == 0)
            continue;
        json_add_copy(root, at.key, &at);
        if (strcmp(at.key, "basis") != 0)
            continue;
        add_error(root, "error_median_frac", errors.median_frac, source);
        add_error(root, "error_p90_frac", errors.p90_frac, source);
    }
    text = json_print(root);
    status = text ? file_write(path, text, err) : err_set(err, STATUS_NOMEM, "out of memory");
out:
    json_close(doc);
    json_free(root);
    memory_free(text);
    return status;
}
