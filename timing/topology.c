#include "timing/topology.h"

#include <hwloc.h>
#include <stdio.h>
#include <unistd.h>

#include "kernels/cpu.h"

static hwloc_obj_t first_cache(hwloc_topology_t hw, unsigned level)
{
    int depth = hwloc_get_cache_type_depth(hw, level, HWLOC_OBJ_CACHE_DATA);
    if (depth < 0)
        depth = hwloc_get_cache_type_depth(hw, level, HWLOC_OBJ_CACHE_UNIFIED);
    return depth < 0 ? NULL : hwloc_get_obj_by_depth(hw, depth, 0);
}

static void add_caches(hwloc_topology_t hw, struct topology *out)
{
    for (unsigned level = 2; level < 2 + MAX_CACHES; level++) {
        hwloc_obj_t cache = first_cache(hw, level);
        if (cache == NULL || cache->attr->cache.size == 0)
            continue;
        struct cache *to = &out->caches[out->n_caches++];
        snprintf(to->name, sizeof to->name, "l%u", level);
        to->bytes = (int64_t)cache->attr->cache.size;
        to->n_sharing = hwloc_get_nbobjs_inside_cpuset_by_type(hw, cache->cpuset, HWLOC_OBJ_CORE);
        to->per_thread = to->n_sharing <= 1;
    }
}

enum status topology_read(struct topology *out, struct err *err)
{
    hwloc_topology_t hw;
    *out = (struct topology){0};
    if (hwloc_topology_init(&hw) != 0)
        return err_errno(err, "cannot start reading the machine's topology");
    if (hwloc_topology_load(hw) != 0) {
        hwloc_topology_destroy(hw);
        return err_errno(err, "cannot read the machine's topology");
    }
    int n_cores = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_CORE);
    out->n_cores = n_cores > 0 ? n_cores : hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_PU);
    if (out->n_cores < 1)
        out->n_cores = 1;
    add_caches(hw, out);
    hwloc_topology_destroy(hw);

    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    out->dram_bytes = pages > 0 && page_bytes > 0 ? (int64_t)pages * page_bytes : 0;
    cpu_model(out->cpu, sizeof out->cpu);
    return STATUS_OK;
}
