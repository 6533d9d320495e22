/* Devices that come along, for tests. */
#ifndef LATHE_TESTS_SHIPPED_DEVICE_H
#define LATHE_TESTS_SHIPPED_DEVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "device/device.h"

/* By name or path. */
static inline struct device shipped_device(const char *name)
{
    struct device device;
    struct err err = {{0}};
    if (device_open(name, &device, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return device;
}

static inline struct machine resolved(const struct device *device, int threads)
{
    struct machine machine;
    struct err err = {{0}};
    if (machine_resolve(device, threads, &machine, &err) != STATUS_OK)
        fail_msg("%s", err.message);
    return machine;
}

/* At the thread count that the device is used with. */
static inline struct machine shipped_machine(const char *name)
{
    struct device device = shipped_device(name);
    return resolved(&device, 0);
}

#endif
