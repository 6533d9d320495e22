/* Profiles for the tests of device/: made up, and those that come along. */
#ifndef LATHE_TESTS_DEVICE_FIXTURE_H
#define LATHE_TESTS_DEVICE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/device.h"
#include "tests/shipped_device.h"

static const char smallest[] =
    "{\"name\": \"t\", \"kind\": \"phone\", \"unit\": \"cpu\", \"basis\": \"datasheet\","
    " \"levels\": [{\"name\": \"dram\", \"capacity_bytes\": 1000, \"read_gbps\": 10},"
    " {\"name\": \"flash\", \"read_gbps\": 1}], \"peak_gflops\": {\"f32\": 100}%s}";

static inline enum status parse(const char *text, struct device *device, struct err *err)
{
    struct json_doc *doc = NULL;
    struct json root;
    enum status status = json_parse("t.json", text, (int64_t)strlen(text), &doc, &root, err);
    if (status == STATUS_OK)
        status = device_parse(&root, device, err);
    json_close(doc);
    return status;
}

/* The smallest profile with `more` members. */
static inline struct device device_with(const char *more)
{
    char text[4096];
    struct device device;
    struct err err = {{0}};
    snprintf(text, sizeof text, smallest, more);
    if (parse(text, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return device;
}

static inline void for_each_shipped(void (*visit)(const char *name))
{
    char **names = NULL;
    int n = 0;
    assert_int_equal(device_names(&names, &n, NULL), STATUS_OK);
    assert_true(n >= 2);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            assert_true(strcmp(names[i - 1], names[i]) < 0);
        visit(names[i]);
    }
    device_names_free(names, n);
}

#endif
