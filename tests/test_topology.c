#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timing/topology.h"

static void private_and_shared_caches_are_told_apart(void **state)
{
    (void)state;
    struct topology t;
    struct err err;
    assert_int_equal(setenv("HWLOC_SYNTHETIC",
                            "pack:1 l3:1(size=33554432) l2:4(size=1048576) l1d:1(size=32768) "
                            "core:1 pu:2",
                            1),
                     0);
    assert_int_equal(topology_read(&t, &err), STATUS_OK);
    unsetenv("HWLOC_SYNTHETIC");
    assert_int_equal(t.n_cores, 4);
    assert_int_equal(t.n_caches, 2);
    assert_string_equal(t.caches[0].name, "l2");
    assert_int_equal(t.caches[0].bytes, 1048576);
    assert_true(t.caches[0].per_thread);
    assert_string_equal(t.caches[1].name, "l3");
    assert_int_equal(t.caches[1].n_sharing, 4);
    assert_false(t.caches[1].per_thread);
}

static void a_machine_that_tells_no_caches_is_no_error(void **state)
{
    (void)state;
    struct topology t;
    struct err err;
    assert_int_equal(setenv("HWLOC_SYNTHETIC", "pack:1 core:2 pu:1", 1), 0);
    assert_int_equal(topology_read(&t, &err), STATUS_OK);
    unsetenv("HWLOC_SYNTHETIC");
    assert_int_equal(t.n_cores, 2);
    assert_int_equal(t.n_caches, 0);
}

static void this_machine_has_cores_and_memory(void **state)
{
    (void)state;
    struct topology t;
    struct err err;
    assert_int_equal(topology_read(&t, &err), STATUS_OK);
    assert_true(t.n_cores >= 1);
    assert_true(t.dram_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_and_shared_caches_are_told_apart),
        cmocka_unit_test(a_machine_that_tells_no_caches_is_no_error),
        cmocka_unit_test(this_machine_has_cores_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
